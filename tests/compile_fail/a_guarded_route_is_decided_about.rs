// A guarded route that demands nothing of anybody.

use portcullis::Principal;
use portcullis::gate::{Gate, get};

async fn read() {}

fn main() {
    let _ = Gate::<(), Principal>::new().guarded("/documents/{id}", get(read));
}
