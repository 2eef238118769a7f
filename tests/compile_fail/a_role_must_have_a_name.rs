// A type that names no role.

use portcullis_core::{HasRole, Caller, Principal};

struct Admin;

fn decide(caller: &Caller<Principal>) -> bool {
    caller.require::<HasRole<Admin>>().is_ok()
}

fn main() {
    let _ = decide;
}
