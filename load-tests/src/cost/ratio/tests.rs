use super::*;
use crate::machine::about::About;
use crate::measure::result::{Measured, Round};
use crate::scenario::Way;
use crate::tally::Tally;

fn of_peer(peer: PeerName, cpus: &[f64]) -> OfPeer {
    let rounds = cpus.iter().map(|cpu_us| Round { cpu_us: *cpu_us, ..Round::default() }).collect();
    OfPeer { peer, missing: None, rounds, memory: None, tally: Tally { calls: 9, answered: 9, ..Tally::default() } }
}

fn bench(peers: Vec<OfPeer>) -> Bench {
    let (name, says, unit) = ("x".to_owned(), "y".to_owned(), "call".to_owned());
    let measured = Measured { name, says, way: Way::OneHop, unit, peers };
    Bench { about: About::default(), scenarios: vec![measured] }
}

#[test]
fn the_ratio_is_that_of_medians_so_one_bad_round_does_not_matter() {
    let peers = vec![of_peer(PeerName::Nginx, &[10.0, 10.0, 99.0]), of_peer(PeerName::Outrigger, &[90.0, 25.0, 20.0])];
    assert!((of(&bench(peers)).unwrap() - 2.5).abs() < 1e-9);
}

#[test]
fn without_nginx_or_with_wrong_answers_there_is_no_ratio() {
    let own = || of_peer(PeerName::Outrigger, &[20.0]);
    let mut nginx = of_peer(PeerName::Nginx, &[10.0]);
    nginx.missing = Some("not installed".to_owned());
    let said = of(&bench(vec![own(), nginx])).unwrap_err().to_string();
    assert!(said.contains("nginx") && said.contains("not installed"), "{said}");
    assert!(matches!(of(&bench(vec![own()])), Err(RatioError::Missing("nginx", _))));
    let mut faulty = own();
    faulty.tally = Tally { calls: 9, answered: 7, lost: 2, ..Tally::default() };
    let faulty = of(&bench(vec![faulty, of_peer(PeerName::Nginx, &[10.0])]));
    assert!(matches!(faulty, Err(RatioError::Faults("Outrigger", 2))), "{faulty:?}");
}
