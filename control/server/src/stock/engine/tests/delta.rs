//! Deltas: rules B and D.

use bytes::Bytes;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, Serial};

use super::*;
use crate::stock::shelf::Shelf;
use Kind::{Cluster, Endpoints, Listener, Route};

fn client() -> Client {
    Client::new(Mode::Delta)
}

#[test]
fn d1_a_name_that_is_asked_for_is_answered_whatever_is_believed() {
    let edition = Place::default().edition(&[(Endpoints, &["a"])]);
    let mut client = client();
    client.wants(Endpoints, &["a"]).is_told(&edition, Endpoints, &["a=1"]).accepts(Endpoints);
    client.wants(Endpoints, &["a"]).is_told(&edition, Endpoints, &["a=1"]);
}

#[test]
fn d2_a_name_that_is_not_there_is_taken_back_at_once_and_sent_when_it_comes() {
    let mut place = Place::default();
    let before = place.edition(&[]);
    let mut client = client();
    client.wants(Endpoints, &["late"]).is_told(&before, Endpoints, &["-late"]).accepts(Endpoints);
    client.is_told_nothing(&before);
    client.is_told(&place.edition(&[(Endpoints, &["late"])]), Endpoints, &["late=1"]);
}

#[test]
fn d3_everything_is_answered_even_if_it_is_nothing() {
    let edition = Place::default().edition(&[]);
    client().wants(Cluster, &["*"]).is_told(&edition, Cluster, &[]).accepts(Cluster).is_told_nothing(&edition);
    client().wants(Listener, &[]).is_told(&edition, Listener, &[]);
    client().wants(Endpoints, &[]).is_told_nothing(&edition);
}

#[test]
fn d4_a_stale_nonce_does_not_lose_what_is_wanted() {
    let edition = Place::default().edition(&[(Endpoints, &["a", "b"])]);
    let mut client = client();
    client.wants(Endpoints, &["a"]).is_told(&edition, Endpoints, &["a=1"]).accepts(Endpoints);
    client.says_with(Endpoints, &["b"], "1.0").is_told(&edition, Endpoints, &["b=1"]);
}

#[test]
fn d5_unsubscribing_is_silent_but_under_a_wildcard() {
    let mut place = Place::default();
    let edition = place.edition(&[(Endpoints, &["a", "b"]), (Cluster, &["a", "b"])]);
    let mut client = client();
    client.wants(Endpoints, &["a", "b"]);
    client.settles(&edition);
    client.wants(Endpoints, &["-a", "-unknown"]).is_told_nothing(&edition);
    let mut client = Client::new(Mode::Delta);
    client.wants(Cluster, &["*", "a", "gone"]);
    assert_eq!(client.settles(&edition), told(&[(Cluster, &["a=1", "b=1", "-gone"])]));
    client.wants(Cluster, &["-a"]).is_told(&edition, Cluster, &["a=1"]).accepts(Cluster);
    client.wants(Cluster, &["-gone"]).is_told(&edition, Cluster, &["-gone"]);
}

#[test]
fn d6_who_no_longer_wants_everything_keeps_what_it_named() {
    let edition = Place::default().edition(&[(Cluster, &["a", "b", "c"])]);
    let mut client = client();
    client.wants(Cluster, &["*", "a"]);
    client.settles(&edition);
    client.wants(Cluster, &["-*"]).is_told(&edition, Cluster, &["-b", "-c"]).accepts(Cluster).is_told_nothing(&edition);
}

#[test]
fn d7_who_comes_back_is_told_what_differs_and_what_went() {
    let mut place = Place::default();
    let before = place.edition(&[(Cluster, &["same", "old", "gone"]), (Endpoints, &["same", "old"]), (Route, &["r"])]);
    let after =
        place.edition(&[(Cluster, &["same", "old=2", "new"]), (Endpoints, &["same", "old=2"]), (Route, &["r"])]);
    let mut again = client();
    again.returns(Cluster, &["*"], &[("same", &before), ("old", &before), ("gone", &before)]);
    again.returns(Route, &["r"], &[("r", &before)]);
    again.is_told(&after, Cluster, &["new=1", "old=2", "-gone"]).accepts(Cluster).is_told_nothing(&after);
    // Where a cluster changed its endpoints follow in any case; see O3.
    again.returns(Endpoints, &["same", "old"], &[("same", &before), ("old", &before)]);
    again.is_told(&after, Endpoints, &["old=2"]);
}

#[test]
fn d7_who_holds_what_there_is_is_told_nothing() {
    let edition =
        Place::default().edition(&[(Cluster, &["a"]), (Endpoints, &["a"]), (Listener, &["l"]), (Route, &["r"])]);
    let mut again = client();
    again.returns(Cluster, &["*"], &[("a", &edition)]).returns(Endpoints, &["a"], &[("a", &edition)]);
    again.returns(Listener, &[], &[("l", &edition)]).returns(Route, &["r"], &[("r", &edition)]);
    again.is_told_nothing(&edition);
}

