// Reading was granted, and deleting is done.

use portcullis_core::Granted;

struct CanRead;
struct CanDelete;

fn delete(_: Granted<u8, CanDelete>) {}

pub fn handler(document: Granted<u8, CanRead>) {
    delete(document);
}

fn main() {}
