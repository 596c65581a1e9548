//! Aligned columns for people.
//!
//! In: columns and rows. Out: text, two spaces between columns, nothing after the last.
//! Invariant: control characters from names or troubles of others never reach the terminal.

use serde_json::Value;

/// One column: its title, whether it is shown only with `-o wide`, and how it is read from a row.
pub struct Column {
    pub title: &'static str,
    pub wide: bool,
    pub read: fn(&Value) -> String,
}

/// The table of `rows`; with `wide`, all columns.
pub fn table(columns: &[Column], rows: &[Value], wide: bool) -> String {
    let shown = || columns.iter().filter(move |column| wide || !column.wide);
    let mut lines = vec![shown().map(|column| column.title.to_owned()).collect::<Vec<_>>()];
    lines.extend(rows.iter().map(|row| shown().map(|column| printable(&(column.read)(row))).collect()));
    aligned(&lines)
}

/// Lines of cells, each column as wide as its widest cell.
pub fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Lines of a tool's answer without anything else that a terminal would act upon.
pub fn printable_lines(text: &str) -> String {
    let harmless = |character: char| !character.is_control() || matches!(character, '\n' | '\t');
    text.chars().filter(|character| harmless(*character)).collect()
}

/// The text without anything that a terminal would act upon.
pub fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests;
