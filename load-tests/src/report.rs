//! Tables for people: Markdown, one per scenario, with ratios to nginx and Envoy.
//!
//! In: a [`Bench`]. Out: text.
//! Invariant: every figure is a median over the rounds of one bench; nothing is rounded to look better.

mod column;
mod load;
mod memory;

use std::fmt::Write as _;

use crate::measure::result::{Bench, Measured};

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
        let _ = writeln!(text, "{}", column::table(&columns(measured), &measured.peers));
    }
    text
}

fn columns(measured: &Measured) -> Vec<column::Column<'_>> {
    let memory = measured.peers.iter().any(|of_peer| of_peer.memory.is_some());
    if memory { memory::columns(measured) } else { load::columns(measured) }
}

#[cfg(test)]
mod tests;
