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
/// A line of the legend, and how many names stand in one.
const LEGEND: f64 = 22.0;
const NAMES: usize = 4;
const HEIGHT: f64 = 280.0;
const AXIS: f64 = 30.0;
/// Room of a name in the legend.
const NAME: f64 = 174.0;

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
    let legend = LEGEND * curves.len().div_ceil(NAMES) as f64 + 4.0;
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
    for (index, curve) in curves.iter().enumerate() {
        let name_at = at(MARGIN + NAME * (index % NAMES) as f64, HEAD + 6.0 + LEGEND * (index / NAMES) as f64);
        let name = curve.peer.text();
        canvas.bar(at(name_at.x, name_at.y - 9.0), (10.0, 10.0), colour::of(curve.peer), "legend");
        let Some(micros) = curve.micros else {
            canvas.text(at(name_at.x + 15.0, name_at.y), "soft", &format!("{name}: left out"));
            continue;
        };
        canvas.text(at(name_at.x + 15.0, name_at.y), "", name);
        let points = micros.iter().enumerate().map(|(index, micros)| at(column(index), bottom - scale.at(*micros)));
        canvas.curve(&points.collect::<Vec<_>>(), colour::of(curve.peer), name);
    }
    legend + HEIGHT + AXIS
}

/// A round time in the unit that makes it short.
fn time(micros: f64) -> String {
    match micros {
        micros if micros < 1e3 => format!("{micros:.0} µs"),
        micros if micros < 1e6 => format!("{:.0} ms", micros / 1e3),
        micros => format!("{:.0} s", micros / 1e6),
    }
}
