//! Tables for people: Markdown, one per scenario, with ratios to nginx and Envoy.
//!
//! In: a [`Bench`]. Out: text.
//! Invariant: every figure is a median over the rounds of one bench; nothing is rounded to look better.

use std::fmt::Write as _;

use crate::measure::result::{Bench, Measured, OfPeer, Round};
use crate::scenario::{PeerName, Way};

pub fn markdown(bench: &Bench) -> String {
    let mut text = String::new();
    let about = &bench.about;
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "{} · {} cores · {} MiB · {} · commit {} · {} · seed {} · load before {} and after {}\n",
        about.processor,
        about.cores,
        about.memory_mib,
        about.kernel,
        about.commit,
        about.date,
        about.seed,
        about.load_before,
        about.load_after,
    );
    let _ = writeln!(text, "{}\n", about.versions.join(" · "));
    for measured in &bench.scenarios {
        let _ = writeln!(text, "### {}: {}\n", measured.name, measured.says);
        let lines = if measured.peers.iter().any(|of_peer| of_peer.memory.is_some()) {
            memory(measured)
        } else {
            load(measured)
        };
        let _ = writeln!(text, "{lines}");
    }
    text
}

fn load(measured: &Measured) -> String {
    let unit = &measured.unit;
    let hops = match measured.way {
        Way::OneHop => "",
        Way::TwoHopsMtls => ", both proxies",
    };
    let mut text = format!(
        "| peer | CPU µs per {unit}{hops} | lowest to highest | × nginx | × Envoy | {unit}s/s | CPU of its core | p50 µs | p90 | p99 | p99.9 | RSS MiB | {} | others' cores |\n",
        "calls, faults"
    );
    text.push_str("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for of_peer in &measured.peers {
        text.push_str(&row(measured, of_peer));
    }
    text
}

fn row(measured: &Measured, of_peer: &OfPeer) -> String {
    let name = of_peer.peer.text();
    if let Some(missing) = &of_peer.missing {
        let first = missing.lines().next().unwrap_or_default();
        return format!("| {name} | left out: {first} |{}\n", " |".repeat(12));
    }
    let median = |figure: fn(&Round) -> f64, digits: usize| {
        of_peer.median(figure).map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
    };
    let range = of_peer.range(|round| round.cpu_us);
    let range = range.map_or_else(|| "–".to_owned(), |(low, high)| format!("{low:.1} to {high:.1}"));
    let direct = of_peer.peer == PeerName::Direct;
    let unless_direct = |text: String| if direct { "–".to_owned() } else { text };
    let cells = [
        unless_direct(median(|round| round.cpu_us, 1)),
        unless_direct(range),
        unless_direct(ratio(measured, of_peer, PeerName::Nginx)),
        unless_direct(ratio(measured, of_peer, PeerName::Envoy)),
        median(|round| round.per_second, 0),
        unless_direct(median(|round| round.cpu_share * 100.0, 0) + " %"),
        median(|round| round.latency.p50, 0),
        median(|round| round.latency.p90, 0),
        median(|round| round.latency.p99, 0),
        median(|round| round.latency.p999, 0),
        unless_direct(median(|round| round.resident_kib as f64 / 1024.0, 1)),
        format!("{}, {}", of_peer.tally.calls, of_peer.tally.faults()),
        median(|round| round.foreign_cores, 2),
    ];
    format!("| {name} | {} |\n", cells.join(" | "))
}

/// The ratio of the medians of CPU per unit.
fn ratio(measured: &Measured, of_peer: &OfPeer, other: PeerName) -> String {
    let cpu = |of_peer: &OfPeer| of_peer.median(|round| round.cpu_us);
    let other = measured.peers.iter().find(|of_peer| of_peer.peer == other).and_then(cpu);
    match (cpu(of_peer), other) {
        (Some(own), Some(other)) if other > 0.0 => format!("{:.2}", own / other),
        _ => "–".to_owned(),
    }
}

fn memory(measured: &Measured) -> String {
    let mut text =
        "| peer | idle MiB | KiB per idle connection | KiB per idle stream |\n|---|---|---|---|\n".to_owned();
    for of_peer in &measured.peers {
        let name = of_peer.peer.text();
        let line = match (&of_peer.memory, &of_peer.missing) {
            (Some(memory), _) => format!(
                "| {name} | {:.1} | {:.1} (of {}) | {:.1} (of {}) |\n",
                memory.idle as f64 / 1024.0,
                memory.per_connection(),
                memory.connections,
                memory.per_stream(),
                memory.streams
            ),
            (None, missing) => {
                let first = missing.as_deref().and_then(|said| said.lines().next()).unwrap_or("not measured");
                format!("| {name} | left out: {first} | | |\n")
            }
        };
        text.push_str(&line);
    }
    text
}

#[cfg(test)]
mod tests;
