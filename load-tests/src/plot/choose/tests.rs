use roxmltree::{Document, Node};

use super::*;
use crate::machine::about::About;
use crate::measure::result::Quantiles;
use crate::tally::Tally;

const ALL: [PeerName; 5] = [PeerName::Direct, PeerName::Nginx, PeerName::Haproxy, PeerName::Envoy, PeerName::Outrigger];

fn round(factor: f64, late: f64) -> Round {
    let latency = Quantiles { p50: 100.0, p90: 200.0, p99: 1_000.0, p999: 10_000.0, max: 100_000.0 * factor };
    Round { cpu_us: 20.0 * factor, latency, late: Quantiles { max: late, ..Quantiles::default() }, ..Round::default() }
}

fn of_peer(peer: PeerName, rounds: Vec<Round>) -> OfPeer {
    OfPeer { peer, missing: None, rounds, memory: None, tally: Tally::default() }
}

fn measured(late: f64) -> Measured {
    let rounds = |factor: f64| vec![round(factor, late), round(factor * 1.5, late), round(factor * 0.5, late)];
    let mut peers: Vec<OfPeer> =
        ALL.iter().zip([0.0, 1.0, 2.0, 3.0, 2.5]).map(|(p, f)| of_peer(*p, rounds(f))).collect();
    peers[2].missing = Some("not installed".to_owned());
    peers[2].rounds.clear();
    let says = "a <b> & \"c\" \u{1}".to_owned();
    Measured { name: "a/b".to_owned(), says, way: Way::OneHop, unit: "call".to_owned(), peers }
}

fn bench(measured: Measured) -> Bench {
    let about = About { commit: "0123456789ab".to_owned(), processor: "A & B".to_owned(), ..About::default() };
    Bench { about, scenarios: vec![measured] }
}

fn named(pictures: &[Picture], file: &str) -> String {
    let found = pictures.iter().find(|picture| picture.file == file);
    found.unwrap_or_else(|| panic!("{file} is not among {pictures:?}")).svg.clone()
}

fn words(document: &Document<'_>) -> String {
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|node| node.text()).collect::<Vec<_>>().join("\n")
}

fn of<'a>(document: &'a Document<'_>, tag: &str, peer: &str) -> Node<'a, 'a> {
    let mut found = document.descendants();
    found.find(|node| node.has_tag_name(tag) && node.attribute("data-of") == Some(peer)).unwrap()
}

fn number(node: &Node<'_, '_>, attribute: &str) -> f64 {
    node.attribute(attribute).unwrap().parse().unwrap()
}

fn heights(node: &Node<'_, '_>) -> Vec<f64> {
    let points = node.attribute("points").unwrap().split(' ');
    points.map(|point| point.split_once(',').unwrap().1.parse().unwrap()).collect()
}

#[test]
fn every_picture_is_well_formed_and_names_every_peer_the_commit_and_what_was_measured() {
    let pictures = pictures(&bench(measured(5.0)));
    assert_eq!(pictures.len(), 2);
    for picture in &pictures {
        let document = Document::parse(&picture.svg).unwrap();
        let words = words(&document);
        for peer in ALL {
            assert!(words.contains(peer.text()), "{} in {words}", peer.text());
        }
        for part in ["commit 0123456789ab", "A & B", "a <b> & \"c\"", "left out"] {
            assert!(words.contains(part), "{part} in {words}");
        }
        assert!(!picture.svg.contains("<script"));
    }
}

#[test]
fn bars_are_to_scale_and_whiskers_reach_from_the_lowest_to_the_highest() {
    let svg = named(&pictures(&bench(measured(0.0))), "a-b-cpu.svg");
    let document = Document::parse(&svg).unwrap();
    let bar = |peer| of(&document, "rect", peer);
    let width = |peer| number(&bar(peer), "width");
    assert!((width("Envoy") / width("nginx") - 3.0).abs() < 0.01);
    assert!((width("Outrigger") / width("nginx") - 2.5).abs() < 0.01);
    let y = number(&bar("nginx"), "y");
    let near = |node: &Node<'_, '_>| (number(node, "y1") - y).abs() < 14.0 && number(node, "y1") == number(node, "y2");
    let whiskers = document.descendants().filter(|node| node.attribute("class") == Some("whisker"));
    let across = whiskers.filter(near).collect::<Vec<_>>();
    assert_eq!(across.len(), 1);
    let zero = number(&bar("nginx"), "x");
    assert!(((number(&across[0], "x2") - zero) / width("nginx") - 1.5).abs() < 0.01);
    assert!(((number(&across[0], "x1") - zero) / width("nginx") - 0.5).abs() < 0.01);
}

