// Methods in a list instead of a tuple.

use portcullis_jwt::JwtBearer;

fn both(header: JwtBearer, cookie: JwtBearer) {
    let _ = portcullis_core::any_of([header, cookie]);
}

fn main() {
    let _ = both;
}
