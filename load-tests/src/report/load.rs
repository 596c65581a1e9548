//! Columns of a scenario with load: CPU, rates, times, memory, faults; first bytes of sessions and lags of events where there are any.

use super::column::{Column, NOTHING, calls_and_faults};
use crate::measure::result::{Measured, OfPeer, Quantiles, Round};
use crate::scenario::{PeerName, Way};

pub fn columns(measured: &Measured) -> Vec<Column<'_>> {
    let unit = &measured.unit;
    let hops = match measured.way {
        Way::OneHop => "",
        Way::TwoHopsMtls => ", both proxies",
    };
    let mut columns = vec![
        of_a_proxy(format!("CPU µs per {unit}{hops}"), median(|round| round.cpu_us, 1)),
        of_a_proxy("lowest to highest".to_owned(), range),
        of_a_proxy("× nginx".to_owned(), |of_peer| ratio(measured, of_peer, PeerName::Nginx)),
        of_a_proxy("× Envoy".to_owned(), |of_peer| ratio(measured, of_peer, PeerName::Envoy)),
        Column::new(format!("{unit}s/s"), median(|round| round.per_second, 0)),
        of_a_proxy("CPU of its core".to_owned(), |of_peer| median(|round| round.cpu_share * 100.0, 0)(of_peer) + " %"),
        Column::new("p50 µs", median(|round| round.latency.p50, 0)),
        Column::new("p90", median(|round| round.latency.p90, 0)),
        Column::new("p99", median(|round| round.latency.p99, 0)),
        Column::new("p99.9", median(|round| round.latency.p999, 0)),
    ];
    if has(measured, |round| &round.first_byte) {
        columns.push(Column::new("first byte of a new session p50 µs", median(|round| round.first_byte.p50, 0)));
        columns.push(Column::new("p99", median(|round| round.first_byte.p99, 0)));
    }
    // Where events are all there is, their lag is what stands before.
    if unit != "event" && has(measured, |round| &round.lag) {
        columns.push(Column::new("lag of events p50 µs", median(|round| round.lag.p50, 0)));
        columns.push(Column::new("p99", median(|round| round.lag.p99, 0)));
    }
    columns.extend([
        of_a_proxy("RSS MiB".to_owned(), median(|round| round.resident_kib as f64 / 1024.0, 1)),
        Column::new("calls, faults", calls_and_faults),
        Column::new("others' cores", median(|round| round.foreign_cores, 2)),
    ]);
    columns
}

/// Whether any peer has such times.
fn has(measured: &Measured, times: fn(&Round) -> &Quantiles) -> bool {
    measured.peers.iter().flat_map(|of_peer| &of_peer.rounds).any(|round| times(round).max > 0.0)
}

/// A column that says nothing of `direct`.
fn of_a_proxy<'a>(head: String, cell: impl Fn(&OfPeer) -> String + 'a) -> Column<'a> {
    Column::new(head, move |of_peer| match of_peer.peer {
        PeerName::Direct => NOTHING.to_owned(),
        _ => cell(of_peer),
    })
}

fn median(figure: fn(&Round) -> f64, digits: usize) -> impl Fn(&OfPeer) -> String {
    move |of_peer| of_peer.median(figure).map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.digits$}"))
}

fn range(of_peer: &OfPeer) -> String {
    let range = of_peer.range(|round| round.cpu_us);
    range.map_or_else(|| NOTHING.to_owned(), |(low, high)| format!("{low:.1} to {high:.1}"))
}

/// The ratio of the medians of CPU per unit.
fn ratio(measured: &Measured, of_peer: &OfPeer, other: PeerName) -> String {
    let cpu = |of_peer: &OfPeer| of_peer.median(|round| round.cpu_us);
    let other = measured.peers.iter().find(|of_peer| of_peer.peer == other).and_then(cpu);
    match (cpu(of_peer), other) {
        (Some(own), Some(other)) if other > 0.0 => format!("{:.2}", own / other),
        _ => NOTHING.to_owned(),
    }
}
