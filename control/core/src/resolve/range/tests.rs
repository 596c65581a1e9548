use super::Range;
use outrigger_model::requirement::also::RangeText;

fn check(rows: &[(&str, &str, bool)]) {
    for (range, version, expected) in rows {
        let taken = Range::of(&RangeText::new(range).unwrap()).takes(&version.parse().unwrap());
        assert_eq!(taken, *expected, "`{range}` and {version}");
    }
}

#[test]
fn a_bare_version_is_exact_and_one_with_parts_left_out_stands_for_all_of_them() {
    check(&[
        ("2.0.0", "2.0.0", true),
        ("2.0.0", "2.0.1", false),
        ("=2.0", "2.0.7", true),
        ("=2.0", "2.1.0", false),
        ("2", "2.9.9", true),
        ("2", "3.0.0", false),
        ("v1.2", "1.2.5", true),
        ("4.1.x", "4.1.3", true),
        ("4.1.*", "4.2.0", false),
        ("1.X", "1.4.0", true),
        ("0.x.x", "1.2.3", false),
        ("*", "4.5.6", true),
        ("0.0.0", "1.2.3", false),
        ("1.0.0+build", "1.0.0+other", true),
    ]);
}

#[test]
fn comparisons() {
    check(&[
        (">1.1", "1.1.9", false),
        (">1.1", "1.2.0", true),
        (">11", "11.9.0", false),
        (">11", "12.0.0", true),
        (">1.2.3", "1.2.4", true),
        (">0", "0.0.0", false),
        (">=11", "11.0.0", true),
        ("=>11.1", "11.0.9", false),
        ("<1.1", "1.0.9", true),
        ("<1.1", "1.1.0", false),
        ("<=1.1", "1.1.9", true),
        ("=<1.1", "1.2.0", false),
        ("<=11", "11.2.3", true),
        ("<=11", "12.0.0", false),
        ("<=1.1.0", "1.1.1", false),
        ("!=4.1.0", "4.1.0", false),
        ("!=4.1.0", "4.1.1", true),
        ("!=4.1", "4.1.7", false),
        ("!=4.1", "4.2.0", true),
        ("!=4.x", "4.9.0", false),
        ("!=4.x", "5.0.0", true),
        ("!=4.1-alpha", "4.1.0", true),
    ]);
}

#[test]
fn tildes_keep_the_minor_and_carets_the_first_part_that_is_not_zero() {
    check(&[
        ("~1.2.3", "1.2.9", true),
        ("~1.2.3", "1.2.2", false),
        ("~1.2.3", "1.3.0", false),
        ("~1.2", "1.2.0", true),
        ("~1", "1.9.0", true),
        ("~1", "2.0.0", false),
        ("~>2.3", "2.3.1", true),
        ("~>2.3", "2.4.0", false),
        ("~0.0.0", "7.8.9", true),
        ("~*", "2.1.1", true),
        ("^1.2.3", "1.9.0", true),
        ("^1.2.3", "1.2.2", false),
        ("^1.2.3", "2.0.0", false),
        ("^0.2.3", "0.2.9", true),
        ("^0.2.3", "0.3.0", false),
        ("^0.0.3", "0.0.3", true),
        ("^0.0.3", "0.0.4", false),
        ("^0.0", "0.0.9", true),
        ("^0.0", "0.1.0", false),
        ("^0", "0.9.0", true),
        ("^0", "1.0.0", false),
        ("^1.x", "1.7.0", true),
    ]);
}

#[test]
fn all_conditions_of_an_alternative_hold_and_one_alternative_is_enough() {
    check(&[
        (">=1.1, <2, !=1.2.3", "1.2.3", false),
        (">=1.1, <2, !=1.2.3", "1.2.4", true),
        (">=1.1 <2 !=1.2.3 || > 3", "4.1.2", true),
        (">=1.1 <2 !=1.2.3 || > 3", "3.1.2", false),
        ("1.1 - 2", "1.1.1", true),
        ("1.1 - 2", "2.9.0", true),
        ("1.1 - 2.0.0", "2.0.1", false),
        ("1.1-3", "1.1.5", true),
        ("1.1-3", "2.0.0", false),
    ]);
}

#[test]
fn a_pre_release_counts_only_beside_a_condition_that_names_one() {
    check(&[
        (">=2.0.0", "3.0.0-beta", false),
        (">=2.0.0-0", "3.0.0-beta", true),
        ("*", "1.2.3-alpha.1", false),
        ("^1.2.0", "1.2.1-alpha.1", false),
        ("^1.2.0-alpha.0", "1.2.1-alpha.1", true),
        ("^1.2.0-alpha.2", "1.2.0-alpha.1", false),
        ("~1.2.3-beta.2", "1.2.3-beta.4", true),
        (">= 1.0.0 <= 2.0.0-beta", "1.0.1-beta", true),
        (">= 1.0.0 <= 2.0.0-beta || > 3", "3.0.1-beta", false),
        (">0.0.0-0", "0.0.0-alpha", true),
        ("2.0.0-rc.1", "2.0.0-rc.1", true),
    ]);
}

#[test]
fn what_cannot_be_read_is_compared_as_text() {
    check(&[
        ("latest", "1.0.0", false),
        ("1.2.3.4", "1.2.3", false),
        (">=bar", "1.0.0", false),
        ("1.2.3~1.0.0", "1.2.3", false),
        (">=1,,<2", "1.5.0", false),
        ("1.0.0-beta.01", "1.0.0", false),
        ("1.2.", "1.2.0", false),
    ]);
}
