use std::collections::BTreeMap;

use super::*;

/// A process that does `calls` in `seconds`: 500 each, 70 a second by the clock, 9000 once.
fn stretch(calls: u64, seconds: u64) -> Stretch {
    let functions = [("serve", 400 * calls), ("allocate", 100 * calls), ("tick", 70 * seconds), ("write", 9_000)];
    let profile = Profile {
        instructions: 500 * calls + 70 * seconds + 9_000,
        allocations: 8 * calls + seconds,
        copies: 3 * calls,
        functions: BTreeMap::from(functions.map(|(name, cost)| (name.to_owned(), cost))),
    };
    Stretch { profile, seconds: seconds as f64 }
}

/// Nothing but the clock.
fn rest() -> Stretch {
    let profile = Profile { instructions: 700, allocations: 10, ..Profile::default() };
    let functions = BTreeMap::from([("tick".to_owned(), 700)]);
    Stretch { profile: Profile { functions, ..profile }, seconds: 10.0 }
}

#[test]
fn what_is_done_once_or_by_the_clock_is_in_no_figure_however_slow_the_machine() {
    for (short, long) in [(2, 4), (3, 6), (20, 90), (50, 40)] {
        let each = each(&rest(), &stretch(100, short), &stretch(200, long), 100);
        assert!((each.instructions - 500.0).abs() < 1e-6, "{each:?}");
        assert!((each.allocations - 8.0).abs() < 1e-6 && (each.copies - 3.0).abs() < 1e-6, "{each:?}");
        assert_eq!(each.functions[0], ("serve".to_owned(), 400.0));
        assert!(each.functions.iter().all(|(name, cost)| !["tick", "write"].contains(&name.as_str()) || *cost < 1e-6));
    }
}

#[test]
fn a_figure_is_never_below_nothing() {
    assert_eq!(each(&rest(), &stretch(100, 2), &stretch(0, 2), 100).instructions, 0.0);
    assert_eq!(each(&Stretch::default(), &Stretch::default(), &Stretch::default(), 0), Each::default());
}
