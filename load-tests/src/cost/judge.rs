//! Whether what was counted is what is committed.
//!
//! In: both. Out: [`Finding`]s, each a sentence for people, and whether it fails the check.
//! Invariant: more than the tolerance fails, less than it is told, and a figure that is on one side only fails.

use super::act::Act;
use super::committed::Committed;
use super::count::Counted;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub fails: bool,
    pub says: String,
}

pub fn judge(committed: &Committed, counted: &[Counted], ratio: f64) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Counted { act, each } in counted {
        let name = act.name();
        let Some(then) = committed.each.get(name) else {
            findings.push(fails(format!("{name} has no committed figure")));
            continue;
        };
        let figures = [
            ("instructions", each.instructions, then.instructions, 0),
            ("allocations", each.allocations, then.allocations, 1),
        ];
        for (what, now, then, digits) in figures {
            let said = format!("{name}: {now:.digits$} {what} each, committed are {then:.digits$}");
            findings.extend(compare(said, now, then, committed.tolerance_percent));
        }
    }
    let known = |name: &String| Act::ALL.iter().any(|act| act.name() == name);
    let strangers = committed.each.keys().filter(|name| !known(name));
    findings.extend(strangers.map(|name| fails(format!("{name} is committed and not counted any more"))));
    let most = committed.nginx_ratio.most;
    if ratio.is_nan() || ratio > most {
        findings.push(fails(format!(
            "CPU per call is {ratio:.2} times nginx's in the same run, at most {most} is allowed"
        )));
    }
    findings
}

fn compare(said: String, now: f64, then: f64, tolerance: f64) -> Option<Finding> {
    let percent = (now / then - 1.0) * 100.0;
    // Nothing at all on the committed side has no proportion.
    if percent.is_nan() || percent > tolerance {
        return Some(fails(format!("{said}: {percent:+.1} %, {tolerance} % are allowed")));
    }
    let better = percent < -tolerance;
    better.then(|| Finding { fails: false, says: format!("{said}: {percent:+.1} %, better than committed") })
}

fn fails(says: String) -> Finding {
    Finding { fails: true, says }
}

#[cfg(test)]
mod tests;
