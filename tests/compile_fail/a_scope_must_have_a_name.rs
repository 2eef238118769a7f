// A type that names no scope.

use portcullis_core::{HasScope, Caller, Principal};

struct DocumentsRead;

fn decide(caller: &Caller<Principal>) -> bool {
    caller.require::<HasScope<DocumentsRead>>().is_ok()
}

fn main() {
    let _ = decide;
}
