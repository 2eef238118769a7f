// A reading of a clock where the clock is expected.

use portcullis::Verifier;

fn main() {
    let _ = Verifier::builder().clock(std::time::SystemTime::now());
}
