use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};

use outrigger_model::name::ReplicaId;
use outrigger_model::replica::ReplicaState;

use super::*;
use crate::agent::{Claim, Reason, Sender};
use crate::event::EventKind;
use crate::fixture::{Mesh, claim, identified, kinds, refusals, registered, standing};
use crate::moment::Moment;

#[test]
fn a_replica_that_reports_is_healthy() {
    let mut mesh = Mesh::new();
    let applied = mesh.report("n", vec![claim("weather-1")]);
    assert_eq!(applied.answer, Answer::Taken { refused: vec![] });
    assert!(applied.is_relevant);
    assert_eq!(kinds(&applied.events), [EventKind::ReplicaRegistered]);
    assert_eq!(applied.events[0].detail, "weather 1.2.0 at 127.0.0.1:17006, 2 capabilities, healthy");
    assert_eq!(mesh.state("weather-1"), "healthy");
}

#[test]
fn the_same_report_again_changes_nothing() {
    let mut mesh = Mesh::with_replicas(&["weather-1"]);
    let applied = mesh.report("weather-1", vec![claim("weather-1")]);
    assert_eq!((applied.is_relevant, applied.events.len(), applied.touched.len()), (false, 0, 0));
}

/// `weather-1` and what it registers.
fn registering(id: &str, function: &str) -> Claim {
    let registration = registered(&format!("{id} healthy"), &[function]).replica.registration.clone();
    Claim { registration: registration.map(Ok), ..claim(id) }
}

#[test]
fn functions_that_would_require_each_other_in_a_circle_are_refused() {
    let mut mesh = Mesh::new();
    mesh.report("a", vec![registering("a-1", "do_a=a 1.0.0 <- !b")]);
    let applied = mesh.report("b", vec![registering("b-1", "do_b=b 1.0.0 <- !a"), claim("other-1")]);
    let refused = refusals(&applied);
    assert_eq!((refused.len(), refused[0].reason), (1, Reason::Shape));
    assert_eq!(refused[0].to_string(), "replicas[0].registration: required dependency cycle: b → a → b");
    assert_eq!((mesh.state("b-1"), mesh.state("other-1")), ("gone", "healthy"));
    let applied = mesh.report("b", vec![registering("b-1", "do_b=b 1.0.0 <- a")]);
    assert_eq!(refusals(&applied), []);
}

#[test]
fn a_lease_from_signal_to_oblivion() {
    let mut mesh = Mesh::with_replicas(&["weather-1"]);
    mesh.advance(19, &[]);
    assert_eq!(mesh.state("weather-1"), "healthy");
    mesh.light("weather-1");
    mesh.advance(19, &[]);
    assert_eq!(mesh.state("weather-1"), "healthy");

    mesh.lose_stream("weather-1");
    assert_eq!(mesh.state("weather-1"), "unknown");
    let events = mesh.advance(1, &[]);
    assert_eq!(mesh.state("weather-1"), "unhealthy");
    assert_eq!(kinds(&events), [EventKind::ReplicaExpired]);

    mesh.advance(3_599, &[]);
    assert_eq!(mesh.state("weather-1"), "unhealthy");
    let events = mesh.advance(1, &[]);
    assert_eq!(mesh.state("weather-1"), "gone");
    assert_eq!(kinds(&events), [EventKind::ReplicaForgotten]);
}

#[test]
fn a_proxy_that_comes_back_in_time_is_healthy_again() {
    let mut mesh = Mesh::with_replicas(&["weather-1"]);
    mesh.lose_stream("weather-1");
    mesh.reconnect("weather-1");
    let applied = mesh.report("weather-1", vec![claim("weather-1")]);
    assert_eq!(kinds(&applied.events), [EventKind::ReplicaRecovered]);
    assert_eq!(mesh.state("weather-1"), "healthy");
}

