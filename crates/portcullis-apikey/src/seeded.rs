//! Hashing of ids on the way of every request.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Multiplies what it hashes with a secret of its own, and folds the product: a few instructions, where SipHash takes a hundred.
///
/// That is no cryptography. It is enough here: only keys whose secret was right come into a table, their ids are random or
/// digests, and what clients make up is looked for and not put there. Without the seed nobody can say which ids meet.
#[derive(Clone)]
pub(crate) struct Seeded {
    start: u64,
    factor: u64,
}

impl Default for Seeded {
    fn default() -> Self {
        let random = RandomState::new();
        Self {
            start: random.hash_one(0_u8),
            factor: random.hash_one(1_u8) | 1,
        }
    }
}

impl BuildHasher for Seeded {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        Folding {
            state: self.start,
            factor: self.factor,
        }
    }
}

pub(crate) struct Folding {
    state: u64,
    factor: u64,
}

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.state ^ number) * u128::from(self.factor);
        // Both halves depend on every bit.
        self.state = (product as u64) ^ ((product >> 64) as u64);
    }

    fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyId;

    #[test]
    fn an_id_has_one_hash_and_with_another_seed_another() {
        let id: KeyId = "0123456789abcdEF".parse().expect("an id");
        let (one, two) = (Seeded::default(), Seeded::default());
        assert_eq!(one.hash_one(id), one.hash_one(id));
        assert_ne!(one.hash_one(id), two.hash_one(id));
    }

    /// What one half gains and the other loses is no collision without the seed.
    #[test]
    fn ids_that_differ_in_both_ends_differ_in_their_hash() {
        let id = |first: u64, last: u64| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&first.to_le_bytes());
            bytes[24..].copy_from_slice(&last.to_le_bytes());
            KeyId::foreign(bytes)
        };
        let seed = Seeded::default();
        let mut hashes: Vec<u64> = (0..1_000_u64)
            .map(|number| seed.hash_one(id(number << 32, 1_000 - number)))
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 1_000);
    }

    /// Shards are chosen by the upper half, and tables use both ends. Numbers in a row are harder than the random ids of keys.
    #[test]
    fn ids_are_spread_evenly_over_every_part_of_the_hash() {
        let seed = Seeded::default();
        for shift in [0, 16, 32, 36, 57] {
            let mut counts = [0_u32; 16];
            for number in 0..16_000_u32 {
                let text = format!("{number:016}");
                let id: KeyId = text.parse().expect("an id");
                counts[(seed.hash_one(id) >> shift) as usize % 16] += 1;
            }
            assert!(
                counts.iter().all(|count| (100..4_000).contains(count)),
                "{shift}: {counts:?}"
            );
        }
    }
}
