//! What a remembered key allocates. Whole requests are counted where the layers are.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use portcullis_apikey::ApiKeys;
use portcullis_core::AuthenticateRequest;

use self::support::*;

#[test]
fn a_remembered_key_is_parsed_compared_and_answered_without_an_allocation() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (keys, parts) = runtime.block_on(async {
        let app = App::new();
        let (_, key) = app.key().await;
        let keys = app.keys();
        let parts = with_key(&key);
        assert!(decide(&keys, &parts).await.is_ok());
        (keys, parts)
    });
    for _ in 0..2 {
        let _ = ApiKeys::verdict_now(keys.authenticate_request(&parts));
    }
    let counted = allocation_counter::measure(|| {
        let presence = keys.presence(&parts);
        let verdict = ApiKeys::verdict_now(keys.authenticate_request(&parts));
        assert!(
            verdict.is_ok_and(|verdict| verdict.is_ok_and(|found| found.is_some())),
            "{presence:?}"
        );
    });
    assert_eq!(counted.count_total, 0);
}
