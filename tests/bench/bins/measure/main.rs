//! Everything but allocations, whose counting would slow the rest down.
//!
//!     measure times [ROUNDS]             ratios of times (300 rounds)
//!     measure serve bare | ours WHAT     a server for the load from outside
//!     measure serve bare07 | PEER
//!     measure token                      the token to send to it

mod serve;
mod times;

use portcullis_bench::Fixture;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &words[..] {
        ["times"] => times::run(300),
        ["times", rounds] => times::run(rounds.parse().expect("a number")),
        ["serve", what @ ..] => serve::run(what),
        ["token"] => println!("{}", Fixture::of("RS256").token),
        _ => panic!("see the first lines of bins/measure/main.rs"),
    }
}
