//! Serves over HTTP on a free port of 127.0.0.1, prints the port, and stops when its input ends.
//!
//!     serve bare | ours WHAT | PEER

fn main() {}
