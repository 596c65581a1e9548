//! State of the world: rules B and W.

use super::*;
use Kind::{Cluster, Endpoints, Listener, Route, Secret};

fn client() -> Client {
    Client::new(Mode::Sotw)
}

#[test]
fn b2_an_acceptance_is_never_answered() {
    let edition = Place::default().edition(&[(Cluster, &["a"])]);
    client().wants(Cluster, &[]).is_told(&edition, Cluster, &["a=1"]).accepts(Cluster).is_told_nothing(&edition);
}

#[test]
fn b3_a_refusal_is_not_answered_with_the_same_and_w1_the_next_different_content_is_whole() {
    let mut place = Place::default();
    let first = place.edition(&[(Cluster, &["a", "bad"])]);
    let mut client = client();
    client.wants(Cluster, &[]).is_told(&first, Cluster, &["a=1", "bad=1"]).refuses(Cluster);
    client.is_told_nothing(&first).later(60).is_told_nothing(&first);
    let second = place.edition(&[(Cluster, &["a", "bad", "c"])]);
    client.is_told(&second, Cluster, &["a=1", "bad=1", "c=1"]).refuses(Cluster).is_told_nothing(&second);
    let third = place.edition(&[(Cluster, &["a", "c"])]);
    client.is_told(&third, Cluster, &["a=1", "c=1"]).accepts(Cluster).is_told_nothing(&third);
}

#[test]
fn b4_a_refusal_may_change_what_is_wanted() {
    let edition = Place::default().edition(&[(Endpoints, &["a", "b", "c"])]);
    let mut client = client();
    client.wants(Endpoints, &["a", "b"]).is_told(&edition, Endpoints, &["a=1", "b=1"]);
    client.refuses_and_wants(Endpoints, &["a", "b", "c"]).is_told(&edition, Endpoints, &["c=1", "a=1", "b=1"]);
}

#[test]
fn b6_a_name_that_is_not_there_is_said_to_be_missing_once_and_sent_when_it_comes() {
    let mut place = Place::default();
    let before = place.edition(&[(Endpoints, &["a"])]);
    let mut client = client();
    client.wants(Endpoints, &["a", "late"]).is_told(&before, Endpoints, &["a=1", "?late"]).accepts(Endpoints);
    client.is_told_nothing(&before);
    let after = place.edition(&[(Endpoints, &["a", "late"])]);
    client.is_told(&after, Endpoints, &["late=1"]);
}

#[test]
fn b9_nothing_is_said_when_nothing_changed() {
    let mut place = Place::default();
    let content: Content<'_> = &[(Cluster, &["a"]), (Listener, &["l"])];
    let first = place.edition(content);
    let mut client = client();
    client.wants(Cluster, &[]).wants(Listener, &[]);
    assert_eq!(client.settles(&first).len(), 2);
    client.is_told_nothing(&place.edition(content));
}

#[test]
fn w1_roots_come_whole_and_the_others_as_changes() {
    let mut place = Place::default();
    let first = place.edition(&[(Cluster, &["a", "b"]), (Endpoints, &["a", "b"])]);
    let mut client = client();
    client.wants(Cluster, &[]).wants(Endpoints, &["a", "b"]);
    client.settles(&first);
    let second = place.edition(&[(Cluster, &["a", "b=2"]), (Endpoints, &["a", "b=2"])]);
    let heard = client.settles(&second);
    assert_eq!(heard, told(&[(Cluster, &["a=1", "b=2"]), (Endpoints, &["b=2"])]));
}

#[test]
fn w2_what_is_not_in_a_whole_answer_is_gone_and_others_die_with_what_names_them() {
    let mut place = Place::default();
    let first = place.edition(&[(Cluster, &["a", "b"]), (Secret, &["s"])]);
    let mut client = client();
    client.wants(Cluster, &[]).wants(Secret, &["s"]);
    client.settles(&first);
    let second = place.edition(&[(Cluster, &["a"])]);
    client.is_told(&second, Cluster, &["a=1"]).accepts(Cluster).is_told_nothing(&second);
    let third = place.edition(&[(Cluster, &["a"]), (Secret, &["s"])]);
    client.is_told(&third, Secret, &["s=1"]);
}

