//! Curves of latency: one for each peer, over the percentiles that the tables show, on a logarithm.
//!
//! In: five figures in microseconds for each peer. Out: a drawing.

use super::canvas::{Canvas, HEAD, MARGIN, WIDTH, at};
use super::colour;
use super::scale::Logarithmic;
use crate::scenario::PeerName;

pub const PERCENTILES: [&str; 5] = ["p50", "p90", "p99", "p99.9", "max"];

/// Where curves begin, behind the marks of the axis.
const LEFT: f64 = 84.0;
/// A line of the legend.
const LEGEND: f64 = 22.0;
const HEIGHT: f64 = 280.0;
const AXIS: f64 = 30.0;
/// Room of a name in the legend beside its letters, and that of a letter, which is a guess on the safe side.
const NAME: f64 = 40.0;
const LETTER: f64 = 7.5;

#[derive(Debug, Clone)]
pub struct Curve {
    pub peer: PeerName,
    /// In the order of [`PERCENTILES`]; `None` if the peer was left out.
    pub micros: Option<[f64; 5]>,
}

/// Gives the height that was used.
pub fn draw(canvas: &mut Canvas, curves: &[Curve]) -> f64 {
    let values: Vec<f64> = curves.iter().filter_map(|curve| curve.micros).flatten().collect();
    let scale = Logarithmic::new(&values, HEIGHT);
    let legend = draw_legend(canvas, curves);
    let (top, bottom) = (HEAD + legend, HEAD + legend + HEIGHT);
    let right = WIDTH - MARGIN - 10.0;
    for (mark, begins) in scale.marks() {
        let y = bottom - scale.at(mark);
        canvas.line(if begins { "grid" } else { "faint" }, at(LEFT, y), at(right, y));
        canvas.text(at(LEFT - 8.0, y + 4.0), "soft end", &time(mark));
    }
    let column = |index: usize| LEFT + 30.0 + (right - LEFT - 60.0) * index as f64 / (PERCENTILES.len() - 1) as f64;
    for (index, name) in PERCENTILES.iter().enumerate() {
        canvas.line("faint", at(column(index), top), at(column(index), bottom));
        canvas.text(at(column(index), bottom + 18.0), "soft middle", name);
    }
    for Curve { peer, micros } in curves {
        let points = micros.iter().flatten().enumerate();
        let points: Vec<_> = points.map(|(index, micros)| at(column(index), bottom - scale.at(*micros))).collect();
        if !points.is_empty() {
            canvas.curve(&points, colour::of(*peer), peer.text());
        }
    }
    legend + HEIGHT + AXIS
}

/// Names with their colours, in as many lines as they need. Gives the height that was used.
fn draw_legend(canvas: &mut Canvas, curves: &[Curve]) -> f64 {
    let (mut x, mut y) = (MARGIN, HEAD + 6.0);
    for Curve { peer, micros } in curves {
        let left_out = if micros.is_some() { "" } else { ": left out" };
        let name = format!("{}{left_out}", peer.text());
        let room = NAME + LETTER * name.chars().count() as f64;
        if x + room > WIDTH && x > MARGIN {
            (x, y) = (MARGIN, y + LEGEND);
        }
        canvas.bar(at(x, y - 9.0), (10.0, 10.0), colour::of(*peer), "legend");
        canvas.text(at(x + 15.0, y), if micros.is_some() { "" } else { "soft" }, &name);
        x += room;
    }
    y - HEAD + LEGEND
}

/// A round time in the unit that makes it short.
fn time(micros: f64) -> String {
    match micros {
        micros if micros < 1e3 => format!("{micros:.0} µs"),
        micros if micros < 1e6 => format!("{:.0} ms", micros / 1e3),
        micros => format!("{:.0} s", micros / 1e6),
    }
}
