use super::*;
use crate::machine::about::About;
use crate::measure::result::{Memory, OfPeer, Quantiles, Round};
use crate::scenario::{PeerName, Way};
use crate::tally::Tally;

fn of_peer(peer: PeerName, cpu_us: f64) -> OfPeer {
    let rounds = vec![Round { cpu_us, ..Round::default() }];
    OfPeer { peer, missing: None, rounds, memory: None, tally: Tally::default() }
}

fn shown(unit: &str, peers: Vec<OfPeer>) -> String {
    let (name, says, unit) = ("x".to_owned(), "y".to_owned(), unit.to_owned());
    let measured = Measured { name, says, way: Way::OneHop, unit, peers };
    markdown(&Bench { about: About::default(), scenarios: vec![measured] })
}

/// The cell of a peer below a head; of several such heads, the one behind the head that stands before it.
fn cell(text: &str, peer: &str, head: &str) -> String {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{text}"));
    let at = cells(line("| peer |")).iter().position(|cell| cell == head);
    let at = at.unwrap_or_else(|| panic!("no {head} in {text}"));
    cells(line(&format!("| {peer} |")))[at].clone()
}

fn must_be_even(text: &str) {
    let lines = text.lines().filter(|line| line.starts_with('|'));
    let columns: Vec<usize> = lines.map(|line| line.matches('|').count()).collect();
    assert!(columns.len() > 2 && columns.windows(2).all(|pair| pair[0] == pair[1]), "{columns:?} in {text}");
}

#[test]
fn ratios_are_to_the_peers_of_the_same_scenario() {
    let mut gone = of_peer(PeerName::Haproxy, 1.0);
    gone.missing = Some("not installed\nmore".to_owned());
    let text = shown("call", vec![of_peer(PeerName::Nginx, 20.0), gone, of_peer(PeerName::Outrigger, 25.0)]);
    assert!(text.contains("| Outrigger | 25.0 | 25.0 to 25.0 | 1.25 | – |"), "{text}");
    assert!(text.contains("| HAProxy | left out: not installed |"), "{text}");
    must_be_even(&text);
}

#[test]
fn direct_has_times_and_nothing_that_only_a_proxy_has() {
    let text = shown("call", vec![of_peer(PeerName::Direct, 0.0), of_peer(PeerName::Nginx, 20.0)]);
    for head in ["CPU µs per call", "lowest to highest", "× nginx", "CPU of its core", "RSS MiB"] {
        assert_eq!(cell(&text, "direct", head), "–", "{head}");
    }
    assert_eq!(cell(&text, "direct", "p50 µs"), "0");
}

#[test]
fn first_bytes_and_lags_have_columns_where_they_were_measured() {
    let times = Quantiles { p50: 120.0, p99: 340.0, max: 400.0, ..Quantiles::default() };
    let with = |round: Round| {
        let mut own = of_peer(PeerName::Outrigger, 25.0);
        own.rounds = vec![round];
        vec![of_peer(PeerName::Nginx, 20.0), own]
    };
    let text = shown("request", with(Round { first_byte: times, ..Round::default() }));
    assert_eq!(cell(&text, "Outrigger", "first byte of a new session p50 µs"), "120");
    assert!(!text.contains("lag of events"));
    must_be_even(&text);
    let text = shown("call", with(Round { lag: times, ..Round::default() }));
    assert_eq!(cell(&text, "Outrigger", "lag of events p50 µs"), "120");
    assert!(!text.contains("first byte"));
    must_be_even(&text);
    let text = shown("event", with(Round { lag: times, latency: times, ..Round::default() }));
    assert!(!text.contains("lag of events"), "it is what the times before are: {text}");
}

#[test]
fn memory_has_a_table_of_its_own() {
    let mut own = of_peer(PeerName::Outrigger, 0.0);
    own.memory = Some(Memory {
        idle: 10 * 1024,
        connections: 100,
        with_connections: 10 * 1024 + 450,
        idle_again: 10 * 1024,
        streams: 10,
        with_streams: 10 * 1024 + 160,
        ..Memory::default()
    });
    let text = shown("call", vec![own]);
    assert_eq!(cell(&text, "Outrigger", "idle MiB"), "10.0");
    assert_eq!(cell(&text, "Outrigger", "KiB per idle connection"), "4.5 (of 100)");
    assert_eq!(cell(&text, "Outrigger", "KiB per idle stream"), "16.0 (of 10)");
    must_be_even(&text);
    for absent in ["session", "load\"", "sockets", "faults"] {
        assert!(!text.lines().any(|line| line.starts_with("| peer") && line.contains(absent)), "{absent} in {text}");
    }
}

#[test]
fn memory_of_sessions_and_under_load_has_columns_where_it_was_measured() {
    let with = |memory: Memory| OfPeer { memory: Some(memory), ..of_peer(PeerName::Outrigger, 0.0) };
    let sessions = Memory { sessions: 2_048, without_sessions: 20_000, with_sessions: 20_600, ..Memory::default() };
    let load =
        Memory { load_calls: 9, before_load: 20_480, load_peak: 40_960, after_load: 30_720, ..Memory::default() };
    let both =
        Memory { sockets: 7, load_calls: 9, load_peak: 40_960, before_load: 20_480, after_load: 30_720, ..sessions };
    let mut own = with(both);
    own.tally = Tally { calls: 9, answered: 8, lost: 1, ..Tally::default() };
    let mut nginx = with(load);
    nginx.peer = PeerName::Nginx;
    let text = shown("call", vec![nginx, own]);
    must_be_even(&text);
    assert_eq!(cell(&text, "Outrigger", "bytes per session"), "300 (of 2048)");
    assert_eq!(cell(&text, "nginx", "bytes per session"), "–", "it was not measured there");
    let load =
        ["MiB before load", "highest under it", "when callers had gone"].map(|head| cell(&text, "Outrigger", head));
    assert_eq!(load, ["20.0", "40.0", "30.0"]);
    assert_eq!(cell(&text, "Outrigger", "sockets of them"), "7");
    assert_eq!(cell(&text, "Outrigger", "calls, faults"), "9, 1");
}
