// Every method there is, public by the word for some.

use portcullis::Principal;
use portcullis::gate::{Gate, any};

async fn echo() {}

fn main() {
    let _ = Gate::<(), Principal>::new().guarded("/echo", any(echo).public());
}
