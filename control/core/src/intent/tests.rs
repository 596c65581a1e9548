use outrigger_model::route::Timeouts;

use super::*;

fn route(name: &str, requirement: &str) -> OperatorRoute {
    OperatorRoute {
        name: RouteName::new(name).unwrap(),
        requirement: requirement.parse().unwrap(),
        policy: RoutePolicy::default(),
        traffic: OperatorTraffic::default(),
    }
}

fn pool(agent: &str) -> (AgentName, OperatorPool) {
    (AgentName::new(agent).unwrap(), OperatorPool { balance: Balance::RoundRobin, ..OperatorPool::default() })
}

#[test]
fn an_intent_that_contradicts_itself_is_refused() {
    let check = |routes, pools, expected: &str| {
        let error = Intent::new(routes, pools, Settings::default()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(vec![route("a", "x"), route("a", "y")], vec![], "routes: `a` is declared twice");
    check(vec![], vec![pool("a"), pool("a")], "pools: agent `a` has two rules");
    let timed = |change: fn(&mut Timeouts)| {
        let mut route = route("a", "x");
        change(&mut route.policy.timeouts);
        vec![route]
    };
    let zero = |limit: &str| format!("routes: `a` has a timeout `{limit}` of zero, which would fail every call");
    check(timed(|timeouts| timeouts.connect = Duration::ZERO), vec![], &zero("connect"));
    check(timed(|timeouts| timeouts.keep_alive = Some(Duration::ZERO)), vec![], &zero("keep_alive"));
    check(timed(|timeouts| timeouts.quick.idle = Some(Duration::ZERO)), vec![], &zero("quick.idle"));
    check(timed(|timeouts| timeouts.stream.first_byte = Some(Duration::ZERO)), vec![], &zero("stream.first_byte"));
    check(
        timed(|timeouts| timeouts.call.total = Some(Duration::from_millis(u64::MAX))),
        vec![],
        "routes: `a` has a timeout `call.total` of more than 365 days",
    );
}

#[test]
fn a_session_may_not_be_forgotten_at_once_nor_kept_for_ever() {
    for seconds in [0, 31 * 86_400] {
        let settings = Settings { session_idle: Duration::from_secs(seconds), ..Settings::default() };
        assert!(matches!(Intent::new(vec![], vec![], settings), Err(IntentError::SessionIdle(_))));
    }
}

#[test]
fn the_digest_tells_intents_apart_and_not_the_order_they_were_written_in() {
    let intent = |routes, pools| Intent::new(routes, pools, Settings::default()).unwrap().digest();
    let (a, b) = (route("a", "x ^1"), route("b", "y"));
    assert_eq!(intent(vec![a.clone(), b.clone()], vec![]), intent(vec![b, a.clone()], vec![]));
    assert_ne!(intent(vec![a.clone()], vec![]), intent(vec![], vec![]));
    assert_ne!(intent(vec![a.clone()], vec![]), intent(vec![route("a", "x ^2")], vec![]));
    assert_ne!(intent(vec![a.clone()], vec![]), intent(vec![a], vec![pool("x")]));
}