#[test]
fn the_end_of_a_stream_that_was_left_behind_means_nothing() {
    let mut mesh = Mesh::with_replicas(&["weather-1"]);
    let old = mesh.stream("weather-1");
    mesh.reconnect("weather-1");
    mesh.report("weather-1", vec![claim("weather-1")]);
    let node = NodeId::new("weather-1").unwrap();
    for command in [
        Command::StreamLost { stream: old, node: node.clone() },
        Command::Draining { stream: old, node: node.clone() },
        Command::Leave { stream: old, node },
    ] {
        mesh.apply(command);
        assert_eq!(mesh.state("weather-1"), "healthy");
    }
}

#[test]
fn a_signal_that_says_too_little_is_answered_with_report_again() {
    let mut mesh = Mesh::with_replicas(&["weather-1"]);
    assert_eq!(mesh.light("weather-1"), Answer::Noted);
    assert_eq!(mesh.light("stranger"), Answer::ReportAgain);
    mesh.advance(20, &[]);
    assert_eq!(mesh.state("weather-1"), "unhealthy");
    assert_eq!(mesh.light("weather-1"), Answer::ReportAgain);
    mesh.report("weather-1", vec![claim("weather-1")]);
    assert_eq!(mesh.state("weather-1"), "healthy");
}

#[test]
fn an_agent_that_does_not_answer_its_proxy_is_unhealthy_while_the_proxy_lives() {
    let mut mesh = Mesh::with_replicas(&["weather-1"]);
    let down = || Claim { serving: false, trouble: "connection refused".into(), ..claim("weather-1") };
    let applied = mesh.report("weather-1", vec![down()]);
    assert_eq!(kinds(&applied.events), [EventKind::ReplicaFailed]);
    assert_eq!(applied.events[0].detail, "connection refused");
    mesh.advance(60, &["weather-1"]);
    assert_eq!(mesh.state("weather-1"), "unhealthy");

    let other = Claim { trouble: "timeout".into(), ..down() };
    let applied = mesh.report("weather-1", vec![other]);
    assert!(!applied.is_relevant && applied.touched.len() == 1, "stored, but no snapshot differs");
}

#[test]
fn a_draining_proxy_keeps_what_it_has_until_it_leaves() {
    let mut mesh = Mesh::with_replicas(&["weather-1"]);
    assert_eq!(kinds(&mesh.drain("weather-1").events), [EventKind::DrainStarted]);
    assert_eq!(mesh.state("weather-1"), "draining");
    mesh.report("weather-1", vec![claim("weather-1")]);
    assert_eq!(mesh.state("weather-1"), "draining");
    mesh.lose_stream("weather-1");
    assert_eq!(mesh.state("weather-1"), "draining");

    mesh.reconnect("weather-1");
    mesh.report("weather-1", vec![claim("weather-1")]);
    assert_eq!(mesh.state("weather-1"), "healthy", "a proxy that started again drains no more");
    assert_eq!(kinds(&mesh.leave("weather-1").events), [EventKind::ReplicaLeft]);
    assert_eq!(mesh.state("weather-1"), "gone");
}

#[test]
fn what_a_report_no_longer_names_is_withdrawn() {
    let mut mesh = Mesh::new();
    mesh.report("n", vec![claim("weather-1"), claim("time-1")]);
    let applied = mesh.report("n", vec![claim("time-1")]);
    assert_eq!((mesh.state("weather-1"), mesh.state("time-1")), ("gone", "healthy"));
    assert_eq!(kinds(&applied.events), [EventKind::ReplicaLeft]);
}

#[test]
fn one_bad_claim_does_not_touch_its_neighbours() {
    let mut mesh = Mesh::new();
    let bad = Claim { address: "0.0.0.0:1".into(), ..claim("weather-1") };
    let applied = mesh.report("n", vec![bad.clone(), claim("time-1"), claim("time-1")]);
    let reasons: Vec<_> = refusals(&applied).iter().map(|refusal| (refusal.reason, refusal.field.clone())).collect();
    let expected =
        [(Reason::Address, "replicas[0].address".to_owned()), (Reason::Conflict, "replicas[2].id".to_owned())];
    assert_eq!(reasons, expected);
    assert_eq!(mesh.state("time-1"), "healthy");

    let again = mesh.report("n", vec![bad, claim("time-1"), claim("time-1")]);
    assert!(again.events.is_empty(), "the same refusal is in the log once");
}

