// A type that names no scope.

use portcullis_core::{HasScope, Outcome, Principal};

struct DocumentsRead;

fn decide(outcome: &Outcome<Principal>) -> bool {
    outcome.require_that::<HasScope<DocumentsRead>>().is_ok()
}

fn main() {
    let _ = decide;
}
