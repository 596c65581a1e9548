//! What was counted as a table, and the functions that most of it went to.
//!
//! In: [`Counted`]. Out: Markdown.

use std::fmt::Write as _;

use super::count::Counted;
use super::stretch::Each;

/// Longest name of a function that is shown whole; generic ones run over many lines.
const NAME_MAX: usize = 110;

pub fn markdown(counted: &[Counted], top: usize) -> String {
    let mut text = "| act | instructions | allocations | copies | what it is |\n|---|---|---|---|---|\n".to_owned();
    // Writing to a text cannot fail.
    for Counted { act, each: Each { instructions, allocations, copies, .. } } in counted {
        let (name, says) = (act.name(), act.says());
        let _ = writeln!(text, "| {name} | {instructions:.0} | {allocations:.1} | {copies:.1} | {says} |");
    }
    for Counted { act, each } in counted.iter().filter(|_| top > 0) {
        let _ = writeln!(text, "\n{}, by instructions of the function itself:\n", act.name());
        for (name, instructions) in each.functions.iter().take(top) {
            let share = instructions / each.instructions.max(1.0) * 100.0;
            let _ = writeln!(text, "{instructions:>10.0} {share:>5.1} %  {}", shortened(name));
        }
    }
    text
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_MAX).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
