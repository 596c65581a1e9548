//! Which pictures a bench has: CPU for every scenario with load, latency where calls have a due time, memory where it was taken.
//!
//! In: a [`Bench`]. Out: [`Picture`]s.
//! Invariant: every peer of a scenario stands in each of its pictures, if only to say that it has no figure.

use super::bars::{self, Panel, Row, Shown};
use super::canvas::{Canvas, Words};
use super::curves::{self, Curve};
use crate::measure::result::{Bench, Measured, Memory, OfPeer, Round};
use crate::scenario::{PeerName, Way};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Without a folder.
    pub file: String,
    pub svg: String,
}

pub fn pictures(bench: &Bench) -> Vec<Picture> {
    let about = &bench.about;
    let foot = format!(
        "{} · {} cores · {} · commit {} · {}",
        about.processor, about.cores, about.kernel, about.commit, about.date
    );
    bench.scenarios.iter().flat_map(|measured| of_scenario(measured, &foot)).collect()
}

fn of_scenario(measured: &Measured, foot: &str) -> Vec<Picture> {
    // Tables are Markdown, pictures are not.
    let says = measured.says.replace('`', "");
    let words = |title| Words { title, says: &says, foot };
    let file = |what: &str| format!("{}-{what}.svg", plain(&measured.name));
    if measured.peers.iter().any(|of_peer| of_peer.memory.is_some()) {
        let mut canvas = Canvas::default();
        let height = bars::draw(&mut canvas, &memory(measured));
        let title = format!("{}: resident memory", measured.name);
        return vec![Picture { file: file("memory"), svg: canvas.finish(height, &words(&title)) }];
    }
    let mut canvas = Canvas::default();
    let height = bars::draw(&mut canvas, &[cpu(measured)]);
    let title = format!("{}: CPU per {}", measured.name, measured.unit);
    let mut pictures = vec![Picture { file: file("cpu"), svg: canvas.finish(height, &words(&title)) }];
    if let Some(what) = due(measured) {
        let mut canvas = Canvas::default();
        let height = curves::draw(&mut canvas, &latency(measured));
        let title = format!("{}: {what}", measured.name);
        pictures.push(Picture { file: file("latency"), svg: canvas.finish(height, &words(&title)) });
    }
    pictures
}

/// What the times of a scenario are, if they mean something to a user: not in a closed loop, where callers wait for answers.
fn due(measured: &Measured) -> Option<&'static str> {
    let open_loop = |of_peer: &OfPeer| of_peer.rounds.iter().any(|round| round.late.max > 0.0);
    match measured.unit.as_str() {
        "event" => Some("lag of events, medians over rounds"),
        _ if measured.peers.iter().any(open_loop) => Some("latency of calls, medians over rounds"),
        _ => None,
    }
}

fn cpu(measured: &Measured) -> Panel {
    let hops = match measured.way {
        Way::OneHop => "",
        Way::TwoHopsMtls => " of both proxies",
    };
    let rows = measured.peers.iter().map(|of_peer| {
        let shown = match of_peer.median(|round| round.cpu_us) {
            _ if of_peer.missing.is_some() => Shown::Nothing("left out"),
            _ if of_peer.peer == PeerName::Direct => Shown::Nothing("no proxy"),
            Some(value) => Shown::Value { value, range: of_peer.range(|round| round.cpu_us) },
            None => Shown::Nothing("not measured"),
        };
        Row { peer: of_peer.peer, shown }
    });
    let heading = format!("CPU{hops} per {}, µs: median of rounds, lowest to highest", measured.unit);
    Panel { heading, rows: rows.collect() }
}

fn latency(measured: &Measured) -> Vec<Curve> {
    let of_peers = measured.peers.iter();
    of_peers
        .map(|of_peer| {
            let median = |figure: fn(&Round) -> f64| of_peer.median(figure).filter(|_| of_peer.missing.is_none());
            let figures: [fn(&Round) -> f64; 5] = [
                |round| round.latency.p50,
                |round| round.latency.p90,
                |round| round.latency.p99,
                |round| round.latency.p999,
                |round| round.latency.max,
            ];
            let micros = figures.map(|figure| median(figure));
            let micros = micros.iter().all(Option::is_some).then(|| micros.map(Option::unwrap_or_default));
            Curve { peer: of_peer.peer, micros }
        })
        .collect()
}

/// What was measured for no peer has no panel.
fn memory(measured: &Measured) -> Vec<Panel> {
    let panels = [
        panel(measured, "fresh process, MiB", |memory| Some(memory.idle as f64 / 1024.0)),
        panel(measured, "each idle connection, KiB", |memory| Some(memory.per_connection())),
        panel(measured, "each idle event stream, KiB", |memory| (memory.streams > 0).then(|| memory.per_stream())),
        panel(measured, "each session, bytes", |memory| (memory.sessions > 0).then(|| memory.bytes_per_session())),
        panel(measured, "highest under load, MiB", |memory| {
            (memory.load_calls > 0).then(|| memory.load_peak as f64 / 1024.0)
        }),
    ];
    panels.into_iter().flatten().collect()
}

fn panel(measured: &Measured, heading: &str, figure: fn(&Memory) -> Option<f64>) -> Option<Panel> {
    let figure = |of_peer: &OfPeer| of_peer.memory.as_ref().and_then(figure);
    measured.peers.iter().find_map(figure)?;
    let rows = measured.peers.iter().map(|of_peer| {
        let shown = match figure(of_peer) {
            Some(value) => Shown::Value { value, range: None },
            None if of_peer.memory.is_some() => Shown::Nothing("not measured"),
            None => Shown::Nothing("left out"),
        };
        Row { peer: of_peer.peer, shown }
    });
    Some(Panel { heading: heading.to_owned(), rows: rows.collect() })
}

/// A name that is safe as a part of a file's name.
fn plain(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect()
}

#[cfg(test)]
mod tests;
