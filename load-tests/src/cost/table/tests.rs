use super::*;
use crate::cost::act::Act;

#[test]
fn a_row_for_each_act_and_the_largest_functions_below() {
    let functions = vec![("x".repeat(300), 600.0), ("serve".to_owned(), 300.0), ("small".to_owned(), 100.0)];
    let counted =
        [Counted { act: Act::Events, each: Each { instructions: 1_000.4, allocations: 7.25, copies: 3.0, functions } }];
    let text = markdown(&counted, 2);
    assert!(text.contains("| events | 1000 | 7.2 | 3.0 |"), "{text}");
    assert!(text.contains("300  30.0 %  serve"), "{text}");
    assert!(!text.contains("small") && text.lines().all(|line| line.chars().count() < 140), "{text}");
    assert!(!markdown(&counted, 0).contains("serve"));
}
