//! One SHA-256 alone: what a stored secret cannot be found without.

use std::hint::black_box;

use aws_lc_rs::digest::{SHA256, digest};

use crate::Subject;

/// As much as is hashed for one request.
pub(crate) struct Sha256(Vec<u8>);

impl Sha256 {
    pub(crate) fn new(length: usize) -> Self {
        let mut this = Self(vec![b'x'; length]);
        this.call();
        this
    }
}

impl Subject for Sha256 {
    fn prepare(&mut self, _: usize) {}

    fn call(&mut self) {
        black_box(digest(&SHA256, black_box(&self.0)));
    }
}
