//! Columns of a scenario that looks at memory; what was measured for no peer has no column.

use super::column::{Column, NOTHING, calls_and_faults};
use crate::measure::result::{Measured, Memory, OfPeer};

pub fn columns(measured: &Measured) -> Vec<Column<'_>> {
    let any =
        |count: fn(&Memory) -> bool| measured.peers.iter().filter_map(|of_peer| of_peer.memory.as_ref()).any(count);
    let mut columns = vec![
        of("idle MiB", |memory| mib(memory.idle)),
        of("KiB per idle connection", |memory| each(memory.per_connection(), 1, memory.connections as u64)),
    ];
    if any(|memory| memory.sockets > 0) {
        columns.push(of("sockets of them", |memory| memory.sockets.to_string()));
    }
    if any(|memory| memory.streams > 0) {
        columns.push(of("KiB per idle stream", |memory| each(memory.per_stream(), 1, memory.streams as u64)));
    }
    if any(|memory| memory.sessions > 0) {
        columns.push(of("bytes per session", |memory| each(memory.bytes_per_session(), 0, memory.sessions)));
    }
    if any(|memory| memory.load_calls > 0) {
        columns.push(of("MiB before load", |memory| mib(memory.before_load)));
        columns.push(of("highest under it", |memory| mib(memory.load_peak)));
        columns.push(of("when callers had gone", |memory| mib(memory.after_load)));
    }
    if measured.peers.iter().any(|of_peer| of_peer.tally.calls > 0) {
        columns.push(Column::new("calls, faults", calls_and_faults));
    }
    columns
}

fn of<'a>(head: &str, cell: fn(&Memory) -> String) -> Column<'a> {
    Column::new(head, move |of_peer: &OfPeer| of_peer.memory.as_ref().map_or_else(|| NOTHING.to_owned(), cell))
}

fn mib(kib: u64) -> String {
    format!("{:.1}", kib as f64 / 1024.0)
}

/// What was measured of none says so.
fn each(figure: f64, digits: usize, count: u64) -> String {
    if count == 0 { NOTHING.to_owned() } else { format!("{figure:.digits$} (of {count})") }
}
