// A place that asks for something which is no requirement.

use portcullis_core::{Caller, Principal};

struct Admin;

fn decide(caller: &Caller<Principal>) -> bool {
    caller.require::<Admin>().is_ok()
}

fn main() {
    let _ = decide;
}