#[test]
fn a_replica_of_a_living_node_cannot_be_taken_over() {
    let mut mesh = Mesh::with_replicas(&["weather-1"]);
    let applied = mesh.report("thief", vec![claim("weather-1")]);
    assert_eq!(refusals(&applied)[0].reason, Reason::Conflict);
    mesh.lose_stream("weather-1");
    assert_eq!(refusals(&mesh.report("thief", vec![claim("weather-1")])).len(), 1, "unknown is not gone");

    mesh.advance(20, &["thief"]);
    assert!(refusals(&mesh.report("heir", vec![claim("weather-1")])).is_empty());
    assert_eq!(mesh.state("weather-1"), "healthy");
    mesh.advance(4_000, &["heir"]);
    assert_eq!(mesh.state("weather-1"), "healthy", "forgetting the old owner does not touch it");
}

#[test]
fn a_living_node_belongs_to_the_identity_that_opened_it() {
    let mut mesh = Mesh::new();
    mesh.report_as(identified("n", "spiffe://m/agent/weather"), vec![claim("weather-1")]);
    // An empty report would otherwise withdraw everything the node had.
    let applied = mesh.report_as(identified("n", "spiffe://m/agent/time"), vec![]);
    assert_eq!(refusals(&applied)[0].reason, Reason::Conflict);
    assert_eq!(mesh.state("weather-1"), "healthy");
}

#[test]
fn there_is_room_for_so_many_replicas_and_no_more() {
    let rules = Rules { replicas_max: 2, ..Rules::default() };
    let mut mesh = Mesh::new();
    mesh.registry = Registry::restore(rules, vec![], Book::default(), 1, crate::fixture::at(0));
    let applied = mesh.report("n", vec![claim("a-1"), claim("a-2"), claim("a-3")]);
    assert_eq!(refusals(&applied)[0].reason, Reason::Limit);
    assert_eq!(mesh.registry.facts().len(), 2);
    let too_many = (0..1_001).map(|number| claim(&format!("b-{number}"))).collect();
    assert_eq!(refusals(&mesh.report("m", too_many))[0].reason, Reason::Limit);
}

#[test]
fn after_control_starts_no_lease_ends_for_two_periods() {
    let mut mesh = Mesh::restored(vec![standing("weather-1 healthy 1.2.0")]);
    mesh.advance(39, &[]);
    assert_eq!(mesh.state("weather-1"), "healthy");
    mesh.advance(1, &[]);
    assert_eq!(mesh.state("weather-1"), "unhealthy");
}

#[test]
fn a_start_of_control_changes_no_state() {
    let rows = ["a-1 healthy 1.0.0", "b-1 unknown 1.0.0", "c-1 draining 1.0.0", "d-1 unhealthy 1.0.0"];
    let mut mesh = Mesh::restored(rows.iter().map(|row| standing(row)).collect());
    assert!(mesh.advance(30, &[]).is_empty());
    for (id, state) in [("a-1", "healthy"), ("b-1", "unknown"), ("c-1", "draining"), ("d-1", "unhealthy")] {
        assert_eq!(mesh.state(id), state);
    }
}

