//! What logs and metrics say, and what they never say.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // Helpers of tests panic as tests do.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::Duration;

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use portcullis_jwks::RemoteKeySet;
use portcullis_jwt::{KeySet, RefreshReason};
use portcullis_test::{ManualClock, ScriptedFetch, SigningKey, TestIssuer, answer};
use serde_json::json;
use tracing::span;

use crate::support::{ISSUER, JWKS, Verdict, World, s};

mod support;

/// Metrics as text: `name{label=value}`.
#[derive(Clone, Debug, Default)]
struct Numbers(Arc<Mutex<BTreeMap<String, f64>>>);

#[derive(Debug)]
struct Cell(Numbers, String);

impl Numbers {
    fn cell(&self, key: &Key) -> Arc<Cell> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        Arc::new(Cell(
            self.clone(),
            format!("{}{{{}}}", key.name(), labels.join(",")),
        ))
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.lock().expect("not poisoned").get(name).copied()
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().expect("not poisoned").keys().cloned().collect()
    }
}

impl Cell {
    fn update(&self, change: impl FnOnce(f64) -> f64) {
        let mut numbers = self.0.0.lock().expect("not poisoned");
        let value = numbers.entry(self.1.clone()).or_default();
        *value = change(*value);
    }
}

impl CounterFn for Cell {
    fn increment(&self, by: u64) {
        self.update(|value| value + f64::from(u32::try_from(by).unwrap_or(u32::MAX)));
    }

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Cell {
    fn increment(&self, by: f64) {
        self.update(|value| value + by);
    }

    fn decrement(&self, by: f64) {
        self.update(|value| value - by);
    }

    fn set(&self, to: f64) {
        self.update(|_| to);
    }
}

impl metrics::Recorder for Numbers {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

type Hook = Arc<dyn Fn() + Send + Sync>;

/// Every event as a line of text. Calls a hook for each, as a log with ideas of its own might.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>, Option<Hook>);

impl Lines {
    fn all(&self) -> Vec<String> {
        self.0.lock().expect("not poisoned").clone()
    }
}

struct Line(String);

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        if !event.metadata().target().starts_with("portcullis") {
            return;
        }
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().expect("not poisoned").push(line.0);
        if let Some(hook) = &self.1 {
            hook();
        }
    }
}

/// Every key of a set, with members of every kind, and what of them must never be shown.
fn secrets(world: &World) -> Vec<String> {
    let rsa = SigningKey::rs256("rsa-kid");
    let shared = SigningKey::hs256("shared-kid");
    world.issuer.add_key(&rsa);
    world.issuer.publish_jwk(shared.secret_jwk());
    world
        .issuer
        .publish_jwk(SigningKey::es256("private-kid").secret_jwk());
    world
        .issuer
        .publish_jwk(json!({"kty": "EC", "kid": "broken-kid", "x": "evil-x"}));
    let jwks: serde_json::Value = serde_json::from_str(&world.issuer.jwks()).expect("JSON");
    let keys = jwks["keys"].as_array().expect("an array");
    let of = |name: &str| {
        keys.iter()
            .filter_map(move |jwk| jwk[name].as_str().map(str::to_owned))
            .collect()
    };
    ["x", "y", "n", "k", "d", "kid"]
        .map(|name: &str| -> Vec<String> { of(name) })
        .concat()
}

