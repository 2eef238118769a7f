//! CRC-32, and numbers in base62.

/// The digits, in the order of their values.
pub(crate) const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many base62 digits a CRC-32 has.
pub(crate) const LEN: usize = 6;

const TABLE: [u32; 256] = table();

#[allow(clippy::indexing_slicing)] // Evaluated by the compiler, which would say so.
const fn table() -> [u32; 256] {
    let mut table = [0_u32; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0xedb8_8320
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

/// The CRC-32 of IEEE 802.3, as in gzip and PNG.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let folded = bytes.iter().fold(u32::MAX, |state, byte| {
        let [low, ..] = state.to_le_bytes();
        let entry = TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default();
        (state >> 8) ^ entry
    });
    !folded
}

/// The checksum of what stands before it, the most significant digit first.
pub(crate) fn checksum(bytes: &[u8]) -> [u8; LEN] {
    let mut rest = crc32(bytes);
    let mut text = [b'0'; LEN];
    for place in text.iter_mut().rev() {
        *place = digit((rest % 62) as u8);
        rest /= 62;
    }
    text
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
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn six_digits_hold_every_checksum() {
        assert!(62_u64.pow(6) > u64::from(u32::MAX));
        assert_eq!(&checksum(b""), b"000000");
        assert_eq!(&checksum(b"123456789"), b"3jZRME");
    }
}
