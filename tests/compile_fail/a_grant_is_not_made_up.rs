// A grant without a decision.

use std::marker::PhantomData;

use portcullis_core::Granted;

struct CanDelete;

fn main() {
    let _: Granted<u8, CanDelete> = Granted {
        object: 7,
        action: PhantomData,
    };
}