#[tokio::test(start_paused = true)]
async fn attempts_verdicts_and_keys_are_counted_under_the_issuers_name() {
    let numbers = Numbers::default();
    let _recording = metrics::set_default_local_recorder(&numbers);
    let world = World::with(RemoteKeySet::discover(ISSUER), TestIssuer::new(ISSUER));
    world.fetch.push(answer::status(500));
    world.fetch.push(answer::status(500));
    assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
    assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
    let keys = format!("portcullis_jwks_keys{{issuer={ISSUER}}}");
    let unavailable = format!("portcullis_jwks_unavailable_total{{issuer={ISSUER}}}");
    let fetches = |outcome| format!("portcullis_jwks_fetches_total{{issuer={ISSUER},outcome={outcome}}}");
    assert_eq!(numbers.get(&fetches("failed")), Some(1.0));
    assert_eq!(numbers.get(&unavailable), Some(2.0));
    assert_eq!(numbers.get(&keys), Some(0.0));

    world.pass(s(60)).await;
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.settle().await;
    assert_eq!(numbers.get(&fetches("replaced")), Some(1.0));
    assert_eq!(numbers.get(&keys), Some(1.0));

    world.pass(s(500)).await;
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.settle().await;
    assert_eq!(numbers.get(&fetches("not_modified")), Some(1.0));
    assert_eq!(numbers.get(&unavailable), Some(2.0));
    assert_eq!(numbers.names().len(), 5, "{:?}", numbers.names());
}

#[tokio::test(start_paused = true)]
async fn what_became_of_an_import_is_counted_and_logged() {
    let (lines, numbers) = (Lines::default(), Numbers::default());
    let world = World::warm().await;
    let snapshot = world.keys.export().expect("there are keys");
    let _logging = tracing::subscriber::set_default(lines.clone());
    let _recording = metrics::set_default_local_recorder(&numbers);
    let start = |clock| {
        let builder = RemoteKeySet::at(JWKS).fetch(ScriptedFetch::new()).clock(clock);
        builder.import(snapshot.clone()).build().expect("the same source")
    };
    let at = snapshot.fetched_at().as_unix_seconds();
    let keys = format!("portcullis_jwks_keys{{issuer={JWKS}}}");
    for (now, outcome, level, shown) in [
        (at - 1, "future", "WARN", None),
        (at + 4200, "dead", "WARN", None),
        (at, "taken", "INFO", Some(1.0)),
    ] {
        drop(start(ManualClock::at(now)));
        let imports = format!("portcullis_jwks_imports_total{{issuer={JWKS},outcome={outcome}}}");
        assert_eq!(numbers.get(&imports), Some(1.0), "{outcome}");
        assert_eq!(numbers.get(&keys), shown, "{outcome}");
        let line = lines.all().pop().expect("a line");
        assert!(line.starts_with(level) && line.contains(JWKS), "{line}");
        assert!(!line.contains("key-1"), "{line}");
    }
    assert_eq!(lines.all().len(), 3);
}

