// One decision, two deletions.

use portcullis_core::Granted;

struct CanDelete;

fn delete(_: Granted<u8, CanDelete>) {}

pub fn handler(document: Granted<u8, CanDelete>) {
    delete(document);
    delete(document);
}

fn main() {}
