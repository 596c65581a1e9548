use std::net::SocketAddr;

use outrigger_control_core::facts::{Facts, Standing};
use outrigger_control_core::intent::Intent;
use outrigger_control_core::snapshot::build::{Shared, build};
use outrigger_control_core::snapshot::scope::Scope;
use outrigger_model::name::{AgentName, CapabilityName, NodeId, ReplicaId};
use outrigger_model::replica::{Generation, Replica, ReplicaState};
use outrigger_model::revocation::Revocations;
use outrigger_model::secret::Keyring;
use outrigger_model::tag::TagSet;
use semver::Version;

use super::*;

fn standing(id: &str, state: ReplicaState) -> Standing {
    let agent = id.split_once('-').unwrap().0;
    let capability = outrigger_model::capability::Capability {
        name: CapabilityName::new(agent).unwrap(),
        version: Version::new(1, 0, 0),
        tags: TagSet::default(),
        tools: Vec::new(),
        session_required: false,
        calls: Default::default(),
    };
    let replica = Replica {
        id: ReplicaId::new(id).unwrap(),
        agent: AgentName::new(agent).unwrap(),
        node: NodeId::new(id).unwrap(),
        version: Version::new(1, 0, 0),
        tags: TagSet::default(),
        address: SocketAddr::from(([127, 0, 0, 1], 17_006)),
        identity: None,
        generation: Generation(1),
        revisions: Vec::new(),
        weight: 100,
        zone: String::new(),
        namespace: Default::default(),
        registration: None,
        capabilities: vec![capability],
    };
    Standing { replica: Arc::new(replica), state, trouble: "".into() }
}

pub fn snapshot(standings: &[(&str, ReplicaState)]) -> Snapshot {
    let mut facts = Facts::default();
    for (id, state) in standings {
        facts.put(standing(id, *state));
    }
    let shared = Shared { revocations: &Revocations::default(), keyring: &Keyring::default() };
    build(&facts, &Intent::default(), &shared, &Scope::base()).unwrap().snapshot
}

pub fn at(serial: u64) -> Origin {
    Origin {
        epoch: Epoch(9),
        serial: Serial(serial),
        made_at: SystemTime::UNIX_EPOCH,
        reason: "test".to_owned(),
        lane: Lane::Main,
        floor: Serial(0),
    }
}

#[test]
fn equal_content_makes_no_edition() {
    let (mut ledger, key) = (Ledger::default(), ViewKey::base());
    let snapshot = snapshot(&[("weather-1", ReplicaState::Healthy)]);
    let first = assemble(&key, &snapshot, None, &mut ledger, &at(1)).edition;
    let again = assemble(&key, &snapshot, Some(&first), &mut ledger, &at(2));
    assert!(again.change.is_empty() && Arc::ptr_eq(&first, &again.edition));
}

#[test]
fn shelves_that_did_not_change_are_shared() {
    let (mut ledger, key) = (Ledger::default(), ViewKey::base());
    let before = snapshot(&[("weather-1", ReplicaState::Healthy)]);
    let before = assemble(&key, &before, None, &mut ledger, &at(1)).edition;
    let after = snapshot(&[("weather-1", ReplicaState::Unknown)]);
    let after = assemble(&key, &after, Some(&before), &mut ledger, &at(2)).edition;
    for topic in Topic::ALL {
        let is_shared = Arc::ptr_eq(before.shelf(topic), after.shelf(topic));
        let moves = matches!(topic, Topic::Manifest | Topic::Resources(ResourceKind::Endpoints));
        assert_eq!(is_shared, !moves, "{}", topic.as_str());
    }
    assert_eq!(after.endpoints.token("weather").unwrap().serial, Serial(2));
    assert_eq!(after.pools.token("weather").unwrap().serial, Serial(1));
}

#[test]
fn after_a_restart_equal_content_has_equal_tokens() {
    let (mut ledger, key) = (Ledger::default(), ViewKey::base());
    let mesh = |state| snapshot(&[("weather-1", state), ("news-1", ReplicaState::Healthy)]);
    let first = assemble(&key, &mesh(ReplicaState::Healthy), None, &mut ledger, &at(1)).edition;
    let last = assemble(&key, &mesh(ReplicaState::Unknown), Some(&first), &mut ledger, &at(4)).edition;
    // The ledger is what the store gives back; the serial has moved on.
    let mut restored = ledger.clone();
    let again = assemble(&key, &mesh(ReplicaState::Unknown), None, &mut restored, &at(7));
    assert!(again.change.is_empty());
    for topic in Topic::ALL {
        let tokens = |edition: &Edition| {
            let entries = edition.shelf(topic).entries.iter();
            entries.map(|(name, entry)| (name.clone(), entry.token)).collect::<Vec<_>>()
        };
        assert_eq!(tokens(&last), tokens(&again.edition));
    }
}