#[test]
fn when_too_many_leases_end_at_once_they_are_kept_as_unknown() {
    let names: Vec<String> = (1..=10).map(|number| format!("weather-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut mesh = Mesh::with_replicas(&names);
    let (living, silent) = names.split_at(6);
    let events = mesh.advance(60, living);
    assert_eq!(events[0].kind, EventKind::LeasesHeld);
    assert_eq!(events.iter().filter(|event| event.kind == EventKind::LeasesHeld).count(), 1, "told once");
    assert!(mesh.registry.is_holding());
    assert!(silent.iter().all(|id| mesh.state(id) == "unknown"));

    // Two come back; the other two are few enough to be believed dead.
    let events = mesh.advance(1, &names[..8]);
    assert_eq!(kinds(&events), [EventKind::LeasesReleased, EventKind::ReplicaExpired, EventKind::ReplicaExpired]);
    assert!(silent[..2].iter().all(|id| mesh.state(id) == "healthy"), "signals of a held lease are taken");
    assert!(silent[2..].iter().all(|id| mesh.state(id) == "unhealthy"));
}

#[test]
fn a_few_may_always_die() {
    let mut mesh = Mesh::with_replicas(&["a-1", "a-2", "a-3", "a-4"]);
    mesh.advance(30, &["a-4"]);
    assert_eq!(
        ["a-1", "a-2", "a-3", "a-4"].map(|id| mesh.state(id)),
        ["unhealthy", "unhealthy", "unhealthy", "healthy"]
    );
}

#[test]
fn deaths_that_are_spread_over_a_lease_period_count_together() {
    let names: Vec<String> = (1..=20).map(|number| format!("a-{number}")).collect();
    let mut mesh = Mesh::new();
    // One registers each second, so that one is due each second.
    for name in &names {
        mesh.report(name, vec![claim(name)]);
        mesh.advance(1, &[]);
    }
    mesh.advance(40, &[]);
    let ended = names.iter().filter(|name| mesh.state(name) == "unhealthy").count();
    assert_eq!(ended, 4, "a fifth of twenty");
}

#[test]
fn a_control_that_was_stopped_for_a_while_ends_no_lease_for_it() {
    let mut mesh = Mesh::with_replicas(&["weather-1"]);
    mesh.advance(1, &["weather-1"]);
    mesh.seconds += 300;
    mesh.advance(19, &[]);
    assert_eq!(mesh.state("weather-1"), "healthy");
    mesh.advance(2, &[]);
    assert_eq!(mesh.state("weather-1"), "unhealthy");
}

#[test]
fn events_are_numbered_without_gaps() {
    let mut mesh = Mesh::new();
    let mut ids = vec![];
    for applied in [
        mesh.report("n", vec![claim("a-1"), claim("b-1")]),
        mesh.lose_stream("n"),
        mesh.apply(Command::Note { kind: EventKind::SnapshotRefused, subject: "n".into(), detail: "x\ny".into() }),
    ] {
        ids.extend(applied.events.iter().map(|event| event.id));
    }
    assert_eq!(ids, [1, 2, 3, 4, 5]);
}

#[test]
fn how_long_ago_a_node_was_heard() {
    let mut mesh = Mesh::restored(vec![standing("old-1 healthy 1.0.0")]);
    mesh.report("new-1", vec![claim("new-1")]);
    mesh.advance(7, &[]);
    let heard = mesh.registry.last_heard(crate::fixture::at(mesh.seconds));
    assert_eq!(heard.into_iter().collect::<Vec<_>>(), [(NodeId::new("new-1").unwrap(), Duration::from_secs(7))]);
}

#[derive(Debug, Clone)]
enum Move {
    Report(usize, Vec<usize>, bool),
    Reconnect(usize),
    Light(usize),
    Lose(usize),
    Drain(usize),
    Leave(usize),
    Wait(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (0..4usize, prop::collection::vec(0..6usize, 0..4), any::<bool>())
            .prop_map(|(node, ids, serving)| Move::Report(node, ids, serving)),
        (0..4usize).prop_map(Move::Reconnect),
        (0..4usize).prop_map(Move::Light),
        (0..4usize).prop_map(Move::Lose),
        (0..4usize).prop_map(Move::Drain),
        (0..4usize).prop_map(Move::Leave),
        (1..30u64).prop_map(Move::Wait),
    ];
    prop::collection::vec(one, 0..40)
}

proptest! {
    #[test]
    fn every_replica_is_held_by_the_one_node_it_names(moves in moves()) {
        let mut mesh = Mesh::new();
        let node = |number: usize| format!("node-{number}");
        for one in moves {
            match one {
                Move::Report(number, ids, serving) => {
                    let claims = ids.iter().map(|id| Claim { serving, ..claim(&format!("a-{id}")) }).collect();
                    mesh.report(&node(number), claims);
                }
                Move::Reconnect(number) => mesh.reconnect(&node(number)),
                Move::Light(number) => { mesh.light(&node(number)); }
                Move::Lose(number) => { mesh.lose_stream(&node(number)); }
                Move::Drain(number) => { mesh.drain(&node(number)); }
                Move::Leave(number) => { mesh.leave(&node(number)); }
                Move::Wait(seconds) => { mesh.advance(seconds, &[]); }
            }
            assert!(report::is_consistent(&mesh.registry.state));
        }
    }
}

#[test]
fn proxies_that_only_call_may_all_go_at_once_and_nobody_is_kept_for_it() {
    let mut mesh = Mesh::with_replicas(&["weather-1", "weather-2"]);
    for caller in 0..20 {
        mesh.report(&format!("desk-{caller}"), vec![]);
    }
    let events = mesh.advance(61, &["weather-1"]);
    assert!(!kinds(&events).contains(&EventKind::LeasesHeld), "{events:?}");
    assert_eq!((mesh.state("weather-1"), mesh.state("weather-2")), ("healthy", "unhealthy"));
    assert_eq!(mesh.registry.nodes_alive(), 1);
}

#[test]
fn how_calls_went_is_known_of_who_is_here_by_what_it_said_last_on_its_stream() {
    let mut mesh = Mesh::with_replicas(&["weather-1"]);
    let tally = |calls| Some(Tally { since: 1, calls, ..Tally::default() });
    let node = || NodeId::new("weather-1").unwrap();
    let light = |mesh: &mut Mesh, stream, calls| {
        mesh.apply(Command::Light { stream, node: node(), tally: tally(calls) });
        mesh.registry.tallies().get(&node()).map(|tally| tally.calls)
    };
    assert_eq!(mesh.registry.tallies().len(), 0, "an older proxy says nothing");
    let stream = mesh.stream("weather-1");
    assert_eq!(light(&mut mesh, stream, 5), Some(5));
    mesh.light("weather-1");
    assert_eq!(mesh.registry.tallies().len(), 1, "a signal without counts leaves them");
    assert_eq!(light(&mut mesh, StreamId(999), 7), Some(5), "not its stream");
    mesh.leave("weather-1");
    assert_eq!(mesh.registry.tallies().len(), 0);
}

#[test]
fn the_wall_clock_may_jump_by_days_and_no_lease_ends_or_lasts_longer_because_of_it() {
    let day = Duration::from_secs(86_400);
    let time = std::time::UNIX_EPOCH + day * 20_000;
    let mut registry =
        Registry::restore(Rules::default(), vec![], Book::default(), 1, Now { moment: Moment::START, time });
    let node = NodeId::new("weather-1").unwrap();
    let sender = Sender { node: node.clone(), identity: None, from: "127.0.0.1".parse().unwrap() };
    let stream = StreamId(1);
    let report = Command::Report { stream, sender, claims: vec![claim("weather-1")], tally: None };
    registry.apply(report, Now { moment: Moment::START, time });
    let state = |registry: &Registry| registry.facts().get(&ReplicaId::new("weather-1").unwrap()).unwrap().state;
    let mut last_event = 0;
    for second in 1..=100_u64 {
        // Forward by a day, back by two, and so on.
        let time = if second % 2 == 0 { time + day * u32::try_from(second).unwrap() } else { time - day };
        let now = Now { moment: Moment::from_start(Duration::from_secs(second)), time };
        if second <= 60 {
            registry.apply(Command::Light { stream, node: node.clone(), tally: None }, now);
        }
        for event in registry.apply(Command::Sweep, now).events {
            assert!(event.id > last_event, "numbers only grow");
            last_event = event.id;
        }
        assert_eq!(
            state(&registry) == ReplicaState::Healthy,
            second < 80,
            "second {second}: the last signal and a lease"
        );
    }
}
