//! A few hundred calls to the real echo agent, without a proxy, in every kind of load.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::path::Path;

use outrigger_load_tests::agent;
use outrigger_load_tests::echo::{Ask, Era, Form, Mix};
use outrigger_load_tests::generate::{Dress, Target};
use outrigger_load_tests::measure::result::Round;
use outrigger_load_tests::measure::sample::{Subject, begin, executed, sample};
use outrigger_load_tests::scenario::{Load, PeerName, Scenario, Suite, Way};
use outrigger_load_tests::tally::{Executed, Tally};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn run(load: Load, dress: Dress) -> (Round, Tally) {
    let agent = agent::start(0, "echo-0").await.unwrap();
    let target = Target::new(agent.address, "/mcp");
    let scenario = Scenario {
        name: "smoke".to_owned(),
        says: String::new(),
        suite: Suite::Quick,
        way: Way::OneHop,
        peers: vec![PeerName::Direct],
        replicas: 1,
        rounds: 1,
        connections: 8,
        load,
        changes_per_second: 0,
        dress,
    };
    let subject = Subject {
        target: &target,
        proxies: &[],
        agents: &[agent.address],
        agent_pids: &[],
        beside: &[],
        changes: None,
    };
    let (round, tally) = sample(&subject, &scenario).await.unwrap();
    assert!(tally.is_clean(), "{tally:?}");
    let numbers = scenario.numbers();
    assert_eq!(executed(agent.address).await.unwrap(), Executed { once: numbers, again: 0 });
    (round, tally)
}

#[tokio::test]
async fn every_call_is_answered_once_in_either_era() {
    let (_, tally) = run(Load::Saturate { calls: 400 }, Dress::plain(Era::Modern)).await;
    assert_eq!(tally.answered, 400);
    run(Load::Saturate { calls: 400 }, Dress { session: true, ..Dress::plain(Era::Legacy) }).await;
}

#[tokio::test]
async fn open_loop_takes_as_long_as_its_rate_says() {
    let (round, _) = run(Load::Rate { per_second: 1_000, calls: 300 }, Dress::plain(Era::Legacy)).await;
    assert!(round.seconds >= 0.299, "{}", round.seconds);
    assert!(round.latency.p50 > 0.0);
}

#[tokio::test]
async fn sessions_are_opened_used_and_closed() {
    let (round, _) = run(Load::Sessions { calls: 200, calls_each: 5 }, Dress::plain(Era::Legacy)).await;
    assert!(round.units >= 200 + 40 * 3);
}

#[tokio::test]
async fn events_are_timed_one_by_one() {
    let dress = Dress::plain(Era::Legacy).asking(Ask::of(Form::Events { count: 5, every_ms: 2 }));
    let (round, _) = run(Load::Streams { calls: 16 }, dress).await;
    assert_eq!(round.units, 80);
    assert!(round.lag.p50 > 0.0);
}

/// `X-Accel-Buffering: no` asks proxies not to hold events back; the lag that is measured must not depend on it.
#[tokio::test]
async fn streams_say_nothing_to_proxies() {
    let agent = agent::start(0, "echo-0").await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(agent.address).await.unwrap();
    stream.write_all(b"GET /mcp HTTP/1.1\r\nHost: echo\r\nAccept: text/event-stream\r\n\r\n").await.unwrap();
    let mut heard = Vec::new();
    while !heard.windows(4).any(|four| four == b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0);
    }
    let heard = String::from_utf8(heard).unwrap().to_ascii_lowercase();
    assert!(heard.contains("text/event-stream") && !heard.contains("x-accel-buffering"), "{heard}");
}

#[tokio::test]
async fn lists_and_large_bodies_are_answered_in_either_era() {
    let list = Ask::of(Form::List { tools: 40 });
    run(Load::Saturate { calls: 100 }, Dress { session: true, ..Dress::plain(Era::Legacy) }.asking(list)).await;
    run(Load::Saturate { calls: 100 }, Dress::plain(Era::Modern).asking(list)).await;
    let large = Ask { padding_bytes: 1_048_576, reply_bytes: 1_048_576, ..Ask::PLAIN };
    run(Load::Saturate { calls: 10 }, Dress::plain(Era::Legacy).asking(large)).await;
}

#[tokio::test]
async fn a_mix_of_all_kinds_is_answered_and_its_events_are_timed() {
    let events = Ask::of(Form::Events { count: 2, every_ms: 1 });
    let rest = vec![(1, events), (1, Ask::of(Form::List { tools: 9 })), (1, Ask { reply_bytes: 20_000, ..Ask::PLAIN })];
    let mix = Mix::of(1, (3, Ask::PLAIN), rest);
    let (round, _) =
        run(Load::Rate { per_second: 1_000, calls: 300 }, Dress { mix, ..Dress::plain(Era::Modern) }).await;
    assert_eq!(round.units, 300);
    assert!(round.lag.p50 > 0.0 && round.latency.p50 > 0.0);
}

#[tokio::test]
async fn open_streams_are_told_every_event() {
    for era in [Era::Legacy, Era::Modern] {
        let load = Load::Feeds { streams: 3, events: 5, every_ms: 2 };
        let (round, tally) = run(load, Dress { session: era == Era::Legacy, ..Dress::plain(era) }).await;
        let ends = if era == Era::Modern { 1 } else { 0 };
        assert_eq!((round.units, tally.answered), (8 * 3 * (5 + ends), 8 * 3 * (5 + ends)));
        assert!(round.latency.p50 > 0.0);
    }
}

#[tokio::test]
async fn a_call_executed_twice_is_seen_by_the_agent() {
    let agent = agent::start(0, "echo-0").await.unwrap();
    begin(agent.address, 10).await.unwrap();
    let target = Target::new(agent.address, "/mcp");
    for _ in 0..2 {
        // Each run of its own begins with number 0.
        let crew = outrigger_load_tests::generate::Crew::hire(&target, &Dress::plain(Era::Legacy), 1).await.unwrap();
        let book = outrigger_load_tests::generate::Book::new(1);
        outrigger_load_tests::generate::saturate::run(crew, &book).await.unwrap();
    }
    assert_eq!(executed(agent.address).await.unwrap(), Executed { once: 1, again: 1 });
}

#[test]
fn every_configuration_of_a_peer_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    for (program, ending) in [("nginx", "conf"), ("haproxy", "cfg"), ("envoy", "yaml")] {
        for role in ["plain", "mtls-in", "mtls-out"] {
            let path = folder.join(format!("{program}.{role}.{ending}"));
            assert!(path.is_file(), "{}", path.display());
        }
    }
    for role in ["mcp", "stateful"] {
        assert!(folder.join(format!("envoy.{role}.yaml")).is_file(), "{role}");
    }
}