#[test]
fn the_manifest_lists_exactly_what_is_on_the_shelves() {
    let (mut ledger, key) = (Ledger::default(), ViewKey::base());
    let snapshot = snapshot(&[("weather-1", ReplicaState::Healthy)]);
    let edition = assemble(&key, &snapshot, None, &mut ledger, &at(1)).edition;
    let manifest = manifest::from_bytes(&edition.manifest.entries[SELF].body).unwrap();
    let parts = ResourceKind::ALL.map(|kind| {
        let shelf = edition.shelf(Topic::Resources(kind));
        let contents = shelf.entries.iter().map(|(name, entry)| (name.as_str(), &entry.digest));
        outrigger_model::manifest::part(kind, contents)
    });
    manifest::verify(&manifest, &parts).unwrap();
    assert_eq!((manifest.serial, manifest.reason.as_str()), (Serial(1), "test"));
}

#[test]
fn an_edition_below_the_floor_gets_a_new_number_and_shares_all_but_its_manifest() {
    let (mut ledger, key) = (Ledger::default(), ViewKey::base());
    let snapshot = snapshot(&[("weather-1", ReplicaState::Healthy)]);
    let first = assemble(&key, &snapshot, None, &mut ledger, &at(1)).edition;
    let origin = Origin { floor: Serial(4), lane: Lane::Canary, ..at(5) };
    let Assembled { edition, change } = assemble(&key, &snapshot, Some(&first), &mut ledger, &origin);
    assert!(change.is_empty() && !change.is_nothing());
    assert_eq!((edition.serial, edition.digest), (Serial(5), first.digest));
    assert!(Arc::ptr_eq(&edition.routes, &first.routes) && !Arc::ptr_eq(&edition.manifest, &first.manifest));
    let again = assemble(&key, &snapshot, Some(&edition), &mut ledger, &Origin { floor: Serial(4), ..at(6) });
    assert!(Arc::ptr_eq(&again.edition, &edition), "it is above the floor now");
}

#[test]
fn a_view_that_watchers_run_a_later_serial_of_goes_on_above_it_with_the_tokens_it_has() {
    let (mut ledger, key) = (Ledger::default(), ViewKey::base());
    let same = snapshot(&[("weather-1", ReplicaState::Healthy)]);
    let first = assemble(&key, &same, None, &mut ledger, &at(3)).edition;
    let above = Origin { floor: Serial(9), ..at(12) };
    let raised = assemble(&key, &same, Some(&first), &mut ledger, &above);
    assert!(raised.change.is_stamped && raised.change.is_empty());
    assert_eq!((raised.edition.serial, raised.edition.digest), (Serial(12), first.digest));
    for topic in Topic::ALL.into_iter().filter(|topic| *topic != Topic::Manifest) {
        assert!(Arc::ptr_eq(first.shelf(topic), raised.edition.shelf(topic)), "{}", topic.as_str());
    }
    let again = assemble(&key, &same, Some(&raised.edition), &mut ledger, &Origin { floor: Serial(9), ..at(13) });
    assert!(again.change.is_nothing(), "once");
}

#[test]
fn an_edition_that_the_ledger_does_not_know_is_not_built_upon() {
    let (mut ledger, key) = (Ledger::default(), ViewKey::base());
    let (old, new) = (ReplicaState::Healthy, ReplicaState::Unknown);
    let behind = assemble(&key, &snapshot(&[("weather-1", old)]), None, &mut ledger, &at(1)).edition;
    let newest = assemble(&key, &snapshot(&[("weather-1", new)]), Some(&behind), &mut ledger, &at(2)).edition;
    let again = assemble(&key, &snapshot(&[("weather-1", new)]), Some(&behind), &mut ledger, &at(5));
    assert!(again.change.is_nothing(), "the ledger has it already");
    assert_eq!((again.edition.serial, &again.edition.endpoints.entries), (Serial(2), &newest.endpoints.entries));
}
