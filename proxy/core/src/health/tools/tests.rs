use std::time::{Duration, Instant};

use outrigger_model::pool::policy::PoolPolicy;

use super::{TOOLS_MAX, Tool, Tools};

#[test]
fn a_tool_that_fails_in_a_row_is_put_aside_alone_and_longer_each_time() {
    let (tools, policy) = (Tools::default(), PoolPolicy::default());
    let (bad, good) = (Tool::of("forecast"), Tool::of("history"));
    let mut now = Instant::now();
    assert!(!tools.is_any_failing());
    let put_aside: Vec<bool> = (0..5).map(|_| tools.failed(bad, &policy, now)).collect();
    assert_eq!(put_aside, [false, false, false, false, true]);
    assert!(tools.is_avoided(bad, now) && !tools.is_avoided(good, now));
    for seconds in [2, 4, 8, 16, 30, 30] {
        now += Duration::from_secs(60);
        assert!(!tools.is_avoided(bad, now), "it comes back by itself");
        assert!(tools.failed(bad, &policy, now), "and is put aside at its next failure");
        assert!(tools.is_avoided(bad, now + Duration::from_millis(seconds * 1_000 - 1)));
        assert!(!tools.is_avoided(bad, now + Duration::from_secs(seconds)));
    }
    tools.succeeded(bad);
    assert!(!tools.is_any_failing());
    assert!(!tools.failed(bad, &policy, now), "all is forgotten");
}

#[test]
fn no_more_tools_are_known_than_there_is_room_for() {
    let (tools, policy, began) = (Tools::default(), PoolPolicy::default(), Instant::now());
    let tool = |number: usize| Tool::of(&format!("tool-{number}"));
    for number in 0..10 * TOOLS_MAX {
        for _ in 0..5 {
            tools.failed(tool(number), &policy, began + Duration::from_micros(number as u64));
        }
    }
    let now = began + Duration::from_millis(1);
    assert_eq!(tools.avoided(now), TOOLS_MAX);
    assert!(tools.is_avoided(tool(10 * TOOLS_MAX - 1), now) && !tools.is_avoided(tool(0), now));
}
