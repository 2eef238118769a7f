// Evidence out of thin air.

use portcullis_core::{Authentication, Method, Principal};

fn main() {
    let _ = Authentication {
        principal: Principal::new("https://issuer.test", "mallory"),
        method: Method::JWT,
    };
}
