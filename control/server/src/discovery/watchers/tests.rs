use super::*;

fn open_as(watchers: &Watchers, node: &str, role: Role) -> Result<Watching, Full> {
    let (node, build) = (NodeId::new(node).unwrap(), "0.1.0".to_owned());
    let who = Who { node, identity: None, role, build, labels: Labels::default() };
    watchers.open(who, Place::from(&Scope::base()), Instant::now())
}

fn open(watchers: &Watchers, node: &str) -> Result<Watching, Full> {
    open_as(watchers, node, Role::Proxy)
}

#[test]
fn who_only_looks_leaves_no_row_behind() {
    let watchers = Watchers::default();
    let watching = open_as(&watchers, "watch-1", Role::Observer).unwrap();
    assert_eq!(watchers.list().len(), 1);
    drop(watching);
    assert!(watchers.list().is_empty());
}

#[test]
fn a_node_that_went_is_still_listed_with_what_it_ran() {
    let watchers = Watchers::default();
    let watching = open(&watchers, "weather-1").unwrap();
    watching.refused(Serial(2), "Route/a: bad".to_owned());
    assert_eq!(watchers.list()[0].refusal, Some((Serial(2), "Route/a: bad".to_owned())));
    watching.applied(Serial(3), Some(Digest::of(b"all")), Instant::now());
    drop(watching);
    let rows = watchers.list();
    assert_eq!((rows[0].streams, rows[0].applied, rows[0].refusal.clone()), (0, Some(Serial(3)), None));
    assert_eq!(rows[0].digest, Some(Digest::of(b"all")));
}

#[test]
fn a_node_has_a_bounded_number_of_streams() {
    let watchers = Watchers::default();
    let held: Vec<_> = (0..STREAMS_PER_NODE_MAX).map(|_| open(&watchers, "weather-1").unwrap()).collect();
    assert_eq!(open(&watchers, "weather-1").unwrap_err(), Full::Node);
    assert!(open(&watchers, "weather-2").is_ok());
    drop(held);
    assert!(open(&watchers, "weather-1").is_ok());
}

#[test]
fn an_identity_has_more_streams_than_a_node_and_not_all_of_them() {
    let watchers = Watchers::default();
    let identity: SpiffeId = "spiffe://local/agent/weather".parse().unwrap();
    let open = |node: usize, identity: Option<&SpiffeId>| {
        let node = NodeId::new(&format!("weather-{node}")).unwrap();
        let who = Who {
            node,
            identity: identity.cloned(),
            role: Role::Proxy,
            build: String::new(),
            labels: Labels::default(),
        };
        watchers.open(who, Place::from(&Scope::base()), Instant::now())
    };
    let mut held: Vec<_> = (0..STREAMS_PER_IDENTITY_MAX).map(|node| open(node, Some(&identity)).unwrap()).collect();
    assert_eq!(open(9_999, Some(&identity)).unwrap_err(), Full::Identity);
    let other = "spiffe://local/agent/news".parse().unwrap();
    assert!(open(9_999, Some(&other)).is_ok() && open(9_999, None).is_ok(), "nobody else is shut out");
    held.pop();
    assert!(open(9_999, Some(&identity)).is_ok());
}

#[test]
fn of_those_that_went_only_the_latest_are_kept() {
    let watchers = Watchers::default();
    for number in 0..GONE_MAX + 10 {
        drop(open(&watchers, &format!("n{number}")).unwrap());
    }
    assert_eq!(watchers.list().len(), GONE_MAX);
}

#[test]
fn what_was_refused_of_a_candidate_is_known_after_another_snapshot_was_applied() {
    let watchers = Watchers::default();
    let watching = open(&watchers, "weather-1").unwrap();
    watching.refused(Serial(1), "of the main lane".to_owned());
    watching.moved(Place::from(&Scope::base().on(Lane::Canary)));
    assert_eq!(watchers.list()[0].refused_candidate, None);
    watching.refused(Serial(2), "Route/a: bad".to_owned());
    watching.applied(Serial(3), None, Instant::now());
    let row = watchers.list().remove(0);
    assert_eq!((row.refusal, row.applied_lane), (None, Lane::Canary));
    assert_eq!(row.refused_candidate, Some((Serial(2), "Route/a: bad".to_owned())));
}