/// R4, in the log: neither key material nor what a caller sent
#[tokio::test(start_paused = true)]
async fn no_log_line_and_no_metric_holds_key_material_or_a_key_id() {
    let (lines, numbers) = (Lines::default(), Numbers::default());
    let _logging = tracing::subscriber::set_default(lines.clone());
    let _recording = metrics::set_default_local_recorder(&numbers);
    let world = World::cold();
    let secrets = secrets(&world);
    assert!(secrets.len() > 10);
    world.keys.warm().await.expect("the issuer answers");
    world.pass(s(30)).await;
    assert_eq!(world.ask("evil-kid").await, Verdict::Unknown);
    let broken = world.issuer.jwks().replace("\"keys\"", "\"sleutels\"");
    world.fetch.push(answer::json(broken));
    world.pass(s(30)).await;
    assert!(matches!(world.ask("evil-kid").await, Verdict::Unavailable(_)));

    let mut shown = lines.all();
    assert_eq!(shown.len(), 2, "{shown:#?}");
    assert!(
        shown[0].starts_with("WARN") && shown[0].contains("private: 2"),
        "{shown:#?}"
    );
    assert!(shown[1].contains("error=\"key_set\"") && shown[1].contains("not a JWK set"));
    shown.extend(numbers.names());
    shown.push(format!("{:?} {:?}", world.keys, world.keys.status()));
    for shown in shown {
        for secret in secrets.iter().map(String::as_str).chain(["evil-kid"]) {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn keys_left_out_are_reported_when_they_change_and_not_with_every_fetch() {
    let lines = Lines::default();
    let _logging = tracing::subscriber::set_default(lines.clone());
    let world = World::cold();
    world.issuer.publish_jwk(json!({"kty": "quantum"}));
    world.keys.warm().await.expect("the issuer answers");
    for publish in [false, true, false] {
        if publish {
            world.issuer.publish_jwk(json!({"kty": "quantum"}));
        } else {
            world.issuer.rotate();
        }
        world.pass(s(500)).await;
        assert_eq!(world.ask("key-1").await, Verdict::Known);
        world.settle().await;
    }
    assert_eq!(
        (world.fetch.arrived(), lines.all().len()),
        (4, 2),
        "{:#?}",
        lines.all()
    );
}

/// A query may be a credential.
#[tokio::test(start_paused = true)]
async fn the_query_of_an_address_is_sent_and_not_shown() {
    let (lines, numbers) = (Lines::default(), Numbers::default());
    let _logging = tracing::subscriber::set_default(lines.clone());
    let _recording = metrics::set_default_local_recorder(&numbers);
    let address = format!("{JWKS}?api-key=s3cret");
    let builder = RemoteKeySet::at(&*address);
    assert!(!format!("{builder:?}").contains("s3cret"));
    let mistaken = RemoteKeySet::at("https://user:s3cret@issuer.test/").fetch(ScriptedFetch::new());
    assert!(!format!("{mistaken:?}").contains("s3cret"));
    assert!(!format!("{:?}", mistaken.build()).contains("s3cret"));

    let world = World::with(builder, TestIssuer::new(ISSUER));
    world.fetch.push(answer::status(500));
    assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
    assert_eq!(world.fetch.request_uris(), [&*address]);
    let shown = format!("{:?} {:?} {:?}", lines.all(), numbers.names(), world.keys);
    assert!(shown.contains(JWKS) && !shown.contains("s3cret"), "{shown}");
}

/// A log that writes the state of the keys next to each line.
#[test]
fn a_log_that_looks_at_the_set_does_not_lock_it_up() {
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let own = Arc::new(OnceLock::<RemoteKeySet>::new());
        let seen = Arc::clone(&own);
        let hook: Hook = Arc::new(move || {
            let keys = seen.get().expect("set before the first event");
            assert!(!keys.status().fetching, "the attempt is over");
            drop((keys.current().is_ok(), keys.refresh(RefreshReason::UnknownKey)));
        });
        let lines = Lines(Arc::default(), Some(hook));
        let _logging = tracing::subscriber::set_default(lines.clone());
        let world = World::cold();
        own.set(world.keys.clone()).expect("set once");
        world.issuer.publish_jwk(json!({"kty": "quantum"}));
        world.fetch.push(answer::status(500));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
            world.pass(s(60)).await;
            assert_eq!(world.ask("key-1").await, Verdict::Known);
            World::yield_to_others().await;
        });
        done.send(lines.all().len())
    });
    let lines = wait.recv_timeout(Duration::from_secs(20));
    assert_eq!(lines, Ok(2), "a deadlock, or a panic");
}

/// A log that panics ends its attempt, and nothing else: the lock is free and the keys are in place.
#[tokio::test(start_paused = true)]
async fn a_log_that_panics_takes_no_keys_away() {
    let hook: Hook = Arc::new(|| assert!(std::thread::panicking(), "the disk is full"));
    let _logging = tracing::subscriber::set_default(Lines(Arc::default(), Some(hook)));
    let world = World::cold();
    world.issuer.publish_jwk(json!({"kty": "quantum"}));
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    World::yield_to_others().await;
    let status = world.keys.status();
    assert_eq!((status.fetching, status.failures, status.keys), (false, 0, 1));
    world.fetch.push(answer::status(500));
    world.pass(s(500)).await;
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.settle().await;
    assert_eq!(world.keys.status().failures, 1);
    world.pass(s(60)).await;
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.settle().await;
    assert_eq!(world.keys.status().failures, 0);
}
