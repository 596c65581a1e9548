//! What operators search for is documented: every metric, and every reason for a refusal.
//!
//! In: the files that define them, the documents. Out: complaints by name.
//! Never here: whether the words about them are good.
//! Invariant: names are read from the code, so a new one cannot be forgotten.

use crate::tree::Source;

const METRICS: &[&str] = &[
    "proxy/server/src/telemetry/metrics.rs",
    "control/server/src/telemetry.rs",
    "control/server/src/telemetry/metrics.rs",
];

fn undocumented(sources: &[Source]) -> Vec<String> {
    let text = |path: &str| sources.iter().find(|source| source.path == path).map(|source| source.text.as_str());
    let metrics = METRICS.iter().filter_map(|path| text(path)).flat_map(metrics);
    let metrics = metrics.map(|name| (format!("outrigger_{name}"), "docs/metrics.md"));
    let reasons = text("proxy/core/src/refusal.rs").map(reasons).unwrap_or_default();
    let reasons = reasons.into_iter().map(|name| (format!("`{name}`"), "docs/errors.md"));
    let missing = metrics.chain(reasons).filter(|(name, place)| !text(place).is_some_and(|text| text.contains(name)));
    missing.map(|(name, place)| format!("{place}: {name} is not there")).collect()
}

/// The first argument of every registration.
fn metrics(text: &str) -> Vec<String> {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( \"", "(\"");
    let calls = flat.split("register(\"").skip(1).chain(flat.split("register_with_unit(\"").skip(1));
    calls.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// The labels of the one table.
fn reasons(text: &str) -> Vec<String> {
    let table = text.split("pub const fn shape").nth(1).and_then(|rest| rest.split("pub const fn label").next());
    let names = table.unwrap_or_default().split('"').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

#[test]
fn every_metric_and_every_reason_is_documented() {
    crate::must_be_clean(&undocumented(&crate::tree::sources()));
}

#[test]
fn there_are_metrics_and_reasons_to_document() {
    let sources = crate::tree::sources();
    let text =
        |path: &str| sources.iter().find(|source| source.path == path).map(|source| source.text.clone()).unwrap();
    assert!(metrics(&text(METRICS[0])).len() > 10);
    assert!(reasons(&text("proxy/core/src/refusal.rs")).len() > 10);
}

#[test]
fn what_is_not_documented_is_caught() {
    let planted = [
        Source::new(METRICS[0], "registry.register(\n \"thing\", \"x\", y); r.register_with_unit(\"other\", z)"),
        Source::new("proxy/core/src/refusal.rs", "pub const fn shape() { a(\"no_thing\") } pub const fn label() {}"),
        Source::new("docs/metrics.md", "`outrigger_other_seconds`"),
    ];
    assert_eq!(undocumented(&planted).len(), 2);
}
