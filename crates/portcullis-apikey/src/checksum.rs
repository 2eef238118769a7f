//! CRC-32, and numbers in base62.

/// The digits, in the order of their values.
pub(crate) const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many base62 digits a CRC-32 has.
pub(crate) const LEN: usize = 6;

/// By how many bytes stand behind the one that is looked up: eight are folded in one step (slicing-by-8).
const TABLES: [[u32; 256]; 8] = tables();

#[allow(clippy::indexing_slicing)] // Evaluated by the compiler, which would say so.
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0_u32; 256]; 8];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut distance = 0;
        while distance < 8 {
            value = shifted(value);
            tables[distance][index] = value;
            distance += 1;
        }
        index += 1;
    }
    tables
}

/// The state after eight zero bits.
const fn shifted(mut state: u32) -> u32 {
    let mut bit = 0;
    while bit < 8 {
        state = if state & 1 == 1 {
            (state >> 1) ^ 0xedb8_8320
        } else {
            state >> 1
        };
        bit += 1;
    }
    state
}

/// The CRC-32 of IEEE 802.3, as in gzip and PNG, of what has been read so far. To be read on from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crc32(u32);

impl Crc32 {
    /// Of nothing.
    pub(crate) const fn new() -> Self {
        Self(u32::MAX)
    }

    /// Of these bytes, too.
    pub(crate) fn and(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        let folded = words.iter().fold(self.0, fold_word);
        Self(rest.iter().fold(folded, fold_byte))
    }

    const fn value(self) -> u32 {
        !self.0
    }

    /// In six base62 digits, the most significant first.
    pub(crate) fn digits(self) -> [u8; LEN] {
        let mut rest = self.value();
        let mut text = [b'0'; LEN];
        for place in text.iter_mut().rev() {
            *place = digit((rest % 62) as u8);
            rest /= 62;
        }
        text
    }
}

fn fold_byte(state: u32, byte: &u8) -> u32 {
    let ([nearest, ..], [low, ..]) = (&TABLES, state.to_le_bytes());
    (state >> 8) ^ entry(nearest, low ^ byte)
}

fn fold_word(state: u32, word: &[u8; 8]) -> u32 {
    let ([a, b, c, d, e, f, g, h], [s, t, u, v]) = (*word, state.to_le_bytes());
    let [t0, t1, t2, t3, t4, t5, t6, t7] = &TABLES;
    let first = entry(t7, a ^ s) ^ entry(t6, b ^ t) ^ entry(t5, c ^ u) ^ entry(t4, d ^ v);
    first ^ entry(t3, e) ^ entry(t2, f) ^ entry(t1, g) ^ entry(t0, h)
}

/// There is one for every byte.
fn entry(table: &[u32; 256], byte: u8) -> u32 {
    table.get(usize::from(byte)).copied().unwrap_or_default()
}

/// The checksum of what stands before it.
pub(crate) fn checksum(bytes: &[u8]) -> [u8; LEN] {
    Crc32::new().and(bytes).digits()
}

/// The digit of a value below 62.
pub(crate) fn digit(value: u8) -> u8 {
    DIGITS.get(usize::from(value)).copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_crc_32_is_the_published_one() {
        assert_eq!(Crc32::new().and(b"123456789").value(), 0xcbf4_3926);
        assert_eq!(Crc32::new().and(b"").value(), 0);
    }

    /// By the definition, bit by bit.
    fn slowly(bytes: &[u8]) -> u32 {
        !bytes
            .iter()
            .fold(u32::MAX, |state, byte| shifted(state ^ u32::from(*byte)))
    }

    #[test]
    fn wherever_it_is_cut_and_however_long_it_is_the_checksum_is_that_of_the_definition() {
        let bytes: Vec<u8> = (0..=255_u8).map(|byte| byte.wrapping_mul(167)).collect();
        for end in 0..bytes.len() {
            for start in 0..end.min(20) {
                let (head, tail) = bytes[..end].split_at(start);
                assert_eq!(Crc32::new().and(head).and(tail).value(), slowly(&bytes[..end]));
            }
        }
    }

    #[test]
    fn six_digits_hold_every_checksum() {
        assert!(62_u64.pow(6) > u64::from(u32::MAX));
        assert_eq!(&checksum(b""), b"000000");
        assert_eq!(&checksum(b"123456789"), b"3jZRME");
    }
}
