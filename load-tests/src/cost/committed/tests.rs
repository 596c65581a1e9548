use super::*;
use crate::cost::act::Act;
use crate::cost::stretch::Each;

fn counted(act: Act) -> Counted {
    Counted { act, each: Each { instructions: 61_234.4, allocations: 41.02, ..Each::default() } }
}

#[test]
fn what_is_written_reads_back() {
    let committed = Committed::new(&[counted(Act::Session), counted(Act::Events)], 2.694);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cost.yaml");
    std::fs::write(&path, committed.text()).unwrap();
    assert_eq!(Committed::read(&path).unwrap(), committed);
    assert_eq!(committed.nginx_ratio, Ratio { measured: 2.69, most: 4.3 });
    assert_eq!(committed.each["session"], Figures { instructions: 61_234.0, allocations: 41.0 });
}

#[test]
fn a_key_that_nobody_knows_is_refused_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cost.yaml");
    std::fs::write(&path, "tolerance_percent: 10\ntolerance: 3\n").unwrap();
    let said = Committed::read(&path).unwrap_err().to_string();
    assert!(said.contains("cost.yaml") && said.contains("tolerance"), "{said}");
}

#[test]
fn the_file_of_the_repository_has_a_figure_for_every_act() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("regression/cost.yaml");
    let committed = Committed::read(&path).unwrap();
    let names: Vec<&str> = committed.each.keys().map(String::as_str).collect();
    let mut known: Vec<&str> = Act::ALL.iter().map(|act| act.name()).collect();
    known.sort_unstable();
    assert_eq!(names, known);
    assert_eq!(committed.text(), std::fs::read_to_string(&path).unwrap(), "it is written by this program alone");
}
