//! Columns of a scenario that looks at memory; what was measured for no peer has no column.

use super::column::{Column, NOTHING};
use crate::measure::result::{Measured, Memory, OfPeer};

pub fn columns(measured: &Measured) -> Vec<Column<'_>> {
    let any =
        |count: fn(&Memory) -> bool| measured.peers.iter().filter_map(|of_peer| of_peer.memory.as_ref()).any(count);
    let mut columns = vec![
        of("idle MiB", |memory| mib(memory.idle)),
        of("KiB per idle connection", |memory| each(memory.per_connection(), memory.connections)),
    ];
    if any(|memory| memory.streams > 0) {
        columns.push(of("KiB per idle stream", |memory| each(memory.per_stream(), memory.streams)));
    }
    columns
}

fn of<'a>(head: &str, cell: fn(&Memory) -> String) -> Column<'a> {
    Column::new(head, move |of_peer: &OfPeer| of_peer.memory.as_ref().map_or_else(|| NOTHING.to_owned(), cell))
}

fn mib(kib: u64) -> String {
    format!("{:.1}", kib as f64 / 1024.0)
}

fn each(figure: f64, count: usize) -> String {
    format!("{figure:.1} (of {count})")
}
