//! Counts the instructions of one request of every case, under callgrind.

use std::hint::black_box;

use gungraun::prelude::*;
use gungraun::{Callgrind, main};
use portcullis_bench::{Subject, cases, subject};

fn names() -> Vec<String> {
    cases().iter().map(|case| case.name()).collect()
}

fn prepared(name: String) -> Box<dyn Subject> {
    let mut subject = subject(&name);
    // The allocator sorts what the warm-up freed when it is next asked for something large; not in the
    // one call that counts.
    for _ in 0..4 {
        subject.prepare(1);
        subject.call();
    }
    subject.prepare(1);
    subject
}

// Hands the subject back, so that it is not dropped within the measurement.
#[library_benchmark]
#[benches::all(iter = names(), setup = prepared)]
fn request(mut subject: Box<dyn Subject>) -> Box<dyn Subject> {
    subject.call();
    black_box(subject)
}

library_benchmark_group!(name = requests, benchmarks = request);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = requests
);
