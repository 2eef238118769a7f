// A key in a line of text.

use portcullis_apikey::ShowOnce;

fn show(key: ShowOnce) {
    println!("{key}");
}

fn main() {}
