// `IsOwner` of something that has no owner.

use portcullis_core::policy::IsOwner;
use portcullis_core::{AuthError, Authentication, Caller, Guarded, Principal};

struct Invoice;

pub fn handler(caller: Caller<Principal>, invoice: Guarded<Invoice>) -> Result<(), AuthError> {
    let _: &Authentication<Principal> = &caller;
    invoice.authorize(&caller, IsOwner).map(drop)
}

fn main() {}
