//! A table as columns: which there are depends on the scenario, and each knows what it says of a peer.
//!
//! Invariant: all lines of a table have the same number of cells, also that of a peer that was left out.

use crate::measure::result::OfPeer;

/// Where there is nothing to say.
pub const NOTHING: &str = "–";

pub struct Column<'a> {
    head: String,
    cell: Box<dyn Fn(&OfPeer) -> String + 'a>,
}

impl<'a> Column<'a> {
    pub fn new(head: impl Into<String>, cell: impl Fn(&OfPeer) -> String + 'a) -> Self {
        Self { head: head.into(), cell: Box::new(cell) }
    }
}

/// What every table has at its end.
pub fn calls_and_faults(of_peer: &OfPeer) -> String {
    format!("{}, {}", of_peer.tally.calls, of_peer.tally.faults())
}

pub fn table(columns: &[Column<'_>], peers: &[OfPeer]) -> String {
    let heads: Vec<&str> = columns.iter().map(|column| column.head.as_str()).collect();
    let mut text = format!("| peer | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(columns.len()));
    for of_peer in peers {
        let name = of_peer.peer.text();
        let cells = match &of_peer.missing {
            Some(why) => {
                let first = format!("left out: {}", why.lines().next().unwrap_or_default());
                let empty = columns.iter().skip(1).map(|_| String::new());
                [first].into_iter().chain(empty).collect::<Vec<_>>()
            }
            None => columns.iter().map(|column| (column.cell)(of_peer)).collect(),
        };
        text.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    text
}
