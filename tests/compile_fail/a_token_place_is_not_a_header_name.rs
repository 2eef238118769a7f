// A header's name where a place is expected.

use portcullis_core::{Challenge, Scheme};
use portcullis_jwt::JwtBearer;

fn configure(bearer: JwtBearer) {
    let _ = bearer.in_place("x-access-token", [], Challenge::new(Scheme::BEARER));
}

fn main() {
    let _ = configure;
}
