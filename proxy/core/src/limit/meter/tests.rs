use std::collections::HashSet;
use std::time::Duration;

use outrigger_model::rate::{Allowance, Per, RateLimit};

use super::{Meter, Scope, Who};
use crate::refusal::Refusal;

const WHO: Who<'_> = Who { caller: "planner", agent: "weather", tool: "forecast" };

fn quota(per: Per, calls: u32) -> RateLimit {
    RateLimit { per, tools: vec![], allowance: Allowance::Quota { calls, window: Duration::from_secs(60) } }
}

#[test]
fn what_is_counted_together_is_what_the_limit_is_per() {
    let others = [Who { caller: "desk", ..WHO }, Who { agent: "news", ..WHO }, Who { tool: "radar", ..WHO }];
    let rows = [
        (Per::All, [true, true, true]),
        (Per::Caller, [false, true, true]),
        (Per::Agent, [true, false, true]),
        (Per::Tool, [true, false, false]),
    ];
    for (per, together) in rows {
        let rate = quota(per, 5);
        let key = |who| Meter { scope: Scope::Route("w"), at: 0, rate: &rate, who }.key();
        assert_eq!(others.map(|other| key(other) == key(WHO)), together, "{per:?}");
    }
}

#[test]
fn limits_that_differ_in_anything_are_counted_apart() {
    let (five, six) = (quota(Per::All, 5), quota(Per::All, 6));
    let some = RateLimit { tools: vec!["get_*".parse().expect("a pattern")], ..five.clone() };
    let bucket = Allowance::Bucket { calls: 5, every: Duration::from_secs(60), burst: 1 };
    let bucket = RateLimit { allowance: bucket, ..five.clone() };
    let key = |scope, at, rate| Meter { scope, at, rate, who: WHO }.key();
    let keys = [
        key(Scope::Route("w"), 0, &five),
        key(Scope::Route("v"), 0, &five),
        key(Scope::Pool("w"), 0, &five),
        key(Scope::Route("w"), 1, &five),
        key(Scope::Route("w"), 0, &six),
        key(Scope::Route("w"), 0, &some),
        key(Scope::Route("w"), 0, &bucket),
        Meter { scope: Scope::Route("w"), at: 0, rate: &five, who: WHO }.rest(),
    ];
    assert_eq!(HashSet::from(keys).len(), keys.len());
    assert_eq!(keys[0].text().len(), 32);
}

#[test]
fn a_refusal_says_which_limit_and_rounds_the_time_up() {
    let rate = quota(Per::Tool, 5);
    let meter = Meter { scope: Scope::Route("weather"), at: 0, rate: &rate, who: WHO };
    let rows = [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)];
    for (milliseconds, seconds) in rows {
        let refusal = meter.refusal(Duration::from_millis(milliseconds));
        let limit = "route `weather` takes a quota of 5 calls in 60s per tool".to_owned();
        assert_eq!(refusal, Refusal::RateLimited { limit, wait_seconds: seconds });
    }
    let bucket = Allowance::Bucket { calls: 10, every: Duration::from_millis(1_500), burst: 3 };
    let rate = RateLimit { per: Per::Caller, tools: vec![], allowance: bucket };
    let meter = Meter { scope: Scope::Pool("weather"), rate: &rate, ..meter };
    assert_eq!(meter.to_string(), "agent `weather` takes at most 10 calls in 1.5s per caller");
}
