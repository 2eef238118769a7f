// A type that names no role.

use portcullis_core::{HasRole, Outcome, Principal};

struct Admin;

fn decide(outcome: &Outcome<Principal>) -> bool {
    outcome.require_that::<HasRole<Admin>>().is_ok()
}

fn main() {
    let _ = decide;
}
