//! Counts the allocations of one request of every case.
//!
//!     allocations             one line for each case
//!     allocations --who NAME  each allocation of one case, and the crates that asked for it

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};

use portcullis_bench::{cases, subject};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static TRACE: Cell<bool> = const { Cell::new(false) };
    static TRACES: RefCell<Vec<(usize, Backtrace)>> = const { RefCell::new(Vec::new()) };
}

fn count(size: usize) {
    COUNT.with(|count| count.set(count.get() + 1));
    if TRACE.replace(false) {
        let trace = Backtrace::force_capture();
        TRACES.with_borrow_mut(|traces| traces.push((size, trace)));
        TRACE.set(true);
    }
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    // A buffer that grows is counted each time.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => cases().iter().for_each(|case| report(&case.name())),
        [flag, name] if flag == "--who" => who(name),
        _ => panic!("allocations [--who NAME]"),
    }
}

fn report(name: &str) {
    let mut subject = subject(name);
    subject.prepare(1);
    let before = COUNT.get();
    subject.call();
    println!("allocations\t{name}\t{}", COUNT.get() - before);
}

fn who(name: &str) {
    let mut subject = subject(name);
    subject.prepare(1);
    TRACE.set(true);
    subject.call();
    TRACE.set(false);
    let traces = TRACES.take();
    println!("{name}: {} allocations", traces.len());
    for (size, trace) in traces {
        println!("{size:>6} bytes  {}", asked_by(&trace.to_string()).join(" < "));
    }
}

/// The functions between the allocator and the measurement, without those of the standard library.
fn asked_by(trace: &str) -> Vec<String> {
    let frames = trace.lines().filter_map(|line| {
        let (number, function) = line.trim().split_once(": ")?;
        number.parse::<usize>().ok().map(|_| function)
    });
    let requested = frames.take_while(|function| !function.contains("subject::InProcess"));
    let told = requested.filter(|function| {
        let plain = function.trim_start_matches(['<', '&', '(']);
        let own = [
            "std::",
            "core::",
            "alloc::",
            "allocations::",
            "hashbrown::",
            "T as ",
            "u8 as ",
            "__",
        ];
        !own.iter().any(|own| plain.starts_with(own)) && plain.contains("::")
    });
    told.take(2).map(str::to_owned).collect()
}
