//! Where a record is: all of a bucket is in one slot of a cluster.

use portcullis_store::RecordKey;

/// The hashes of the buckets, whose names carry the tag by which a cluster places them.
#[derive(Debug)]
pub(crate) struct Buckets(Vec<Vec<u8>>);

impl Buckets {
    /// So many, one at least.
    pub(crate) fn new(prefix: &str, number: u16) -> Self {
        let names = (0..number.max(1)).map(|bucket| format!("{{{prefix}:{bucket}}}").into_bytes());
        Self(names.collect())
    }

    pub(crate) fn number(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// The bucket of a record.
    pub(crate) fn of(&self, key: &RecordKey) -> &[u8] {
        let number = u64::try_from(self.0.len()).unwrap_or(u64::MAX).max(1);
        let place = usize::try_from(hash(key) % number).unwrap_or_default();
        self.0.get(place).map(Vec::as_slice).unwrap_or_default()
    }
}

/// FNV-1a with a last mixing, over the kind, a byte that ends it, and the id. Part of the stored data: never changed.
fn hash(key: &RecordKey) -> u64 {
    let kind = key.kind().as_str().bytes();
    let bytes = kind.chain([0xff]).chain(key.id().iter().copied());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use portcullis_store::Kind;

    use super::*;

    fn key(kind: &'static str, id: &[u8]) -> RecordKey {
        RecordKey::new(Kind::new(kind), id).expect("a key")
    }

    #[test]
    fn a_record_is_always_in_the_same_bucket() {
        let buckets = Buckets::new("portcullis", 16);
        // Stored data depend on these.
        assert_eq!(hash(&key("session", b"a")), hash(&key("session", b"a")));
        assert_eq!(
            buckets.of(&key("session", b"a")),
            Buckets::new("portcullis", 16).of(&key("session", b"a"))
        );
        assert_eq!(
            Buckets::new("portcullis", 1).of(&key("session", b"a")),
            b"{portcullis:0}"
        );
        assert_ne!(hash(&key("session", b"a")), hash(&key("sessio", b"na")));
    }

    #[test]
    fn records_are_spread_over_all_buckets() {
        let buckets = Buckets::new("portcullis", 16);
        let used: std::collections::BTreeSet<Vec<u8>> = (0..1_000_u32)
            .map(|id| buckets.of(&key("session", &id.to_be_bytes())).to_vec())
            .collect();
        assert_eq!(used.len(), 16);
    }
}