#[test]
fn w3_a_name_that_is_wanted_again_is_sent_again() {
    let edition = Place::default().edition(&[(Endpoints, &["a", "b"])]);
    let mut client = client();
    client.wants(Endpoints, &["a"]).is_told(&edition, Endpoints, &["a=1"]).accepts(Endpoints);
    client.wants(Endpoints, &["a", "b"]).is_told(&edition, Endpoints, &["b=1"]).accepts(Endpoints);
    client.wants(Endpoints, &["b"]).is_told_nothing(&edition);
    client.wants(Endpoints, &["a", "b"]).is_told(&edition, Endpoints, &["a=1"]);
}

#[test]
fn w4_a_request_that_was_written_before_the_newest_answer_was_read_counts_for_nothing() {
    let mut place = Place::default();
    let first = place.edition(&[(Endpoints, &["a", "b"])]);
    let mut client = client();
    client.wants(Endpoints, &["a"]).is_told(&first, Endpoints, &["a=1"]);
    let old = client.nonces[&Endpoints].clone();
    client.accepts(Endpoints);
    let second = place.edition(&[(Endpoints, &["a=2", "b"])]);
    client.is_told(&second, Endpoints, &["a=2"]);
    client.says_with(Endpoints, &["a", "b"], &old).is_told_nothing(&second);
    let new = client.nonces[&Endpoints].clone();
    client.says_with(Endpoints, &["a", "b"], &new).is_told(&second, Endpoints, &["b=1"]);
}

#[test]
fn w5_an_empty_list_is_everything_for_roots_only_and_nothing_once_something_was_named() {
    let edition = Place::default().edition(&[(Listener, &["l", "m"]), (Endpoints, &["a"]), (Route, &["r"])]);
    let mut client = client();
    client.wants(Endpoints, &[]).wants(Route, &[]).is_told_nothing(&edition);
    client.wants(Listener, &["l"]).is_told(&edition, Listener, &["l=1"]).accepts(Listener);
    client.wants(Listener, &[]).is_told_nothing(&edition);
}

#[test]
fn w5_everything_is_answered_even_if_it_is_nothing() {
    let edition = Place::default().edition(&[]);
    client().wants(Listener, &[]).is_told(&edition, Listener, &[]).accepts(Listener).is_told_nothing(&edition);
}

#[test]
fn w6_who_no_longer_wants_everything_keeps_what_it_named() {
    let mut place = Place::default();
    let first = place.edition(&[(Cluster, &["a", "b"])]);
    let mut client = client();
    client.wants(Cluster, &["*", "a"]).is_told(&first, Cluster, &["a=1", "b=1"]).accepts(Cluster);
    client.wants(Cluster, &["a"]).is_told_nothing(&first);
    let second = place.edition(&[(Cluster, &["a", "b=2"])]);
    client.is_told_nothing(&second);
    let third = place.edition(&[(Cluster, &["a=3", "b=2"])]);
    client.is_told(&third, Cluster, &["a=3"]);
}

#[test]
fn w7_who_comes_back_is_told_everything() {
    let edition = Place::default().edition(&[(Cluster, &["a"]), (Endpoints, &["a"])]);
    let mut again = client();
    again.wants(Cluster, &[]).wants(Endpoints, &["a"]);
    assert_eq!(again.settles(&edition), told(&[(Cluster, &["a=1"]), (Endpoints, &["a=1"])]));
}

#[test]
fn w8_a_target_that_goes_is_said_to_be_missing() {
    let mut place = Place::default();
    let first = place.edition(&[(Listener, &["shop", "desk"])]);
    let mut client = client();
    client.wants(Listener, &["shop", "desk"]).is_told(&first, Listener, &["desk=1", "shop=1"]).accepts(Listener);
    let second = place.edition(&[(Listener, &["desk"])]);
    client.is_told(&second, Listener, &["desk=1", "?shop"]).accepts(Listener).is_told_nothing(&second);
}

#[test]
fn too_many_names_end_the_stream_and_not_control() {
    let names = (0..=10_000).map(|name| name.to_string()).collect();
    let ask = Ask { kind: Endpoints, names: Names::All(names), nonce: String::new(), refusal: None };
    assert_eq!(Engine::new(Mode::Sotw).hear(ask), Err(TooManyNames));
}
