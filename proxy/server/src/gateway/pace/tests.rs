use std::time::{Duration, Instant};

use super::{Pace, Pacer};

const SECOND: Duration = Duration::from_secs(1);

fn pacer() -> Pacer {
    Pacer::new(Pace { grace: 5 * SECOND, bytes_per_second_min: 100 })
}

#[test]
fn a_caller_that_sends_nothing_has_the_grace() {
    let start = Instant::now();
    let mut pacer = pacer();
    assert_eq!(pacer.due(), None, "it was not waited for");
    pacer.wait(start);
    pacer.wait(start + SECOND);
    assert_eq!(pacer.due(), Some(start + 5 * SECOND), "waiting on does not begin anew");
    assert!(!pacer.is_overdue(start + 4 * SECOND) && pacer.is_overdue(start + 5 * SECOND));
}

#[test]
fn every_byte_earns_time_and_waiting_uses_it_up() {
    let start = Instant::now();
    let mut pacer = pacer();
    pacer.wait(start);
    pacer.came(200, start + 3 * SECOND);
    assert_eq!(pacer.due(), None);
    pacer.wait(start + 10 * SECOND);
    // 5 of grace and 2 earned, less 3 waited; the time between was ours.
    assert_eq!(pacer.due(), Some(start + 14 * SECOND));
}

#[test]
fn a_drip_below_the_pace_ends_and_one_above_goes_on() {
    for (bytes, ends) in [(50, true), (150, false)] {
        let mut now = Instant::now();
        let mut pacer = pacer();
        let ended = (0..60).any(|_| {
            pacer.wait(now);
            now += SECOND;
            let overdue = pacer.is_overdue(now);
            pacer.came(bytes, now);
            overdue
        });
        assert_eq!(ended, ends, "{bytes} bytes a second");
    }
}
