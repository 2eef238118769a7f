// Every method there is, public as a matter of course.

use portcullis::Principal;
use portcullis::gate::{Gate, any};

async fn echo() {}

fn main() {
    let _ = Gate::<(), Principal>::new().public("/echo", any(echo));
}
