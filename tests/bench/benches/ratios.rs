//! Every case with criterion, for whoever looks at one change: `cargo bench --bench ratios -- RS256/ours`.
//!
//! Criterion measures one case after the other, so that a machine that slows down in between changes the ratio.
//! The ratios of docs/PERFORMANCE.md are therefore taken by `measure times`, which lets the cases take turns.
//! Both measure the same subjects.

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use portcullis_bench::{Subject, cases, subject};

/// Requests that are prepared at once.
const BATCH: u64 = 200;

fn ratios(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    for case in cases() {
        let name = case.name();
        group.bench_with_input(BenchmarkId::from_parameter(&name), &name, |bencher, name| {
            let mut subject = subject(name);
            bencher.iter_custom(|calls| timed(&mut *subject, calls));
        });
    }
    group.finish();
}

/// What so many calls take; what prepares them is not counted.
fn timed(subject: &mut dyn Subject, calls: u64) -> Duration {
    let mut taken = Duration::ZERO;
    let mut left = calls;
    while left > 0 {
        let batch = left.min(BATCH);
        left -= batch;
        subject.prepare(usize::try_from(batch).expect("a small number"));
        let start = Instant::now();
        (0..batch).for_each(|_| subject.call());
        taken += start.elapsed();
    }
    taken
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = ratios
}
criterion_main!(benches);
