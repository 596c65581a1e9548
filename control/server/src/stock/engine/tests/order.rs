//! Order: rules O. A swap of clusters under a route is what all of it is for.

use super::*;
use Kind::{Cluster, Endpoints, Listener, Route};

const MODES: [Mode; 2] = [Mode::Sotw, Mode::Delta];
const OLD: Content<'_> = &[(Cluster, &["old"]), (Endpoints, &["old"]), (Listener, &["l"]), (Route, &["r=1>old"])];
const NEW: Content<'_> = &[(Cluster, &["new"]), (Endpoints, &["new"]), (Listener, &["l"]), (Route, &["r=2>new"])];

/// An Envoy that runs what the first edition says.
fn envoy(mode: Mode, edition: &Edition) -> Client {
    let mut client = Client::new(mode);
    client.wants(Cluster, &[]).wants(Endpoints, &["old"]).wants(Listener, &[]).wants(Route, &["r"]);
    client.settles(edition);
    client
}

fn kinds(heard: &[Short]) -> Vec<Kind> {
    heard.iter().map(|(kind, _)| *kind).collect()
}

#[test]
fn o1_all_at_once_goes_in_the_order_of_what_names_what() {
    for mode in MODES {
        let edition = Place::default().edition(OLD);
        let mut client = Client::new(mode);
        client.wants(Route, &["r"]).wants(Listener, &[]).wants(Endpoints, &["old"]).wants(Cluster, &[]);
        assert_eq!(kinds(&client.hears(&edition)), [Cluster, Endpoints, Listener, Route], "{mode:?}");
    }
}

#[test]
fn o2_the_old_cluster_stays_until_the_routes_that_left_it_were_accepted() {
    let mut place = Place::default();
    let mut client = envoy(Mode::Sotw, &place.edition(OLD));
    let new = place.edition(NEW);
    client.is_told(&new, Cluster, &["new=1", "old=1"]).wants(Endpoints, &["new", "old"]);
    client.is_told(&new, Endpoints, &["new=1"]).accepts(Endpoints).is_told_nothing(&new);
    client.accepts(Cluster).is_told(&new, Route, &["r=2"]).is_told_nothing(&new);
    client.accepts(Route).is_told(&new, Cluster, &["new=1"]).accepts(Cluster).is_told_nothing(&new);

    let mut place = Place::default();
    let mut client = envoy(Mode::Delta, &place.edition(OLD));
    let new = place.edition(NEW);
    client.is_told(&new, Cluster, &["new=1"]).wants(Endpoints, &["new"]);
    client.is_told(&new, Endpoints, &["new=1"]).accepts(Endpoints).is_told_nothing(&new);
    client.accepts(Cluster).is_told(&new, Route, &["r=2"]).is_told_nothing(&new).accepts(Route);
    assert_eq!(client.hears(&new), told(&[(Cluster, &["-old"]), (Endpoints, &["-old"])]));
}

#[test]
fn o2_a_cluster_that_was_refused_is_not_held_back() {
    let mut place = Place::default();
    let mut client = envoy(Mode::Sotw, &place.edition(OLD));
    let bad = place.edition(&[
        (Cluster, &["bad", "old"]),
        (Endpoints, &["bad", "old"]),
        (Listener, &["l"]),
        (Route, &["r=bad>bad"]),
    ]);
    client.is_told(&bad, Cluster, &["bad=1", "old=1"]).refuses(Cluster).is_told_nothing(&bad);
    let good = place.edition(NEW);
    client.is_told(&good, Cluster, &["new=1", "old=1"]);
}

#[test]
fn o2_routes_that_were_refused_keep_what_the_accepted_ones_lead_to() {
    for mode in MODES {
        let mut place = Place::default();
        let mut client = envoy(mode, &place.edition(OLD));
        let new = place.edition(NEW);
        client.hears(&new);
        client.accepts(Cluster).is_told(&new, Route, &["r=2"]).refuses(Route);
        assert_eq!(client.later(60).hears(&new), [], "{mode:?}: calls still go to the old one");
        let back =
            place.edition(&[(Cluster, &["new"]), (Endpoints, &["new"]), (Listener, &["l"]), (Route, &["r=3>new"])]);
        client.is_told(&back, Route, &["r=3"]).accepts(Route);
        assert_eq!(kinds(&client.hears(&back)).first(), Some(&Cluster), "{mode:?}");
    }
}

