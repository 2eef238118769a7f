// A list of documents that went to the client as it was loaded.

use portcullis_core::Guarded;

fn main() {
    let documents = Guarded::new(vec!["secret"]);
    let _ = serde_json::to_string(&documents);
}
