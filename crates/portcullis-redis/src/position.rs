//! A place in the logs of all buckets.

use portcullis_store::changes::LogPosition;

/// The place in the log of one bucket: which log, which entry was the last, and its stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) log: String,
    pub(crate) number: u64,
    pub(crate) stamp: String,
}

pub(crate) fn written(places: &[Place]) -> LogPosition {
    let text = |place: &Place| format!("{}:{}:{}", place.log, place.number, place.stamp);
    let places: Vec<String> = places.iter().map(text).collect();
    LogPosition::new(places.join(";").into_bytes())
}

/// The places, one for each of so many buckets. `None` for what this module did not write for them.
pub(crate) fn places(position: &LogPosition, buckets: usize) -> Option<Vec<Place>> {
    let text = std::str::from_utf8(position.as_bytes()).ok()?;
    let places: Option<Vec<Place>> = text.split(';').map(place).collect();
    places.filter(|places| places.len() == buckets)
}

fn place(text: &str) -> Option<Place> {
    let mut parts = text.split(':');
    let (log, number, stamp) = (parts.next()?, parts.next()?, parts.next()?);
    let place = Place {
        log: log.to_owned(),
        number: number.parse().ok()?,
        stamp: stamp.to_owned(),
    };
    (parts.next().is_none() && !log.is_empty()).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_and_another_log_s_is_none() {
        let of = |text: &str| LogPosition::new(text.as_bytes());
        for sound in ["e:0:", "e:7:5.f"] {
            let read = places(&of(sound), 1).expect("a place");
            assert_eq!(written(&read), of(sound));
        }
        assert!(places(&of("e:7:5;f:0:"), 2).is_some());
        for broken in ["", "e", "e:7", "e:x:5", ":7:5", "e:7:5:9", "e:7:5;f:0:"] {
            assert!(places(&of(broken), 1).is_none(), "{broken}");
        }
    }
}