#[test]
fn o3_endpoints_follow_each_change_of_their_cluster_at_once() {
    for mode in MODES {
        let mut place = Place::default();
        let mut client = envoy(mode, &place.edition(OLD));
        let changed =
            place.edition(&[(Cluster, &["old=2"]), (Endpoints, &["old"]), (Listener, &["l"]), (Route, &["r=1>old"])]);
        assert_eq!(client.hears(&changed), told(&[(Cluster, &["old=2"]), (Endpoints, &["old=1"])]), "{mode:?}");
    }
}

#[test]
fn o3_endpoints_follow_even_if_an_answer_about_them_waits() {
    let mut place = Place::default();
    let mut client = envoy(Mode::Delta, &place.edition(OLD));
    let moved =
        place.edition(&[(Cluster, &["old"]), (Endpoints, &["old=2"]), (Listener, &["l"]), (Route, &["r=1>old"])]);
    client.is_told(&moved, Endpoints, &["old=2"]);
    let changed =
        place.edition(&[(Cluster, &["old=3"]), (Endpoints, &["old=2"]), (Listener, &["l"]), (Route, &["r=1>old"])]);
    client.is_told(&changed, Cluster, &["old=3"]).accepts(Endpoints).is_told(&changed, Endpoints, &["old=2"]);
}

#[test]
fn o4_a_client_that_never_accepts_its_clusters_gets_its_routes_all_the_same() {
    for mode in MODES {
        let mut place = Place::default();
        let mut client = envoy(mode, &place.edition(OLD));
        let new = place.edition(NEW);
        client.hears(&new);
        client.later(4).is_told_nothing(&new);
        let wakes = client.engine.wakes_at().expect("it is looked at again");
        assert!(wakes > client.now && wakes <= client.now + std::time::Duration::from_secs(1), "{mode:?}");
        client.later(1).is_told(&new, Route, &["r=2"]);
    }
}

#[test]
fn o4_a_client_that_never_accepts_its_routes_loses_the_old_cluster_in_the_end() {
    let mut place = Place::default();
    let mut client = envoy(Mode::Delta, &place.edition(OLD));
    let new = place.edition(NEW);
    client.hears(&new);
    client.accepts(Cluster).is_told(&new, Route, &["r=2"]).later(4).is_told_nothing(&new);
    assert!(client.engine.wakes_at().is_some());
    assert_eq!(client.later(1).hears(&new).first(), told(&[(Cluster, &["-old"])]).first());
}

#[test]
fn o4_a_client_without_routes_waits_for_nothing() {
    let mut place = Place::default();
    let mut client = Client::new(Mode::Delta);
    client.wants(Cluster, &[]);
    client.settles(&place.edition(OLD));
    client.is_told(&place.edition(NEW), Cluster, &["new=1", "-old"]);
}

#[test]
fn o5_what_is_asked_for_is_given_at_once() {
    for mode in MODES {
        let mut place = Place::default();
        let mut client = Client::new(mode);
        client.wants(Cluster, &[]);
        client.settles(&place.edition(OLD));
        let new = place.edition(NEW);
        client.hears(&new);
        client.wants(Route, &["r"]).is_told(&new, Route, &["r=2"]);
    }
}

#[test]
fn o5_who_asks_for_clusters_by_name_learns_of_them_from_its_routes() {
    let mut place = Place::default();
    let mut grpc = Client::new(Mode::Sotw);
    grpc.wants(Listener, &["l"]).wants(Route, &["r"]).wants(Cluster, &["old"]).wants(Endpoints, &["old"]);
    grpc.settles(&place.edition(OLD));
    let new = place.edition(NEW);
    grpc.is_told(&new, Route, &["r=2"]).wants(Cluster, &["old", "new"]);
    grpc.is_told(&new, Cluster, &["new=1", "old=1"]).accepts(Route);
}

#[test]
fn who_comes_back_with_routes_that_are_no_more_keeps_its_clusters_until_it_has_others() {
    let mut place = Place::default();
    let old = place.edition(OLD);
    let new = place.edition(NEW);
    let mut again = Client::new(Mode::Delta);
    again.returns(Cluster, &["*"], &[("old", &old)]).returns(Route, &["r"], &[("r", &old)]);
    again.is_told(&new, Cluster, &["new=1"]).accepts(Cluster);
    again.is_told(&new, Route, &["r=2"]).accepts(Route).is_told(&new, Cluster, &["-old"]);
}
