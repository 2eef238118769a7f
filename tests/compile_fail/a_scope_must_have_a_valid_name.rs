// A scope whose name no scope token can be (RFC 6749 §3.3): two words.

use portcullis_core::{HasScope, Outcome, Principal, Scope};

struct DocumentsRead;

impl Scope for DocumentsRead {
    const NAME: &str = "documents read";
}

fn decide(outcome: &Outcome<Principal>) -> bool {
    outcome.require_that::<HasScope<DocumentsRead>>().is_ok()
}

fn main() {
    let _ = decide as fn(&Outcome<Principal>) -> bool;
}
