// Once for the page, and once for the log.

use portcullis_apikey::ShowOnce;

fn twice(key: ShowOnce) {
    let _ = key.reveal();
    let _ = key.reveal();
}

fn main() {}
