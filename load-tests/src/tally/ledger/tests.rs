use super::*;
use crate::echo::answer::answer;

fn right(number: u64) -> String {
    answer(&number.to_string(), number, "echo-1", 100, 0)
}

fn ledger() -> Ledger {
    Ledger::new(100)
}

#[test]
fn a_right_answer_is_answered() {
    let mut ledger = ledger();
    ledger.settle(3, &Ask::PLAIN, Some("echo-1"), Back::Answer(right(3).as_bytes()));
    let tally = ledger.close(Executed { once: 1, again: 0 });
    assert!(tally.is_clean());
    assert_eq!((tally.calls, tally.answered), (1, 1));
}

#[test]
fn each_fault_has_its_column() {
    let mut ledger = ledger();
    ledger.settle(0, &Ask::PLAIN, None, Back::Lost);
    ledger.settle(1, &Ask::PLAIN, None, Back::Refused(503));
    ledger.settle(2, &Ask::PLAIN, None, Back::Answer(b"{}"));
    ledger.settle(3, &Ask::PLAIN, None, Back::Answer(right(4).as_bytes()));
    ledger.settle(5, &Ask::PLAIN, Some("echo-2"), Back::Answer(right(5).as_bytes()));
    let tally = ledger.close(Executed::default());
    let expected = Tally { calls: 5, lost: 1, refused: 1, wrong: 2, misrouted: 1, answered: 0, duplicated: 0 };
    assert_eq!(tally, expected);
}

#[test]
fn an_answer_that_went_to_two_callers_is_wrong_once_and_duplicated_once() {
    let mut ledger = ledger();
    ledger.settle(3, &Ask::PLAIN, None, Back::Answer(right(3).as_bytes()));
    ledger.settle(4, &Ask::PLAIN, None, Back::Answer(right(3).as_bytes()));
    let tally = ledger.close(Executed::default());
    assert_eq!((tally.answered, tally.wrong, tally.duplicated), (1, 1, 1));
}

#[test]
fn what_the_agent_executed_again_is_duplicated_although_one_answer_came() {
    let mut ledger = ledger();
    ledger.settle(3, &Ask::PLAIN, None, Back::Answer(right(3).as_bytes()));
    assert_eq!(ledger.close(Executed { once: 1, again: 1 }).duplicated, 1);
}

#[test]
fn numbers_are_given_out_once_and_end() {
    let mut ledger = Ledger::new(2);
    assert_eq!([ledger.next_number(), ledger.next_number(), ledger.next_number()], [Some(0), Some(1), None]);
}

#[test]
fn every_call_stands_in_one_column() {
    let mut ledger = ledger();
    for number in 0..100 {
        let bytes = if number % 3 == 0 { right(number) } else { right(number / 2) };
        let back = if number % 5 == 0 { Back::Lost } else { Back::Answer(bytes.as_bytes()) };
        ledger.settle(number, &Ask::PLAIN, Some("echo-1"), back);
    }
    let tally = ledger.close(Executed::default());
    assert_eq!(tally.calls, tally.answered + tally.wrong + tally.misrouted + tally.refused + tally.lost);
    assert_eq!(tally.calls, 100);
}
