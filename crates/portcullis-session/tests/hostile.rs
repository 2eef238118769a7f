//! What the store holds was written by somebody else, or by an enemy: nothing panics, and nobody is let in by accident.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use portcullis_core::AuthError;
use portcullis_session::Session;
use portcullis_store::{Kind, Owner, Payload, Record, RecordStore, Replacement};
use support::{House, get, house, is_deleted, set_cookie, sign_in_of, who};

async fn record(house: &House) -> Record {
    let owner = Owner::new("16:https://app.testalice").expect("an owner");
    let list = house
        .store
        .memory
        .list_owned_by(Kind::new("session"), &owner)
        .await;
    list.expect("listed").into_iter().next().expect("one")
}

async fn write(house: &House, record: &Record, bytes: Vec<u8>) {
    let with = Replacement::new(Payload::new(bytes).expect("short"));
    let memory = &house.store.memory;
    memory
        .replace(record.key(), record.version(), with)
        .await
        .expect("replaced");
}

async fn everything(session: Session) -> Result<(), AuthError> {
    let _ = session.principal().await;
    let _ = session.get::<String>("diary").await;
    let _ = session.insert("other", &1).await;
    let _ = session.save().await;
    let _ = session.csrf_token().await;
    let _ = session.step_up("otp").await;
    let _ = session.rotate().await;
    let _ = session.sign_out().await;
    Ok(())
}

#[tokio::test]
async fn no_byte_of_a_payload_makes_anything_panic_or_anybody_somebody_else() {
    let length = {
        let house = house();
        house.sign_in(sign_in_of("alice")).await;
        record(&house).await.payload().as_bytes().len()
    };
    for at in 0..length + 8 {
        for value in [0, 1, 2, 4, 8, 12, 15, 127, 255] {
            let house = house();
            let cookie = house.sign_in(sign_in_of("alice")).await;
            let put = |session: Session| async move { Ok(session.insert("diary", "x").await?) };
            house.ask(get(&[&cookie]), put).await;
            let kept = record(&house).await;
            let mut bytes = kept.payload().as_bytes().to_vec();
            let Some(byte) = bytes.get_mut(at) else {
                continue;
            };
            *byte = value;
            write(&house, &kept, bytes).await;
            let _ = house.sessions.list(&who("alice")).await;
            house.ask(get(&[&cookie]), everything).await;
            let _ = house.sessions.revoke_all(&who("alice")).await;
            house.advance(1);
            assert!(house.store.memory.len() <= 3);
        }
    }
}

/// Of a later version, say: the first try ends it, and the second one signs in.
#[tokio::test]
async fn a_session_that_cannot_be_read_is_ended_by_a_sign_in_and_by_a_sign_out() {
    for out in [true, false] {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        let kept = record(&house).await;
        write(&house, &kept, vec![9; 40]).await;
        let look = |session: Session| async move {
            session.principal().await?;
            Ok(())
        };
        assert_eq!(house.ask(get(&[&cookie]), look).await.status(), 503);
        let answer = house
            .ask(get(&[&cookie]), move |session| async move {
                match out {
                    true => session.sign_out().await?,
                    false => session.sign_in(sign_in_of("alice")).await?,
                }
                Ok(())
            })
            .await;
        assert!(is_deleted(&answer), "{out}");
        assert!(house.store.memory.is_empty(), "{out}");
        let again = |session: Session| async move { Ok(session.sign_in(sign_in_of("alice")).await?) };
        assert!(set_cookie(&house.ask(get(&[&cookie]), again).await).is_some());
    }
}

/// A chain that leads back to itself is nobody's session, and can be ended.
#[tokio::test]
async fn a_record_that_succeeds_itself_is_no_session() {
    for flags in [4, 12] {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        let kept = record(&house).await;
        let mut bytes = kept.payload().as_bytes()[..30].to_vec();
        bytes[1] = flags;
        bytes.extend(32_u32.to_le_bytes());
        bytes.extend(kept.key().id());
        write(&house, &kept, bytes).await;
        assert_eq!(house.name_of(&cookie).await, None);
        let out = |session: Session| async move { Ok(session.sign_out().await?) };
        let answer = house.ask(get(&[&cookie]), out).await;
        assert_eq!(
            (answer.status().as_u16(), house.store.memory.is_empty()),
            (200, true)
        );
    }
}
