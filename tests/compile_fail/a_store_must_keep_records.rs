// A map is no store: it knows neither expiry nor versions.

use std::collections::HashMap;

use portcullis_store::ReplayGuard;
use portcullis_store::Kind;

fn main() {
    let map: HashMap<String, String> = HashMap::new();
    let _ = ReplayGuard::new(map, Kind::new("proof"));
}
