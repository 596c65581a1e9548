use std::time::Duration;

use proptest::prelude::{any, prop_assert, proptest};

use super::*;
use crate::rollout::plan::Gate;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn proxies(count: usize) -> BTreeSet<(NodeId, Labels)> {
    (0..count).map(|at| (NodeId::new(&format!("p{at}")).unwrap(), Labels::default())).collect()
}

fn candidate() -> Candidate {
    Candidate { document: "secret-word".to_owned(), author: "ann".to_owned(), reason: "try".to_owned(), base: 3 }
}

fn plan(is_manual: bool) -> Plan {
    Plan::new(None, Some(vec![10, 100]), Gate::default(), is_manual).unwrap()
}

fn started(is_manual: bool) -> Rollout {
    Rollout::start(candidate(), plan(is_manual), &proxies(3), Serial(7), NOW).unwrap()
}

fn members(rollout: &Rollout, proxies: &BTreeSet<(NodeId, Labels)>) -> usize {
    let lane = rollout.membership();
    proxies.iter().filter(|(node, labels)| lane.contains(node, labels)).count()
}

fn soaking() -> Why {
    Why::Soaking { left: Duration::from_secs(1) }
}

#[test]
fn a_good_candidate_goes_through_all_steps_to_everybody() {
    let (mut rollout, all) = (started(false), proxies(3));
    assert_eq!(members(&rollout, &all), 1, "one of three, although the share is a tenth");
    assert_eq!(rollout.decide(Verdict::Wait(soaking())), Decision::Wait(soaking()));
    assert_eq!(rollout.decide(Verdict::Pass), Decision::Advance);
    let control = Tally { calls: 9, ..Tally::default() };
    rollout.widen(&control, &all, Serial(8), NOW).unwrap();
    assert_eq!((members(&rollout, &all), rollout.earlier.calls), (3, 9));
    assert_eq!(rollout.since, Since { rollout: Serial(7), step: Serial(8) });
    assert_eq!(rollout.decide(Verdict::Pass), Decision::Done);
    assert_eq!(rollout.widen(&control, &all, Serial(9), NOW), Err(NotWidened::Last));
    assert!(rollout.promote(Serial(9)));
    assert_eq!((members(&rollout, &all), rollout.ended), (0, Some(Serial(9))));
}

#[test]
fn a_bad_one_is_aborted_at_once_and_everybody_is_back() {
    let mut rollout = started(false);
    let why = Why::Refused("p1 refused 7".to_owned());
    assert_eq!(rollout.decide(Verdict::Abort(why.clone())), Decision::Abort(why.clone()));
    assert!(rollout.abort(why.to_string(), Serial(8)));
    assert_eq!((members(&rollout, &proxies(3)), rollout.phase.as_str()), (0, "aborted"));
    assert!(!rollout.promote(Serial(9)) && !rollout.abort("again".to_owned(), Serial(9)), "it ended");
    assert_eq!(rollout.widen(&Tally::default(), &proxies(3), Serial(9), NOW), Err(NotWidened::Ended));
    assert_eq!(rollout.phase.why(), Some("p1 refused 7"));
}

#[test]
fn one_that_is_held_goes_on_only_by_an_operator_and_is_still_aborted_by_itself() {
    let mut rollout = started(false);
    rollout.hold("too few calls".to_owned());
    assert_eq!(rollout.decide(Verdict::Pass), Decision::Ready);
    let why = Why::Refused("p1 refused 7".to_owned());
    assert_eq!(rollout.decide(Verdict::Abort(why.clone())), Decision::Abort(why));
    rollout.widen(&Tally::default(), &proxies(3), Serial(8), NOW).unwrap();
    assert_eq!(rollout.phase, Phase::Running);
}

#[test]
fn one_that_is_widened_by_hand_waits_after_each_step() {
    let mut rollout = started(true);
    assert_eq!(rollout.decide(Verdict::Pass), Decision::Ready);
    rollout.widen(&Tally::default(), &proxies(3), Serial(8), NOW).unwrap();
    assert_eq!(rollout.decide(Verdict::Pass), Decision::Ready, "the last step, too");
}

#[test]
fn nothing_begins_without_somebody_to_try_it() {
    let labels = Plan::new(Some("track=canary".parse().unwrap()), None, Gate::default(), false).unwrap();
    let start = |plan: Plan, count| Rollout::start(candidate(), plan, &proxies(count), Serial(1), NOW).unwrap_err();
    assert_eq!(start(plan(false), 0), NotStarted::Nobody);
    assert_eq!(start(labels.clone(), 0), NotStarted::Nobody);
    assert_eq!(start(labels, 2), NotStarted::NoMatch("track=canary".to_owned()));
}

#[test]
fn what_it_tries_is_not_in_any_text_and_not_kept_after_its_end() {
    let mut rollout = started(false);
    assert!(!format!("{rollout:?}").contains("secret-word"));
    rollout.abort("enough".to_owned(), Serial(8));
    assert_eq!(rollout.candidate.document, "");
}

proptest! {
    #[test]
    fn the_lane_only_grows_until_the_end_and_then_is_empty(count in 1..30usize, moves in proptest::collection::vec(0..5u8, 1..20), shares in any::<u64>()) {
        let mut steps: Vec<u8> = (0..8).filter(|bit| shares >> bit & 1 == 1).map(|bit| 12 * bit + 1).collect();
        steps.push(100);
        let plan = Plan::new(None, Some(steps), Gate::default(), false).unwrap();
        let all = proxies(count);
        let mut rollout = Rollout::start(candidate(), plan, &all, Serial(1), NOW).unwrap();
        let (mut before, mut serial) = (members(&rollout, &all), 1);
        prop_assert!(before > 0);
        for step in moves {
            serial += 1;
            match step {
                0 => drop(rollout.widen(&Tally::default(), &all, Serial(serial), NOW)),
                1 => rollout.hold("why".to_owned()),
                2 => rollout.resume(NOW),
                3 => drop(rollout.promote(Serial(serial))),
                _ => drop(rollout.abort("why".to_owned(), Serial(serial))),
            }
            let now = members(&rollout, &all);
            let is_right = if rollout.is_over() { now == 0 } else { now >= before };
            prop_assert!(is_right, "{} members, {} before", now, before);
            prop_assert!(rollout.ended.is_some() == rollout.is_over());
            before = now;
        }
    }
}
