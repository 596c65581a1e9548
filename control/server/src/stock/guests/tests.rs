use super::*;

fn who(node: &str) -> Who {
    Who {
        node: NodeId::new(node).unwrap(),
        identity: None,
        dialect: "envoy",
        mode: Mode::Delta,
        build: String::new(),
        view: ViewKey::base(),
    }
}

fn only(guests: &Guests) -> Row {
    let rows = guests.list();
    assert_eq!(rows.len(), 1);
    rows.into_iter().next().unwrap()
}

#[test]
fn a_refusal_is_kept_until_something_else_is_accepted_and_also_when_its_client_is_gone() {
    let guests = Guests::default();
    let visit = guests.open(who("edge"), Instant::now()).unwrap();
    visit.told(Kind::Cluster);
    visit.refused(Kind::Cluster, "v2".into(), "bad cluster".into());
    drop(visit);
    let row = only(&guests);
    assert_eq!((row.streams, row.kinds[&Kind::Cluster].refusals), (0, 1));
    assert_eq!(row.kinds[&Kind::Cluster].refusal, Some(("v2".into(), "bad cluster".into())));
    let visit = guests.open(who("edge"), Instant::now()).unwrap();
    visit.accepted(Kind::Cluster, "v3".into());
    let told = only(&guests).kinds[&Kind::Cluster].clone();
    assert_eq!((told.version.as_deref(), told.refusal), (Some("v3"), None));
}

#[test]
fn a_node_has_a_bounded_number_of_streams() {
    let guests = Guests::default();
    let visits: Vec<_> = (0..STREAMS_PER_NODE_MAX).map(|_| guests.open(who("edge"), Instant::now()).unwrap()).collect();
    assert_eq!(guests.open(who("edge"), Instant::now()).unwrap_err(), Full::Node);
    assert!(guests.open(who("other"), Instant::now()).is_ok());
    drop(visits);
    assert!(guests.open(who("edge"), Instant::now()).is_ok());
}

#[test]
fn of_those_that_went_only_the_latest_are_kept() {
    let guests = Guests::default();
    for at in 0..GONE_MAX + 50 {
        drop(guests.open(who(&format!("edge-{at}")), Instant::now()).unwrap());
    }
    assert_eq!(guests.list().len(), GONE_MAX);
}
