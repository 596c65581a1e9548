use super::*;
use crate::machine::about::About;
use crate::tally::Tally;

fn of_peer(peer: PeerName, cpu_us: f64) -> OfPeer {
    let rounds = vec![Round { cpu_us, ..Round::default() }];
    OfPeer { peer, missing: None, rounds, memory: None, tally: Tally::default() }
}

#[test]
fn ratios_are_to_the_peers_of_the_same_scenario() {
    let mut gone = of_peer(PeerName::Haproxy, 1.0);
    gone.missing = Some("not installed\nmore".to_owned());
    let peers = vec![of_peer(PeerName::Nginx, 20.0), gone, of_peer(PeerName::Outrigger, 25.0)];
    let measured =
        Measured { name: "x".to_owned(), says: "y".to_owned(), way: Way::OneHop, unit: "call".to_owned(), peers };
    let text = markdown(&Bench { about: About::default(), scenarios: vec![measured] });
    assert!(text.contains("| Outrigger | 25.0 | 25.0 to 25.0 | 1.25 | – |"), "{text}");
    assert!(text.contains("| HAProxy | left out: not installed |"), "{text}");
    let columns: Vec<usize> =
        text.lines().filter(|line| line.starts_with('|')).map(|line| line.matches('|').count()).collect();
    assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "{columns:?}");
}
