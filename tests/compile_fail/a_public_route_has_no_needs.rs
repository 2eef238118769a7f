// A route that is public, of which one method is guarded.

use portcullis::gate::{Gate, get};
use portcullis::{Principal, SignedIn};

async fn read() {}
async fn remove() {}

fn main() {
    let documents = get(read).delete(remove).needs::<SignedIn>();
    let _ = Gate::<(), Principal>::new().public("/documents/{id}", documents);
}