#[test]
fn d8_only_what_changed_travels() {
    let mut place = Place::default();
    let mut client = client();
    client.wants(Cluster, &[]);
    client.settles(&place.edition(&[(Cluster, &["a", "b", "c"])]));
    client.is_told(&place.edition(&[(Cluster, &["a", "b=2", "c"])]), Cluster, &["b=2"]);
}

#[test]
fn b3_what_was_refused_is_not_repeated_by_itself() {
    let mut place = Place::default();
    let first = place.edition(&[(Cluster, &["a"])]);
    let mut client = client();
    client.wants(Cluster, &[]);
    client.settles(&first);
    let second = place.edition(&[(Cluster, &["a", "bad"])]);
    client.is_told(&second, Cluster, &["bad=1"]).refuses(Cluster).is_told_nothing(&second);
    // It was the only one in that answer, so it does not spoil the next.
    let third = place.edition(&[(Cluster, &["a", "bad", "c"])]);
    client.is_told(&third, Cluster, &["c=1"]).accepts(Cluster).is_told_nothing(&third);
    let fourth = place.edition(&[(Cluster, &["a", "bad=2", "c"])]);
    client.is_told(&fourth, Cluster, &["bad=2"]);
}

#[test]
fn b11_all_of_a_refused_answer_is_in_doubt_and_goes_with_the_next() {
    let mut place = Place::default();
    let first = place.edition(&[(Cluster, &["a", "bad"])]);
    let mut client = client();
    client.wants(Cluster, &[]).is_told(&first, Cluster, &["a=1", "bad=1"]).refuses(Cluster).is_told_nothing(&first);
    let second = place.edition(&[(Cluster, &["a", "bad=2"])]);
    client.is_told(&second, Cluster, &["bad=2", "a=1"]).accepts(Cluster).is_told_nothing(&second);
}

#[test]
fn b11_going_back_repairs_who_took_half_of_what_it_refused() {
    let mut place = Place::default();
    let good = place.edition(&[(Cluster, &["a", "b"])]);
    let mut client = client();
    client.wants(Cluster, &[]);
    client.settles(&good);
    let bad = place.edition(&[(Cluster, &["a=2", "b=bad"])]);
    client.is_told(&bad, Cluster, &["a=2", "b=bad"]).refuses(Cluster);
    let back = place.edition(&[(Cluster, &["a", "b"])]);
    client.is_told(&back, Cluster, &["a=1", "b=1"]).accepts(Cluster);
    // The same over a new stream: it runs `a=2` and says that it has the first `a`.
    let mut again = Client::new(Mode::Delta);
    again.returns(Cluster, &["*"], &[("a", &good), ("b", &good)]).is_told(&back, Cluster, &["a=1", "b=1"]);
}

#[test]
fn a_removal_that_was_refused_is_not_repeated_by_itself() {
    let mut place = Place::default();
    let mut client = client();
    client.wants(Cluster, &[]);
    client.settles(&place.edition(&[(Cluster, &["a", "b"])]));
    let second = place.edition(&[(Cluster, &["a"])]);
    client.is_told(&second, Cluster, &["-b"]).refuses(Cluster).is_told_nothing(&second);
    client.is_told(&place.edition(&[(Cluster, &["a", "b"])]), Cluster, &["b=1"]);
}

#[test]
fn f1_one_answer_per_kind_waits_and_the_newest_follows() {
    let mut place = Place::default();
    let mut client = client();
    client.wants(Endpoints, &["a"]).is_told(&place.edition(&[(Endpoints, &["a"])]), Endpoints, &["a=1"]);
    client.is_told_nothing(&place.edition(&[(Endpoints, &["a=2"])]));
    let third = place.edition(&[(Endpoints, &["a=3"])]);
    client.is_told_nothing(&third).accepts(Endpoints).is_told(&third, Endpoints, &["a=3"]);
}

#[test]
fn f5_a_large_answer_comes_in_parts_of_a_mebibyte() {
    let large = |name: &str| {
        let body = Bytes::from(vec![b'x'; 400 * 1_024]);
        let token = Token::new(Epoch(7), Serial(1), &Digest::of(name.as_bytes()));
        Arc::new(Resource { name: name.into(), token, body, leads_to: vec![] })
    };
    let shelf = |kind: Kind| match kind {
        Cluster => Arc::new(Shelf::new(Epoch(7), Serial(1), ["a", "b", "c", "d", "e"].map(large))),
        _ => Arc::new(Shelf::new(Epoch(7), Serial(1), [])),
    };
    let edition = Edition::new(Epoch(7), Serial(1), shelf);
    let mut client = client();
    client.wants(Cluster, &[]);
    let names = |told: Vec<Short>| told.into_iter().map(|(_, parts)| parts.len()).collect::<Vec<_>>();
    assert_eq!(names(client.settles(&edition)), [2, 2, 1]);
}
