use super::super::conformance::key;
use super::*;

fn owner(peer: &str) -> Owner {
    Owner { peer: Caller::new(peer), began: 7 }
}

#[test]
fn the_first_peer_from_which_an_agent_accepts_a_session_holds_it() {
    let owners = Owners::new(10);
    assert_eq!(owners.of(&key("a")), None);
    owners.accepted(key("a"), owner("planner"));
    owners.accepted(key("a"), owner("desk"));
    assert_eq!(owners.of(&key("a")), Some(owner("planner")));
}

#[test]
fn an_id_that_an_agent_mints_anew_is_its_new_peers() {
    let owners = Owners::new(10);
    owners.opened(key("a"), owner("planner"));
    owners.opened(key("a"), owner("desk"));
    assert_eq!(owners.of(&key("a")), Some(owner("desk")));
    owners.forget(&key("a"));
    assert_eq!(owners.of(&key("a")), None);
}

#[test]
fn it_is_bounded() {
    let owners = Owners::new(10);
    for number in 0..1_000 {
        owners.accepted(key(&number.to_string()), owner("planner"));
    }
    assert!(owners.entries.len() <= 10);
}
