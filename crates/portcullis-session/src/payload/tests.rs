use portcullis_core::{Factor, Principal, Scopes};

use super::*;

const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn head() -> Head {
    Head::new(at(1_000), Duration::from_secs(60), [7; HANDLE_LEN])
}

fn account() -> Account {
    let mut account = Account::new(Principal::new("https://issuer.example", "alice"), at(900));
    account.acr = Some("gold".to_owned());
    account.scopes = Scopes::parse("a b").expect("scopes");
    account.roles = ["admin", "editor"].into_iter().collect();
    account.factors = vec![Factor::new("pwd", Some(at(900))), Factor::new("otp", None)];
    account.device = Some("A browser".to_owned());
    account
}

#[test]
fn what_was_written_is_read() {
    let mut entries = Entries::default();
    entries.set(EntryKind::Data, "a", b"1");
    entries.set(EntryKind::Flash, "a", b"2");
    entries.set(EntryKind::Data, "b", b"3");
    entries.set(EntryKind::Data, "a", b"4");
    let encoded = account().encode().expect("an account");
    let payload = head().persistent(true).payload(&encoded, &entries).expect("fits");
    let view = View::of(&payload).expect("readable");
    assert!(view.head.is_persistent() && view.head.is_signed_in() && !view.head.is_superseded());
    assert_eq!(view.head.started_at, at(1_000));
    assert_eq!(view.head.idle, Duration::from_secs(60));
    let find = |kind, name| Entries::find(view.raw_entries(), kind, name).expect("readable");
    assert_eq!(find(EntryKind::Data, "a"), Some(&b"4"[..]));
    assert_eq!(find(EntryKind::Flash, "a"), Some(&b"2"[..]));
    assert_eq!(find(EntryKind::Flash, "b"), None);
    let read = view.account().expect("readable").expect("somebody");
    assert_eq!(read.principal, account().principal);
    assert_eq!(read.factors, account().factors);
    assert_eq!((read.scopes, read.roles), (account().scopes, account().roles));
    assert_eq!(read.authenticated_at, at(900));
    assert_eq!(
        (read.acr.as_deref(), read.device.as_deref()),
        (Some("gold"), Some("A browser"))
    );
    assert_eq!(read.address, None);
}

#[test]
fn a_payload_that_is_cut_or_of_another_format_is_unreadable_and_none_panics() {
    let mut entries = Entries::default();
    entries.set(EntryKind::Data, "name", b"\"value\"");
    let encoded = account().encode().expect("an account");
    let whole = head().payload(&encoded, &entries).expect("fits");
    let good = |bytes: &[u8]| {
        let payload = Payload::new(bytes).expect("short");
        let view = View::of(&payload)?;
        view.entries()?;
        view.account().map(|_| ())
    };
    assert!(good(whole.as_bytes()).is_ok());
    let without_entries = 34 + encoded.len();
    for end in 0..whole.as_bytes().len() {
        let cut = &whole.as_bytes()[..end];
        assert_eq!(good(cut).is_ok(), end == without_entries, "{end}");
    }
    let mut other = whole.as_bytes().to_vec();
    other[0] = 2;
    assert_eq!(
        good(&other).map_err(|error| error.kind()),
        Err(SessionErrorKind::Unreadable)
    );
}

#[test]
fn a_superseded_record_names_its_successor_and_nobody() {
    let key = RecordKey::new(Kind::new("session"), [9; 32]).expect("a key");
    let payload = head().superseded_by(&key).expect("fits");
    let view = View::of(&payload).expect("readable");
    assert_eq!(view.successor(Kind::new("session")), Some(key));
    assert!(view.account().expect("readable").is_none());
    let plain = head().payload(&[], &Entries::default()).expect("fits");
    assert!(
        View::of(&plain)
            .expect("readable")
            .successor(Kind::new("session"))
            .is_none()
    );
}
