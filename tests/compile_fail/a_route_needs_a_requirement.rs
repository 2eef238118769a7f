// A need that is the name of something and decides nothing.

use portcullis::Principal;
use portcullis::gate::{Gate, get};

struct Administrators;

async fn read() {}

fn main() {
    let _ = Gate::<(), Principal>::new().guarded("/documents/{id}", get(read).needs::<Administrators>());
}
