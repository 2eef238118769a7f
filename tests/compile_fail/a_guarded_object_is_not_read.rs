// A loaded document shown before anybody decided.

use portcullis_core::Guarded;

struct Document {
    title: &'static str,
}

fn main() {
    let document = Guarded::new(Document { title: "secret" });
    println!("{}", document.title);
}
