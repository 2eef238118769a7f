//! Asking a session for something, with a store that answers at once and with one that does not.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use support::{get, house, sign_in_of};

/// A handler carries what it awaits, whether it comes to that or not.
#[tokio::test]
async fn whoever_asks_carries_no_room_for_the_store() {
    let house = house();
    let answer = house.ask(get(&[]), |session| async move {
        let sizes = [
            size_of_val(&session.get::<u64>("visits")),
            size_of_val(&session.take_flash::<u64>("visits")),
            size_of_val(&session.insert("visits", &1)),
            size_of_val(&session.remove("visits")),
            size_of_val(&session.principal()),
        ];
        assert!(sizes.iter().all(|size| *size <= 320), "{sizes:?}");
        Ok(())
    });
    assert_eq!(answer.await.status(), 200);
}

/// One look for all of a request, and whoever comes meanwhile waits for it.
#[tokio::test]
async fn who_asks_while_the_store_is_asked_gets_the_same_answer() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    house.store.calls();
    let ask = house.ask(get(&[&cookie]), |session| {
        let mut gate = house.store.hold("load");
        async move {
            let opens = async {
                gate.reached().await;
                gate.open();
            };
            let (first, second) = (session.clone(), session.clone());
            let (first, second, wrote, ()) = tokio::join!(
                first.principal(),
                second.principal(),
                session.insert("visits", &1),
                opens
            );
            wrote?;
            let (first, second) = (first?.expect("somebody"), second?.expect("somebody"));
            assert_eq!((first.subject(), &first), ("alice", &second));
            assert_eq!(session.get::<u64>("visits").await?, Some(1));
            Ok(())
        }
    });
    assert_eq!(ask.await.status(), 200);
    assert_eq!(house.store.calls(), ["load", "replace"]);
}
