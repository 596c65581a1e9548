use std::time::Duration;

use proptest::prelude::{Just, Strategy, prop, prop_assert_eq, prop_oneof, proptest};

use super::*;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn ada() -> Signature {
    Signature::new("ada", "because").unwrap()
}

/// A history in which these documents were published one after the other.
fn history(documents: &[&str]) -> (History, Vec<IntentRecord>) {
    let mut history = History::default();
    let mut all = vec![];
    for document in documents {
        let record = history.publish(history.number(), ada(), document, at(history.number())).unwrap();
        history.take(record.clone());
        all.push(record);
    }
    (history, all)
}

#[test]
fn the_first_record_has_no_parent_and_each_further_one_has_the_one_before() {
    let (_, all) = history(&["a", "b"]);
    let shape: Vec<_> = all.iter().map(|record| (record.number, record.parent, record.undoes)).collect();
    assert_eq!(shape, [(1, None, None), (2, Some(1), None)]);
    assert_eq!(
        (all[0].author.as_str(), all[0].reason.as_str(), all[0].source),
        ("ada", "because", IntentSource::Published)
    );
    assert_eq!(all[0].digest, Digest::of(b"a"));
}

#[test]
fn a_file_that_did_not_change_leaves_what_was_published_in_force() {
    let mut history = History::default();
    let declared = history.declare("file", at(1)).unwrap();
    assert_eq!((declared.source, declared.author.as_str()), (IntentSource::File, "control.yaml"));
    history.take(declared);
    let published = history.publish(1, ada(), "published", at(2)).unwrap();
    history.take(published.clone());
    assert_eq!(history.declare("file", at(3)), None);
    let restarted = History::restore(history.newest().cloned(), Some(Digest::of(b"file")));
    assert_eq!(restarted.declare("file", at(4)), None);
    let changed = restarted.declare("another file", at(5)).unwrap();
    assert_eq!((changed.number, changed.parent), (3, Some(2)));
}

#[test]
fn a_file_that_says_what_was_published_is_declared_all_the_same() {
    let mut history = History::default();
    history.take(history.declare("file", at(1)).unwrap());
    history.take(history.publish(1, ada(), "published", at(2)).unwrap());
    let record = history.declare("published", at(3)).unwrap();
    assert_eq!((record.number, record.source), (3, IntentSource::File));
}

#[test]
fn who_saw_another_intent_run_changes_nothing() {
    let (history, all) = history(&["a", "b"]);
    let moved = NoRecord::Moved { current: 2, expected: 1 };
    assert_eq!(history.publish(1, ada(), "c", at(3)), Err(moved));
    assert_eq!(history.roll_back(1, ada(), &all[0], at(3)), Err(moved));
    assert!(moved.to_string().contains("intent 2 runs and not 1"), "{moved}");
}

#[test]
fn what_runs_already_makes_no_record() {
    let (history, all) = history(&["a", "b"]);
    assert_eq!(history.publish(2, ada(), "b", at(3)), Err(NoRecord::Unchanged { current: 2 }));
    assert_eq!(history.roll_back(2, ada(), &all[1], at(3)), Err(NoRecord::Unchanged { current: 2 }));
}

#[test]
fn a_rollback_is_a_new_record_with_the_old_document_and_says_what_it_undoes() {
    let (history, all) = history(&["a", "b"]);
    let back = history.roll_back(2, ada(), &all[0], at(3)).unwrap();
    assert_eq!((back.number, back.parent, back.undoes), (3, Some(2), Some(2)));
    assert_eq!((back.document.as_str(), back.digest, back.source), ("a", all[0].digest, IntentSource::Rollback));
}

#[test]
fn authors_and_reasons_are_said_in_one_line_of_bounded_length() {
    let check = |author: &str, reason: &str, expected: &str| {
        let refused = Signature::new(author, reason).unwrap_err().to_string();
        assert!(refused.starts_with(expected), "{refused}");
    };
    check("", "x", "author: it is empty");
    check("ada", " \t ", "reason: it is empty");
    check("ada", "two\nlines", "reason: it has a control character");
    check(&"a".repeat(AUTHOR_BYTES_MAX + 1), "x", "author: 257 bytes are more than 256");
    check("ada", &"r".repeat(REASON_BYTES_MAX + 1), "reason: 513 bytes are more than 512");
    let signature = Signature::new(" ada ", &"r".repeat(REASON_BYTES_MAX)).unwrap();
    assert_eq!((signature.author(), signature.reason().len()), ("ada", REASON_BYTES_MAX));
}

#[derive(Debug, Clone)]
enum Step {
    Declare(u8),
    Publish { document: u8, is_stale: bool },
    RollBack { to: prop::sample::Index, is_stale: bool },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let document = || 0..4u8;
    prop_oneof![
        document().prop_map(Step::Declare),
        (document(), prop::bool::weighted(0.2)).prop_map(|(document, is_stale)| Step::Publish { document, is_stale }),
        (proptest::arbitrary::any::<prop::sample::Index>(), prop::bool::weighted(0.2))
            .prop_map(|(to, is_stale)| Step::RollBack { to, is_stale }),
        Just(Step::Restart),
    ]
}

fn text(document: u8) -> String {
    format!("document {document}")
}

proptest! {
    /// The model: a list of documents, of which the last runs, and what the file said when it was declared last.
    #[test]
    fn after_any_sequence_the_newest_record_runs_and_numbers_only_grow(steps in prop::collection::vec(step(), 0..60)) {
        let mut history = History::default();
        let mut kept: Vec<IntentRecord> = vec![];
        let mut declared: Option<String> = None;
        for (second, step) in (0..).zip(steps) {
            let current = kept.len() as u64;
            let expected = |is_stale| if is_stale { current + 7 } else { current };
            let runs = kept.last().map(|record| record.document.clone());
            let (made, wanted) = match step {
                Step::Declare(document) => {
                    let document = text(document);
                    let wanted = (declared.as_ref() != Some(&document)).then(|| document.clone());
                    declared = Some(document.clone());
                    (history.declare(&document, at(second)), wanted)
                }
                Step::Publish { document, is_stale } => {
                    let document = text(document);
                    let wanted = (!is_stale && runs.as_ref() != Some(&document)).then(|| document.clone());
                    (history.publish(expected(is_stale), ada(), &document, at(second)).ok(), wanted)
                }
                Step::RollBack { to, is_stale } if !kept.is_empty() => {
                    let to = to.get(&kept);
                    let wanted = (!is_stale && runs.as_ref() != Some(&to.document)).then(|| to.document.clone());
                    (history.roll_back(expected(is_stale), ada(), to, at(second)).ok(), wanted)
                }
                Step::RollBack { .. } => (None, None),
                Step::Restart => {
                    let of_the_file = kept.iter().rev().find(|record| record.source == IntentSource::File);
                    history = History::restore(kept.last().cloned(), of_the_file.map(|record| record.digest));
                    (None, None)
                }
            };
            prop_assert_eq!(made.as_ref().map(|record| &record.document), wanted.as_ref());
            if let Some(record) = made {
                prop_assert_eq!(record.number, current + 1, "no number is used twice or passed over");
                prop_assert_eq!(record.parent, current.checked_sub(1).map(|_| current));
                prop_assert_eq!(record.undoes.is_some(), record.source == IntentSource::Rollback);
                history.take(record.clone());
                kept.push(record);
            }
            prop_assert_eq!(history.newest(), kept.last());
        }
    }
}
