//! Ids of sessions: secrets of 256 bits.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::Secret;
use portcullis_seal::{NoRandomness, Peppers, Randomness};
use portcullis_store::{Kind, RecordKey, StoreError};
use zeroize::Zeroizing;

/// Under which kind the store keeps sessions.
pub(crate) const KIND: Kind = Kind::new("session");

const LEN: usize = 32;
const TEXT_LEN: usize = 43;

/// What the cookie holds. Without a meaning, and never stored: the record is found by its digest.
#[derive(Clone)]
pub(crate) struct SessionId(Secret<[u8; LEN]>);

impl SessionId {
    pub(crate) fn random(randomness: &dyn Randomness) -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new([0; LEN]);
        randomness.fill(&mut *bytes)?;
        Ok(Self(Secret::new(*bytes)))
    }

    /// Reads what [`encode`](Self::encode) wrote, and nothing else: one id has one text.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        if text.len() != TEXT_LEN {
            return None;
        }
        let mut room = Zeroizing::new([0; LEN + 1]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut *room).ok()?;
        let bytes: &[u8; LEN] = room.get(..length)?.try_into().ok()?;
        Some(Self(Secret::new(*bytes)))
    }

    pub(crate) fn encode(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.expose()))
    }

    /// Where its record is created.
    pub(crate) fn key(&self, peppers: &Peppers) -> Result<RecordKey, StoreError> {
        RecordKey::new(KIND, peppers.digest(&self.0).as_bytes())
    }

    /// Where its record may be, the likeliest place first.
    pub(crate) fn keys(&self, peppers: &Peppers) -> impl Iterator<Item = Result<RecordKey, StoreError>> {
        peppers
            .digests(&self.0)
            .map(|digest| RecordKey::new(KIND, digest.as_bytes()))
    }

    /// A key for another end than finding the record.
    pub(crate) fn mac_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.0.expose())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

#[cfg(test)]
mod tests {
    use portcullis_seal::SystemRandomness;

    use super::*;

    /// Gives out its bytes, which nobody could.
    #[derive(Debug)]
    struct Counting;

    impl Randomness for Counting {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
            (1..).zip(buffer).for_each(|(next, byte)| *byte = next);
            Ok(())
        }
    }

    /// SE1: 256 bits, all of them of the source, and no two alike.
    #[test]
    fn asvs_7_2_3_an_id_is_nothing_but_randomness() {
        let id = SessionId::random(&Counting).expect("randomness");
        let expected: Vec<u8> = (1..=32).collect();
        assert!(id.0.ct_eq(&expected));
        let ids: std::collections::HashSet<_> = (0..1_000)
            .map(|_| {
                SessionId::random(&SystemRandomness::new())
                    .expect("randomness")
                    .encode()
                    .to_string()
            })
            .collect();
        assert_eq!(ids.len(), 1_000);
    }

    /// SE1
    #[test]
    fn an_id_is_read_as_it_was_written_and_nothing_else_is() {
        let id = SessionId::random(&SystemRandomness::new()).expect("randomness");
        let text = id.encode();
        assert_eq!(text.len(), TEXT_LEN);
        let read = SessionId::decode(&text).expect("an id");
        assert!(read.0.ct_eq(id.0.expose()));
        let zeros = "A".repeat(TEXT_LEN);
        assert!(SessionId::decode(&zeros).is_some());
        for broken in [
            String::new(),
            "A".repeat(TEXT_LEN - 1),
            "A".repeat(TEXT_LEN + 1),
            format!("{}=", "A".repeat(TEXT_LEN - 1)),
            format!("{}B", "A".repeat(TEXT_LEN - 1)),
            format!("+{}", "A".repeat(TEXT_LEN - 1)),
            format!("é{}", "A".repeat(TEXT_LEN - 2)),
        ] {
            assert!(SessionId::decode(&broken).is_none(), "{broken}");
        }
        assert_eq!(format!("{id:?}"), "SessionId(..)");
    }
}
