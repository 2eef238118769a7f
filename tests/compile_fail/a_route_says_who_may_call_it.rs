// A method was added to a guarded route, and its need forgotten.

use portcullis::gate::{Gate, get};
use portcullis::{Principal, SignedIn};

async fn read() {}
async fn remove() {}

fn main() {
    let documents = get(read).needs::<SignedIn>().delete(remove);
    let _ = Gate::<(), Principal>::new().guarded("/documents/{id}", documents);
}
