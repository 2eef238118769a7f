// A file's name where keys are looked up.

use portcullis_apikey::{ApiKeyFormat, ApiKeys};

fn main() {
    let format = ApiKeyFormat::new("sk").unwrap();
    let _ = ApiKeys::find(format, "keys.json");
}
