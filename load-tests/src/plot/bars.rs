//! Bars from zero, one for each peer, with whiskers from the lowest to the highest round.
//!
//! In: panels of rows. Out: a drawing; several panels stand below each other, each with its own scale.

use super::canvas::{Canvas, HEAD, MARGIN, Point, WIDTH, at};
use super::colour;
use super::scale::Linear;
use crate::scenario::PeerName;

/// Where bars begin, behind the names.
const LEFT: f64 = 176.0;
/// Room for the figure behind the longest bar.
const BEHIND: f64 = 92.0;
const ROW: f64 = 26.0;
const BAR: f64 = 15.0;
/// Half the height of the cross-stroke that ends a whisker.
const CAP: f64 = 4.0;
const HEADING: f64 = 22.0;
const AXIS: f64 = 30.0;

#[derive(Debug, Clone)]
pub struct Row {
    pub peer: PeerName,
    pub shown: Shown,
}

#[derive(Debug, Clone)]
pub enum Shown {
    /// A figure, and the lowest and the highest of its rounds.
    Value { value: f64, range: Option<(f64, f64)> },
    /// Why there is none.
    Nothing(&'static str),
}

#[derive(Debug, Clone)]
pub struct Panel {
    /// What the bars are, with the unit.
    pub heading: String,
    pub rows: Vec<Row>,
}

/// Gives the height that was used.
pub fn draw(canvas: &mut Canvas, panels: &[Panel]) -> f64 {
    let mut top = HEAD;
    for panel in panels {
        top = draw_panel(canvas, panel, top);
    }
    top - HEAD
}

fn draw_panel(canvas: &mut Canvas, panel: &Panel, top: f64) -> f64 {
    let highest = panel.rows.iter().map(|row| row.shown.highest()).fold(0.0, f64::max);
    let scale = Linear::new(highest, WIDTH - LEFT - BEHIND - MARGIN);
    let rows_at = top + HEADING;
    let bottom = rows_at + ROW * panel.rows.len() as f64;
    canvas.text(at(LEFT, top + 12.0), "soft", &panel.heading);
    for mark in scale.marks() {
        let x = LEFT + scale.at(mark);
        canvas.line("grid", at(x, rows_at), at(x, bottom));
        canvas.text(at(x, bottom + 15.0), "soft middle", &format!("{mark:.0$}", scale.digits()));
    }
    for (index, row) in panel.rows.iter().enumerate() {
        let middle = rows_at + ROW * (index as f64 + 0.5);
        canvas.text(at(LEFT - 8.0, middle + 4.5), "end", row.peer.text());
        draw_row(canvas, row, &scale, at(LEFT, middle));
    }
    bottom + AXIS
}

fn draw_row(canvas: &mut Canvas, row: &Row, scale: &Linear, start: Point) {
    let (value, range) = match row.shown {
        Shown::Value { value, range } => (value, range),
        Shown::Nothing(why) => return canvas.text(at(start.x + 8.0, start.y + 4.5), "soft", why),
    };
    let size = (scale.at(value), BAR);
    canvas.bar(at(start.x, start.y - BAR / 2.0), size, colour::of(row.peer), row.peer.text());
    if let Some((low, high)) = range.filter(|(low, high)| high > low) {
        let (low, high) = (start.x + scale.at(low), start.x + scale.at(high));
        canvas.line("whisker", at(low, start.y), at(high, start.y));
        for end in [low, high] {
            canvas.line("whisker", at(end, start.y - CAP), at(end, start.y + CAP));
        }
    }
    let behind = start.x + scale.at(row.shown.highest()) + 8.0;
    canvas.text(at(behind, start.y + 4.5), "", &format!("{value:.1}"));
}

impl Shown {
    fn highest(&self) -> f64 {
        match self {
            Self::Value { value, range } => range.map_or(*value, |(_, high)| high.max(*value)),
            Self::Nothing(_) => 0.0,
        }
    }
}
