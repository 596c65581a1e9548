use super::*;

const EARLY: u64 = 5;
const SOAKED: u64 = 30;
const TOO_LATE: u64 = 600;

/// `proxies/applied calls/failed`, and of the control group `calls/failed`.
fn groups(canary: (u64, u64, u64, u64), control: (u64, u64)) -> Groups {
    let group = |proxies, applied, calls, failed| Group {
        proxies,
        applied,
        tally: Tally { calls, failed, begun: calls, begun_micros: calls * 1_000, ..Tally::default() },
        ..Group::default()
    };
    let (proxies, applied, calls, failed) = canary;
    Groups { canary: group(proxies, applied, calls, failed), control: group(9, 9, control.0, control.1) }
}

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Wait(why) => format!("wait {}", why.label()),
        Verdict::Hold(why) => format!("hold {}", why.label()),
        Verdict::Abort(why) => format!("abort {}", why.label()),
        Verdict::Pass => "pass".to_owned(),
    }
}

#[test]
fn a_step_ends_when_it_soaked_everybody_applied_and_nothing_is_worse() {
    let check = |canary, control, seconds, expected: &str| {
        let groups = groups(canary, control);
        let verdict = judge(&Gate::default(), &groups, &Tally::default(), Duration::from_secs(seconds));
        assert_eq!(said(&verdict), expected, "{groups:?} after {seconds} s");
    };
    // proxies, applied, calls, failed; calls and failed of the control group
    check((2, 2, 100, 0), (900, 0), EARLY, "wait soaking");
    check((2, 2, 100, 0), (900, 0), SOAKED, "pass");
    check((2, 1, 100, 0), (900, 0), SOAKED, "wait unapplied");
    check((2, 1, 100, 0), (900, 0), TOO_LATE, "hold unapplied");
    check((0, 0, 0, 0), (900, 0), SOAKED, "wait nobody");
    check((0, 0, 0, 0), (900, 0), TOO_LATE, "hold nobody");
    check((2, 2, 19, 0), (900, 0), SOAKED, "wait few_calls");
    check((2, 2, 19, 0), (900, 0), TOO_LATE, "hold few_calls");
    check((2, 2, 19, 19), (900, 0), SOAKED, "wait few_calls");
    check((2, 2, 20, 0), (0, 0), SOAKED, "pass");
    check((2, 2, 200, 2), (900, 0), EARLY, "wait soaking");
    check((2, 2, 200, 3), (900, 0), EARLY, "abort failing");
    check((2, 2, 200, 3), (900, 0), TOO_LATE, "abort failing");
    check((2, 1, 200, 3), (900, 0), EARLY, "abort failing");
    check((2, 2, 200, 20), (900, 90), SOAKED, "pass");
    check((2, 2, 200, 23), (900, 90), SOAKED, "abort failing");
    check((2, 2, 200, 0), (900, 900), SOAKED, "pass");
}

#[test]
fn one_refusal_aborts_whatever_else_is_well() {
    let mut refused = groups((2, 2, 100, 0), (900, 0));
    refused.canary.refusal = Some("a refused 7: Route/a.pool: there is none".to_owned());
    let verdict = judge(&Gate::default(), &refused, &Tally::default(), Duration::ZERO);
    assert_eq!(verdict, Verdict::Abort(Why::Refused("a refused 7: Route/a.pool: there is none".to_owned())));
    refused.control.refusal = refused.canary.refusal.take();
    let verdict = judge(&Gate::default(), &refused, &Tally::default(), Duration::from_secs(SOAKED));
    assert_eq!(verdict, Verdict::Pass, "what others refuse is not of the candidate");
}

#[test]
fn where_nobody_is_left_to_compare_with_the_control_group_of_earlier_steps_is_asked() {
    let everybody = groups((9, 9, 1_000, 50), (0, 0));
    let earlier = Tally { calls: 1_000, failed: 50, ..Tally::default() };
    let judged = |earlier: &Tally| said(&judge(&Gate::default(), &everybody, earlier, Duration::from_secs(SOAKED)));
    assert_eq!(judged(&earlier), "pass", "five of a hundred failed before, too");
    assert_eq!(judged(&Tally::default()), "abort failing", "nothing says that calls may fail");
}

#[test]
fn time_is_compared_only_where_somebody_wants_it() {
    let check = |factor: Option<u32>, canary_ms: u64, control_ms: u64, seconds: u64, expected: &str| {
        let mut groups = groups((2, 2, 100, 0), (900, 0));
        groups.canary.tally.begun_micros = 100 * canary_ms * 1_000;
        groups.control.tally.begun_micros = 900 * control_ms * 1_000;
        let gate = Gate { slow_factor_max: factor, ..Gate::default() };
        let verdict = judge(&gate, &groups, &Tally::default(), Duration::from_secs(seconds));
        assert_eq!(said(&verdict), expected, "{factor:?} {canary_ms} {control_ms}");
    };
    check(None, 500, 10, SOAKED, "pass");
    check(Some(150), 15, 10, SOAKED, "pass");
    check(Some(150), 16, 10, EARLY, "abort slow");
    let mut alone = groups((2, 2, 100, 0), (0, 0));
    alone.canary.tally.begun_micros = 1;
    let gate = Gate { slow_factor_max: Some(200), ..Gate::default() };
    let judged = |seconds| said(&judge(&gate, &alone, &Tally::default(), Duration::from_secs(seconds)));
    assert_eq!(
        (judged(SOAKED), judged(TOO_LATE)),
        ("wait nothing_to_compare".into(), "hold nothing_to_compare".into())
    );
}

#[test]
fn a_gate_without_a_least_number_of_calls_lets_a_quiet_lane_pass() {
    let gate = Gate { calls_min: 0, ..Gate::default() };
    let quiet = groups((2, 2, 0, 0), (0, 0));
    assert_eq!(judge(&gate, &quiet, &Tally::default(), Duration::from_secs(SOAKED)), Verdict::Pass);
}

#[test]
fn reasons_are_for_people() {
    let failing = Why::Failing {
        canary: Ratio::of(&Tally { calls: 200, failed: 25, ..Tally::default() }),
        control: Ratio::of(&Tally { calls: 900, failed: 1, ..Tally::default() }),
    };
    assert_eq!(failing.to_string(), "12.50 % of the calls of the lane fail, and 0.11 % of those of the control group");
    assert_eq!(Why::Soaking { left: Duration::from_millis(1_200) }.to_string(), "the step lasts 2 s more");
}