#[test]
fn latency_is_drawn_where_calls_were_due_and_ten_times_as_much_is_equally_far() {
    let closed = pictures(&bench(measured(0.0)));
    assert!(closed.iter().all(|picture| !picture.file.contains("latency")), "{closed:?}");
    let svg = named(&pictures(&bench(measured(5.0))), "a-b-latency.svg");
    let document = Document::parse(&svg).unwrap();
    let nginx = heights(&of(&document, "polyline", "nginx"));
    assert_eq!(nginx.len(), 5);
    let decade = nginx[0] - nginx[2];
    assert!(decade > 20.0);
    assert!((nginx[2] - nginx[3] - decade).abs() < 0.05 && (nginx[3] - nginx[4] - decade).abs() < 0.05);
    let envoy = heights(&of(&document, "polyline", "Envoy"));
    assert!((nginx[0] - envoy[0]).abs() < 0.01 && envoy[4] < nginx[4], "higher is slower");
}

#[test]
fn memory_has_three_panels_with_a_bar_for_each_peer() {
    let mut idle = measured(0.0);
    for (at, of_peer) in idle.peers.iter_mut().enumerate().filter(|(at, _)| *at != 2) {
        let base = 1024 * (at as u64 + 1);
        of_peer.memory = Some(Memory {
            idle: base,
            connections: 100,
            with_connections: base + 100 * at as u64,
            idle_again: base,
            streams: 10,
            with_streams: base + 100 * at as u64,
            ..Memory::default()
        });
    }
    let svg = named(&pictures(&bench(idle)), "a-b-memory.svg");
    let document = Document::parse(&svg).unwrap();
    for (peer, at) in [("nginx", 1.0), ("Outrigger", 4.0)] {
        let bars = document.descendants().filter(|node| node.attribute("data-of") == Some(peer));
        let widths: Vec<f64> = bars.map(|bar| number(&bar, "width")).collect();
        assert_eq!(widths.len(), 3);
        let of_last = document.descendants().filter(|node| node.attribute("data-of") == Some("Outrigger"));
        let full: Vec<f64> = of_last.map(|bar| number(&bar, "width")).collect();
        assert!((widths[0] / full[0] - (at + 1.0) / 5.0).abs() < 0.01);
        assert!((widths[1] / full[1] - at / 4.0).abs() < 0.01);
        assert!((widths[2] / full[2] - at / 4.0).abs() < 0.01);
    }
    let words = words(&document);
    assert!(words.contains("left out") && !words.contains("session"), "{words}");
}

#[test]
fn what_was_measured_for_some_has_a_panel_in_which_the_others_say_that_it_was_not() {
    let mut memory = measured(0.0);
    for of_peer in &mut memory.peers {
        of_peer.memory = Some(Memory::default());
    }
    let sessions = Memory { sessions: 1_024, with_sessions: 300, load_calls: 1, load_peak: 2_048, ..Memory::default() };
    memory.peers[4].memory = Some(sessions);
    let svg = named(&pictures(&bench(memory)), "a-b-memory.svg");
    let document = Document::parse(&svg).unwrap();
    let words = words(&document);
    assert!(words.contains("each session, bytes") && words.contains("highest under load, MiB"), "{words}");
    assert_eq!(words.matches("not measured").count(), 2 * (ALL.len() - 1));
    assert!(words.contains("300.0"), "{words}");
}

#[test]
fn a_peer_has_one_colour_everywhere() {
    let pictures = pictures(&bench(measured(5.0)));
    let bars = Document::parse(&pictures[0].svg).unwrap();
    let curves = Document::parse(&pictures[1].svg).unwrap();
    let mut colours = Vec::new();
    for peer in ["nginx", "Envoy", "Outrigger"] {
        let fill = of(&bars, "rect", peer).attribute("fill").unwrap().to_owned();
        assert_eq!(Some(fill.as_str()), of(&curves, "polyline", peer).attribute("stroke"));
        colours.push(fill);
    }
    colours.dedup();
    assert_eq!(colours.len(), 3);
}
