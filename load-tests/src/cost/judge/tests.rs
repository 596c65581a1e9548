use super::*;
use crate::cost::committed::Figures;
use crate::cost::stretch::Each;

fn counted(act: Act, instructions: f64, allocations: f64) -> Counted {
    Counted { act, each: Each { instructions, allocations, ..Each::default() } }
}

fn all(instructions: f64, allocations: f64) -> Vec<Counted> {
    Act::ALL.iter().map(|act| counted(*act, instructions, allocations)).collect()
}

fn committed() -> Committed {
    Committed::new(&all(1_000.0, 40.0), 2.0)
}

fn said(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{} {}\n", finding.fails, finding.says)).collect()
}

#[test]
fn within_the_tolerance_there_is_nothing_to_say() {
    for factor in [0.91, 1.0, 1.09] {
        let findings = judge(&committed(), &all(1_000.0 * factor, 40.0 * factor), 2.0 * factor);
        assert!(findings.is_empty(), "{}", said(&findings));
    }
}

#[test]
fn more_than_the_tolerance_fails_for_each_figure_that_has_it() {
    let mut now = all(1_000.0, 40.0);
    now[0].each.instructions = 1_101.0;
    now[2].each.allocations = 45.0;
    let findings = judge(&committed(), &now, 2.0);
    assert!(findings.iter().all(|finding| finding.fails));
    let said = said(&findings);
    assert!(
        said.contains("session-call: 1101 instructions each, committed are 1000: +10.1 %, 10 % are allowed"),
        "{said}"
    );
    assert!(said.contains("session: 45.0 allocations each, committed are 40.0: +12.5 %"), "{said}");
    assert_eq!(findings.len(), 2);
}

#[test]
fn less_than_the_tolerance_is_told_and_does_not_fail() {
    let findings = judge(&committed(), &all(500.0, 40.0), 1.0);
    assert_eq!(findings.len(), Act::ALL.len());
    assert!(findings.iter().all(|finding| !finding.fails && finding.says.contains("-50.0 %")), "{}", said(&findings));
}

#[test]
fn the_ratio_fails_only_above_its_limit() {
    assert!(judge(&committed(), &all(1_000.0, 40.0), 3.2).is_empty());
    for ratio in [3.3, f64::NAN] {
        let findings = judge(&committed(), &all(1_000.0, 40.0), ratio);
        assert!(findings.len() == 1 && findings[0].fails, "{}", said(&findings));
    }
}

#[test]
fn a_figure_on_one_side_only_fails() {
    let mut odd = committed();
    odd.each.remove("session");
    odd.each.insert("gone".to_owned(), Figures { instructions: 1.0, allocations: 1.0 });
    let findings = judge(&odd, &all(1_000.0, 40.0), 2.0);
    assert_eq!(findings.iter().filter(|finding| finding.fails).count(), 2, "{}", said(&findings));
    let nothing = Committed::new(&all(0.0, 0.0), 2.0);
    assert!(judge(&nothing, &all(0.0, 0.0), 2.0).iter().all(|finding| finding.fails));
}
