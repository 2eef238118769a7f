// A scope whose name no scope token can be (RFC 6749 §3.3): two words.

use portcullis_core::{Authentication, Decision, HasScope, Principal, Requirement, Scope};

struct DocumentsRead;

impl Scope for DocumentsRead {
    const NAME: &str = "documents read";
}

fn decide(caller: &Authentication<Principal>) -> Decision {
    HasScope::<DocumentsRead>::decide(caller)
}

fn main() {
    let _ = decide as fn(&Authentication<Principal>) -> Decision;
}
