use super::*;

fn node(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn seen(name: &str, lane: Lane, applied: u64) -> Seen {
    let labels = match lane {
        Lane::Main => Labels::default(),
        Lane::Canary => Labels::parse([("track", "canary")]).unwrap(),
    };
    let applied = Some(Serial(applied));
    Seen { node: node(name), labels, is_connected: true, lane, applied, refusal: None }
}

fn tally(since: u64, calls: u64, failed: u64) -> Tally {
    Tally { since, calls, failed, ..Tally::default() }
}

fn tallies(all: &[(&str, Tally)]) -> BTreeMap<NodeId, Tally> {
    all.iter().map(|(name, tally)| (node(name), *tally)).collect()
}

fn summed(seen: &[Seen], tallies: &BTreeMap<NodeId, Tally>, baseline: &mut Baseline) -> Groups {
    let membership = Membership { selector: Some("track=canary".parse().unwrap()), ..Membership::default() };
    groups(seen, &membership, Since { rollout: Serial(10), step: Serial(20) }, tallies, baseline)
}

#[test]
fn each_proxy_counts_once_in_its_group_from_the_beginning_of_the_step() {
    let all =
        [seen("a", Lane::Canary, 20), seen("b", Lane::Main, 25), seen("c", Lane::Main, 19), seen("b", Lane::Main, 25)];
    let mut baseline = Baseline::new(tallies(&[("a", tally(1, 100, 50)), ("b", tally(1, 10, 0))]));
    // `c` was not heard when the step began.
    let now = tallies(&[("a", tally(1, 130, 51)), ("b", tally(1, 30, 2)), ("c", tally(1, 1_000, 900))]);
    let Groups { canary, control } = summed(&all, &now, &mut baseline);
    assert_eq!((canary.proxies, canary.applied, canary.tally.calls, canary.tally.failed), (1, 1, 30, 1));
    assert_eq!((control.proxies, control.applied, control.tally.calls, control.tally.failed), (2, 1, 20, 2));
    assert_eq!(control.serials, Some((Serial(19), Serial(25))));
    let later = tallies(&[("a", tally(2, 5, 5)), ("b", tally(1, 30, 2)), ("c", tally(1, 1_004, 901))]);
    let Groups { canary, control } = summed(&all, &later, &mut baseline);
    assert_eq!((canary.tally.calls, canary.tally.failed), (5, 5), "it started again and counts anew");
    assert_eq!((control.tally.calls, control.tally.failed), (24, 3), "from when it was first heard");
}

#[test]
fn who_is_still_sent_the_other_snapshots_has_not_applied() {
    let moving = Seen { lane: Lane::Main, ..seen("a", Lane::Canary, 99) };
    let canary = summed(&[moving], &BTreeMap::new(), &mut Baseline::default()).canary;
    assert_eq!((canary.proxies, canary.applied, canary.serials), (1, 0, None));
}

#[test]
fn a_refusal_counts_if_it_is_of_a_snapshot_of_the_rollout_even_of_one_that_went() {
    let refused = |serial: u64, lane, is_connected| {
        let refusal = Some((lane, Serial(serial), "Route/a: no".to_owned()));
        Seen { refusal, is_connected, ..seen("a", Lane::Canary, 5) }
    };
    let of = |proxy| summed(&[proxy], &BTreeMap::new(), &mut Baseline::default());
    let canary = of(refused(10, Lane::Canary, false)).canary;
    assert_eq!((canary.refusal.as_deref(), canary.proxies), (Some("a refused 10: Route/a: no"), 0));
    assert_eq!(of(refused(9, Lane::Canary, true)).canary.refused, 0, "that was before");
    let Groups { canary, control } = of(refused(10, Lane::Main, true));
    assert_eq!((canary.refused, control.refused), (0, 1), "that was no snapshot of the candidate");
}
