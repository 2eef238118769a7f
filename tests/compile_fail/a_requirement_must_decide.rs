// A place that asks for something which is no requirement.

use portcullis_core::{Outcome, Principal};

struct Admin;

fn decide(outcome: &Outcome<Principal>) -> bool {
    outcome.require_that::<Admin>().is_ok()
}

fn main() {
    let _ = decide;
}
