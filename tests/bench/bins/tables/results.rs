//! What was measured, and how its numbers are shown.

use std::collections::BTreeMap;

pub(crate) const TIME: &str = "time over bare / signature";
pub(crate) const CACHED: &str = "time over bare / bare";
pub(crate) const INSTRUCTIONS: &str = "instructions";
pub(crate) const ALLOCATIONS: &str = "allocations";
pub(crate) const LOOPBACK: &str = "loopback";

pub(crate) struct Results(BTreeMap<(String, String), Vec<String>>);

impl Results {
    pub(crate) fn read(text: &str) -> Self {
        let mut all = BTreeMap::<_, Vec<String>>::new();
        for line in text.lines() {
            let mut words = line.splitn(3, '\t').map(str::to_owned);
            let (Some(metric), Some(name), Some(value)) = (words.next(), words.next(), words.next()) else {
                panic!("not a result: {line}");
            };
            all.entry((metric, name)).or_default().push(value);
        }
        Self(all)
    }

    /// The values of a metric that are words, whatever they are about.
    pub(crate) fn words(&self, metric: &str) -> Vec<String> {
        let of = self.0.iter().filter(|((of, _), _)| of == metric);
        of.flat_map(|(_, values)| values).cloned().collect()
    }

    /// The median of what was measured; of a ratio, the median that was printed first.
    pub(crate) fn value(&self, metric: &str, name: &str) -> Option<f64> {
        let values = self.0.get(&(metric.to_owned(), name.to_owned()))?;
        let number = |value: &String| value.split('\t').next().and_then(|first| first.parse().ok());
        let mut numbers: Vec<f64> = values.iter().filter_map(number).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.get(numbers.len() / 2).copied()
    }

    /// The quartiles of a ratio of times: how much it varied within the run.
    pub(crate) fn quartiles(&self, metric: &str, name: &str) -> Option<(f64, f64)> {
        let values = self.0.get(&(metric.to_owned(), name.to_owned()))?;
        let mut numbers = values
            .first()?
            .split('\t')
            .skip(1)
            .filter_map(|text| text.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    }

    /// A count over the bare router and the signature check, or the digest of what was sent.
    pub(crate) fn over(&self, metric: &str, name: &str) -> Option<f64> {
        let value = self.value(metric, name)?;
        if metric == TIME || metric == CACHED {
            return Some(value);
        }
        let (group, _) = name.split_once('/')?;
        let bare = if name.contains("jwt-authorizer") {
            "bare07"
        } else {
            "bare"
        };
        let bare = self.value(metric, &format!("{group}/{bare}"))?;
        let signature = self.value(metric, &format!("{group}/signature")).unwrap_or(0.0);
        let digest = self.value(metric, &format!("{group}/sha256")).unwrap_or(0.0);
        let digest = if hashes(name) { digest } else { 0.0 };
        Some(value - bare - signature - digest)
    }

    /// Requests per second as shares of the bare router's, one for each round, the least first.
    pub(crate) fn shares(&self, who: &str) -> Option<Vec<f64>> {
        let of = |who: &str| -> Option<Vec<f64>> {
            let values = self.0.get(&(LOOPBACK.to_owned(), who.to_owned()))?;
            Some(values.iter().filter_map(|value| value.parse().ok()).collect())
        };
        let bare = of(if who == "jwt-authorizer" { "bare07" } else { "bare" })?;
        let mut shares: Vec<f64> = of(who)?
            .iter()
            .zip(&bare)
            .map(|(mine, bare)| mine / bare)
            .collect();
        shares.sort_by(f64::total_cmp);
        Some(shares)
    }

    pub(crate) fn share(&self, who: &str) -> Option<f64> {
        let shares = self.shares(who)?;
        shares.get(shares.len() / 2).copied()
    }

    /// The least and the most of the rounds.
    pub(crate) fn share_range(&self, who: &str) -> Option<(f64, f64)> {
        let shares = self.shares(who)?;
        Some((*shares.first()?, *shares.last()?))
    }

    pub(crate) fn show(&self, metric: &str, name: &str) -> String {
        let Some(value) = self.over(metric, name) else {
            return "—".to_owned();
        };
        with_range(metric, value, self.quartiles(metric, name))
    }
}

/// Whether ours made a digest there. Nobody else does, and we do not where nobody asked or nothing was sent.
fn hashes(name: &str) -> bool {
    let without = ["unread", "absent", "refused"];
    name.contains("/ours/") && !without.iter().any(|what| name.ends_with(what))
}

/// A value, and in brackets between what it varied.
pub(crate) fn with_range(metric: &str, value: f64, range: Option<(f64, f64)>) -> String {
    match range {
        Some((low, high)) => {
            format!(
                "{} ({}…{})",
                number(metric, value),
                number(metric, low),
                number(metric, high)
            )
        }
        None => number(metric, value),
    }
}

pub(crate) fn number(metric: &str, value: f64) -> String {
    if ![INSTRUCTIONS, ALLOCATIONS].contains(&metric) {
        return format!("{value:.2}").replace('-', "−");
    }
    let digits = format!("{:.0}", value.abs());
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if value < 0.0 { format!("−{shown}") } else { shown }
}

pub(crate) fn rows(results: &Results, rows: &[(&str, &str)]) -> String {
    let mut table =
        "| | instructions | allocations | time over bare ÷ bare |\n|---|---|---|---|\n".to_owned();
    for (what, name) in rows {
        let [instructions, allocations, time] =
            [INSTRUCTIONS, ALLOCATIONS, CACHED].map(|metric| results.show(metric, name));
        table.push_str(&format!("| {what} | {instructions} | {allocations} | {time} |\n"));
    }
    table
}

/// What varies within a run is judged by all that it varied between, or not at all.
pub(crate) fn verdict(
    measured: Option<f64>,
    range: Option<(f64, f64)>,
    met: impl Fn(f64) -> bool,
) -> &'static str {
    let Some(measured) = measured else {
        return "not measured";
    };
    let (low, high) = range.unwrap_or((measured, measured));
    match (met(low), met(high)) {
        (true, true) => "met",
        (false, false) => "**not met**",
        _ => "undecided: varied too much",
    }
}

pub(crate) fn row(table: &mut String, cells: [Option<&str>; 5]) {
    let cells = cells.map(|cell| cell.unwrap_or("—"));
    table.push_str(&format!("| {} |\n", cells.join(" | ")));
}
