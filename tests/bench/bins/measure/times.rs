//! Times every case, interleaved within its group, and prints ratios: times themselves say something
//! about this machine today, and nothing about the code.
//!
//! A round times each case of a group once, a batch of requests each, so that whatever slows the machine
//! down slows all of them. The ratios are taken within a round; the median over all rounds is printed,
//! with the quartiles.

use std::collections::HashMap;
use std::time::Instant;

use portcullis_bench::{Case, Subject, cases, subject};

const BATCH: usize = 40;

/// Prints a line for each case and metric: metric, name, median, lower and upper quartile.
pub(crate) fn run(rounds: usize) {
    let mut groups: Vec<&str> = cases().iter().map(|case| case.group).collect();
    groups.dedup();
    let mut seen = Vec::new();
    for group in groups {
        if !seen.contains(&group) {
            seen.push(group);
            report(group, rounds);
        }
    }
}

fn report(group: &str, rounds: usize) {
    let cases: Vec<Case> = cases()
        .into_iter()
        .filter(|case| case.group == group && case.is_timed())
        .collect();
    let timed = time(&cases, rounds);
    let of = |who: &str| timed.get(format!("{group}/{who}").as_str());
    for case in cases.iter().filter(|case| !case.what.is_empty()) {
        let bare = if case.who == "jwt-authorizer" {
            of("bare07")
        } else {
            of("bare")
        };
        let bare = bare.expect("every group has a bare router");
        let name = case.name();
        let over_bare = |round: usize| timed[name.as_str()][round] - bare[round];
        print("time over bare / bare", &name, rounds, |round| {
            over_bare(round) / bare[round]
        });
        if let Some(signature) = of("signature") {
            let ratio = |round: usize| over_bare(round) / signature[round];
            print("time over bare / signature", &name, rounds, ratio);
        }
    }
}

/// Nanoseconds per call, by name and round.
fn time(cases: &[Case], rounds: usize) -> HashMap<String, Vec<f64>> {
    let mut subjects: Vec<(String, Box<dyn Subject>, Vec<f64>)> = cases
        .iter()
        .map(|case| (case.name(), subject(&case.name()), Vec::new()))
        .collect();
    for round in 0..rounds {
        // Nobody is always first.
        let shift = round % subjects.len();
        let (front, back) = subjects.split_at_mut(shift);
        for (_, subject, times) in back.iter_mut().chain(front) {
            times.push(batch(&mut **subject));
        }
    }
    subjects
        .into_iter()
        .map(|(name, _, times)| (name, times))
        .collect()
}

fn batch(subject: &mut dyn Subject) -> f64 {
    subject.prepare(BATCH + 5);
    (0..5).for_each(|_| subject.call());
    let start = Instant::now();
    (0..BATCH).for_each(|_| subject.call());
    start.elapsed().as_nanos() as f64 / BATCH as f64
}

fn print(metric: &str, name: &str, rounds: usize, ratio: impl Fn(usize) -> f64) {
    let mut all: Vec<f64> = (0..rounds).map(ratio).collect();
    all.sort_by(f64::total_cmp);
    let at = |share: f64| all[((rounds - 1) as f64 * share).round() as usize];
    println!(
        "{metric}\t{name}\t{:.4}\t{:.4}\t{:.4}",
        at(0.5),
        at(0.25),
        at(0.75)
    );
}
