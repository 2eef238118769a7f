// A secret in a text that is meant to be read.

use portcullis_core::Secret;

fn main() {
    let secret = Secret::new("hunter2".to_owned());
    let _ = format!("{secret}");
}
