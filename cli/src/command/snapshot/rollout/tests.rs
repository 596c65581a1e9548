use super::*;

fn rollout() -> Value {
    let group = |proxies: u64, calls: u64, failures: u64, ratio: f64| {
        json!({
            "proxies": proxies, "applied": proxies, "calls": calls, "failures": failures, "ratio": ratio, "mean_ms": 1.5,
            "nacks": 0, "serial_oldest": 7, "serial_newest": 7,
        })
    };
    json!({
        "phase": "running", "why": null, "author": "ada", "reason": "try", "step": 2, "steps": 4, "share": 10,
        "labels": null, "lead": "p2", "serial": 7, "waits_for": "the step lasts 12 s more",
        "canary": group(1, 200, 4, 0.02), "control": group(9, 900, 0, 0.0),
    })
}

#[test]
fn a_rollout_is_shown_with_both_groups_side_by_side() {
    assert_eq!(
        shown(Form::Table, &rollout()).unwrap(),
        "rollout running: step 2 of 4, 10 % and p2 first\n\
         by ada: try\n\
         waits:  the step lasts 12 s more\n\
         GROUP    PROXIES  APPLIED  CALLS  FAILURES  RATIO   MEAN    NACKS  SERIALS\n\
         canary   1        1        200    4         2.00 %  1.5 ms  0      7\n\
         control  9        9        900    0         0.00 %  1.5 ms  0      7"
    );
    let bare =
        json!({"phase": "aborted", "why": "enough", "step": 1, "steps": 1, "labels": "track=canary", "share": 0});
    assert_eq!(
        shown(Form::Table, &bare).unwrap(),
        "rollout aborted: step 1 of 1, track=canary\nby -: -\nwhy:    enough"
    );
}

#[test]
fn more_calls_are_no_change_of_a_rollout_and_another_step_is_one() {
    let (now, mut later) = (rollout(), rollout());
    later["canary"]["calls"] = 300.into();
    assert_eq!(state(&now), state(&later));
    later["step"] = 3.into();
    assert_ne!(state(&now), state(&later));
}
