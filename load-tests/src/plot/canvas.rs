//! One SVG as text: paper, words, bars and lines.
//!
//! In: shapes in pixels. Out: a document without scripts, for light and dark.
//! Invariant: whatever text is given, the document is well formed.

use std::fmt::Write as _;

pub const WIDTH: f64 = 720.0;
/// Room at the left and the right of everything.
pub const MARGIN: f64 = 16.0;

/// Where a picture says what it shows; below it the drawing begins.
pub const HEAD: f64 = 64.0;
const FOOT: f64 = 30.0;

/// Light by default, dark where the reader prefers it; the paper is drawn, so that the two never mix.
const STYLE: &str = "text{font-family:system-ui,sans-serif;font-size:13px;fill:#1f2328}\
    .title{font-size:15px;font-weight:600}.soft{fill:#59636e;font-size:12px}.foot{fill:#59636e;font-size:10px}\
    .paper{fill:#ffffff}.grid{stroke:#d1d9e0;stroke-width:1}.faint{stroke:#eaeef2;stroke-width:1}\
    .whisker{stroke:#1f2328;stroke-width:1.5}.end{text-anchor:end}.middle{text-anchor:middle}\
    @media(prefers-color-scheme:dark){text{fill:#f0f6fc}.soft,.foot{fill:#9198a1}.paper{fill:#0d1117}\
    .grid{stroke:#3d444d}.faint{stroke:#21262d}.whisker{stroke:#f0f6fc}}";

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

pub const fn at(x: f64, y: f64) -> Point {
    Point { x, y }
}

/// What the words around a drawing are.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    pub title: &'a str,
    pub says: &'a str,
    pub foot: &'a str,
}

#[derive(Debug, Default)]
pub struct Canvas(String);

// Writing to a text cannot fail.
impl Canvas {
    pub fn text(&mut self, at: Point, class: &str, text: &str) {
        let _ = writeln!(self.0, r#"<text class="{class}" x="{:.1}" y="{:.1}">{}</text>"#, at.x, at.y, escaped(text));
    }

    /// A bar to the right from `at`; `what` names the peer it belongs to.
    pub fn bar(&mut self, at: Point, (width, height): (f64, f64), colour: &str, what: &str) {
        let _ = writeln!(
            self.0,
            r#"<rect data-of="{}" x="{:.2}" y="{:.1}" width="{width:.2}" height="{height:.1}" fill="{colour}"/>"#,
            escaped(what),
            at.x,
            at.y
        );
    }

    pub fn line(&mut self, class: &str, from: Point, to: Point) {
        let _ = writeln!(
            self.0,
            r#"<line class="{class}" x1="{:.2}" y1="{:.2}" x2="{:.2}" y2="{:.2}"/>"#,
            from.x, from.y, to.x, to.y
        );
    }

    /// A line through all points, with a dot on each; `what` names the peer it belongs to.
    pub fn curve(&mut self, points: &[Point], colour: &str, what: &str) {
        let places: Vec<String> = points.iter().map(|point| format!("{:.2},{:.2}", point.x, point.y)).collect();
        let _ = writeln!(
            self.0,
            r#"<polyline data-of="{}" points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#,
            escaped(what),
            places.join(" ")
        );
        for point in points {
            let _ = writeln!(self.0, r#"<circle cx="{:.2}" cy="{:.2}" r="3" fill="{colour}"/>"#, point.x, point.y);
        }
    }

    /// The whole document, `height` being that of the drawing.
    pub fn finish(self, height: f64, words: &Words<'_>) -> String {
        let whole = HEAD + height + FOOT;
        let title = escaped(words.title);
        let mut around = Self::default();
        around.text(at(MARGIN, 26.0), "title", words.title);
        around.text(at(MARGIN, 46.0), "soft", words.says);
        around.text(at(MARGIN, whole - 12.0), "foot", words.foot);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {whole}\" width=\"{WIDTH}\" \
             height=\"{whole}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             <rect class=\"paper\" width=\"{WIDTH}\" height=\"{whole}\"/>\n{}{}</svg>\n",
            around.0, self.0
        )
    }
}

/// Control characters have no place in XML at all.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
