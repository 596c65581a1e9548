use std::time::Duration;

use outrigger_model::rate::{Allowance, Per, RateLimit};

use super::{Counting, Ledger, Moment, Take};
use crate::limit::meter::{Meter, Scope, Who};

fn at(seconds: u64) -> Moment {
    Moment { nanoseconds: seconds * 1_000_000_000, unix_ms: seconds * 1_000 }
}

fn bucket(burst: u32) -> RateLimit {
    let allowance = Allowance::Bucket { calls: 1, every: Duration::from_secs(10), burst };
    RateLimit { per: Per::Tool, tools: vec![], allowance }
}

fn quota(calls: u32) -> RateLimit {
    RateLimit { per: Per::Tool, tools: vec![], allowance: Allowance::Quota { calls, window: Duration::from_secs(60) } }
}

fn take(ledger: &Ledger, rate: &RateLimit, tool: &str, counting: Counting, now: Moment) -> Take {
    let who = Who { caller: "planner", agent: "weather", tool };
    ledger.take(&Meter { scope: Scope::Route("weather"), at: 0, rate, who }, counting, now)
}

fn takes(ledger: &Ledger, rate: &RateLimit, tool: &str, now: Moment) -> bool {
    matches!(take(ledger, rate, tool, Counting::Alone, now), Take::Taken(_))
}

#[test]
fn each_tool_has_an_account_of_its_own() {
    for rate in [bucket(2), quota(2)] {
        let ledger = Ledger::default();
        for tool in ["forecast", "radar"] {
            assert_eq!((0..5).filter(|_| takes(&ledger, &rate, tool, at(5))).count(), 2, "{rate:?}");
        }
    }
}

#[test]
fn who_is_refused_is_told_for_how_long() {
    let ledger = Ledger::default();
    assert!(takes(&ledger, &quota(1), "radar", at(50)) && takes(&ledger, &bucket(1), "radar", at(50)));
    let refused = |rate| take(&ledger, &rate, "radar", Counting::Alone, at(50));
    assert_eq!(refused(quota(1)), Take::Refused(Duration::from_secs(10)));
    assert_eq!(refused(bucket(1)), Take::Refused(Duration::from_secs(10)));
    assert!(takes(&ledger, &quota(1), "radar", at(60)) && takes(&ledger, &bucket(1), "radar", at(60)));
}

#[test]
fn what_is_put_back_is_there_for_the_next_call() {
    for rate in [bucket(1), quota(1)] {
        let ledger = Ledger::default();
        let Take::Taken(taken) = take(&ledger, &rate, "radar", Counting::Alone, at(5)) else { panic!("{rate:?}") };
        assert!(!takes(&ledger, &rate, "radar", at(5)));
        ledger.put_back(taken);
        assert!(takes(&ledger, &rate, "radar", at(5)));
    }
}

#[test]
fn a_shared_quota_is_asked_for_and_what_is_granted_is_used() {
    let (ledger, rate) = (Ledger::default(), quota(128));
    let ask = || take(&ledger, &rate, "radar", Counting::Shared, at(5));
    let Take::Ask(asking) = ask() else { panic!("nothing is here yet") };
    assert_eq!((asking.calls, asking.want, asking.ends_ms), (128, 2, 60_000));
    assert!(matches!(ledger.granted(&asking, 2, at(5)), Take::Taken(_)));
    assert!(matches!(ask(), Take::Taken(_)));
    let Take::Ask(asking) = ask() else { panic!("the share is used up") };
    assert_eq!(ledger.granted(&asking, 0, at(5)), Take::Refused(Duration::from_secs(55)));
    assert_eq!(ask(), Take::Refused(Duration::from_secs(55)));
}

#[test]
fn a_flood_of_tools_does_not_grow_it_and_shares_one_account() {
    for rate in [bucket(3), quota(3)] {
        let ledger = Ledger::new(64);
        let mut taken = 0;
        for tool in 0..10_000 {
            taken += usize::from(takes(&ledger, &rate, &format!("tool-{tool}"), at(5)));
        }
        assert!(ledger.count() <= 65, "{}", ledger.count());
        assert!(ledger.crowded() >= 9_000);
        // One for each account, and the burst of the one that is shared.
        assert!(taken <= 64 + 3, "{taken}");
        assert!(!takes(&ledger, &rate, "one-more", at(5)));
        assert!(takes(&ledger, &rate, "one-more", at(100)), "accounts that are as good as new make room");
        assert!(ledger.count() <= 65);
    }
}

#[test]
fn an_account_that_was_there_before_the_flood_is_its_own() {
    let (ledger, rate) = (Ledger::new(64), bucket(2));
    assert!(takes(&ledger, &rate, "radar", at(5)));
    for tool in 0..1_000 {
        takes(&ledger, &rate, &format!("tool-{tool}"), at(5));
    }
    assert!(takes(&ledger, &rate, "radar", at(5)));
    assert!(!takes(&ledger, &rate, "radar", at(5)));
}
