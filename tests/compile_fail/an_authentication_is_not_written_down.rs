// Evidence out of thin air.

use portcullis_core::{Authentication, Principal};

fn main() {
    let _ = Authentication {
        principal: Principal::new("https://issuer.test", "mallory"),
    };
}
