use outrigger_model::snapshot::Kinds;

use super::*;
use crate::fixtures::{self, ModelControl};

/// Stages what control sends and commits it; gives the changes.
fn apply(staging: &mut Staging, control: &mut ModelControl) -> Vec<String> {
    let mut burst = control.burst();
    let manifest = burst.pop().unwrap().resources.remove(0);
    for response in burst {
        staging.stage(kind_of(&response.type_url).unwrap(), response.resources, &response.removed_resources).unwrap();
    }
    let proposal = staging.propose(manifest).unwrap();
    staging.commit(proposal.next);
    control.acknowledged();
    proposal.changes.iter().map(|change| format!("{} {}/{}", change.op.as_str(), change.kind, change.name)).collect()
}

#[test]
fn changes_name_what_differs_and_nothing_else() {
    let (mut staging, mut control) = (Staging::default(), ModelControl::new());
    let single = ["added Settings/self", "added Keyring/self", "added Revocations/self"];
    assert_eq!(apply(&mut staging, &mut control), single);
    control.publish(|mesh| fixtures::add(mesh, "weather", 1));
    let added = ["added Pool/weather", "added Endpoints/weather", "added Route/weather"];
    assert_eq!(apply(&mut staging, &mut control), added);
    control.publish(|mesh| fixtures::add(mesh, "weather", 2));
    assert_eq!(apply(&mut staging, &mut control), ["changed Endpoints/weather"]);
    control.lose_store();
    assert_eq!(apply(&mut staging, &mut control), [""; 0], "new tokens for equal content change nothing");
    control.publish(|mesh| *mesh = Kinds::default());
    let removed = ["removed Pool/weather", "removed Endpoints/weather", "removed Route/weather"];
    assert_eq!(apply(&mut staging, &mut control), removed);
}

#[test]
fn a_change_of_one_kind_leaves_all_other_kinds_the_same_allocation() {
    let (mut staging, mut control) = (Staging::default(), ModelControl::new());
    control.publish(|mesh| {
        fixtures::add(mesh, "weather", 1);
        fixtures::add(mesh, "clock", 1);
    });
    apply(&mut staging, &mut control);
    let before = Arc::clone(staging.committed());
    control.publish(|mesh| fixtures::add(mesh, "weather", 2));
    assert_eq!(apply(&mut staging, &mut control), ["changed Endpoints/weather"]);
    let (old, new) = (before.snapshot.resources(), staging.committed().snapshot.resources());
    assert!(new.agents.is_same(&old.agents) && new.capabilities.is_same(&old.capabilities));
    assert!(new.pools.is_same(&old.pools) && new.routes.is_same(&old.routes));
    let moved: Vec<_> = new.endpoints.changed_since(&old.endpoints).map(|(name, _)| name.as_str()).collect();
    assert_eq!(moved, ["weather"], "of the kind that changed, what did not change is shared");
    for kind in ResourceKind::ALL {
        let held = |set: &Committed| set.held.of_kind(kind).map(std::ptr::from_ref).collect::<Vec<_>>();
        let shared = held(&before) == held(staging.committed());
        assert_eq!(shared, kind != ResourceKind::Endpoints, "{kind}");
    }
    assert_eq!(
        old.endpoints["weather"].endpoints[0].weight, 1,
        "who holds the old snapshot sees nothing of the new one"
    );
}

#[test]
fn a_manifest_that_lists_more_than_is_held_is_refused_and_harms_nothing() {
    let (mut staging, mut control) = (Staging::default(), ModelControl::new());
    control.publish(|mesh| fixtures::add(mesh, "weather", 1));
    apply(&mut staging, &mut control);
    let before = Arc::clone(staging.committed());
    control.publish(|mesh| fixtures::add(mesh, "clock", 1));
    let mut burst = control.burst();
    let manifest = burst.pop().unwrap().resources.remove(0);
    let routes = burst.pop().unwrap();
    for response in burst {
        staging.stage(kind_of(&response.type_url).unwrap(), response.resources, &[]).unwrap();
    }
    let bad = staging.propose(manifest.clone()).unwrap_err().to_string();
    assert!(bad.starts_with("Manifest/self.parts[7]: "), "{bad}");
    assert!(Arc::ptr_eq(&before, staging.committed()), "a refused set leaves the committed one as it was");
    staging.stage(ResourceKind::Route, routes.resources, &[]).unwrap();
    assert_eq!(staging.propose(manifest).unwrap().next.held.parts(), control.manifest().parts);
    assert_eq!(before.held.parts(), staging.committed().held.parts(), "and so does one that only waits");
}

#[test]
fn a_response_is_taken_whole_or_not_at_all() {
    let (mut staging, mut control) = (Staging::default(), ModelControl::new());
    control.publish(|mesh| {
        fixtures::add(mesh, "one", 1);
        fixtures::add(mesh, "two", 1);
    });
    let burst = control.burst();
    let routes = burst.iter().find(|response| response.type_url == type_url(ResourceKind::Route)).unwrap();
    let mut resources = routes.resources.clone();
    resources[1].version = "tomorrow".into();
    let bad = staging.stage(ResourceKind::Route, resources, &["three".into()]).unwrap_err();
    let expected = "Route/two.version: `tomorrow` is not a resource token of the form epoch.serial-hash";
    assert_eq!(bad.to_string(), expected);
    assert!(staging.staged.is_empty());
}

#[test]
fn a_body_of_another_type_is_refused() {
    let (mut staging, mut control) = (Staging::default(), ModelControl::new());
    let resources = control.burst().remove(0).resources;
    let bad = staging.stage(ResourceKind::Agent, resources, &[]).unwrap_err().to_string();
    assert!(bad.starts_with("Agent/self.resource.type_url: "), "{bad}");
}

#[test]
fn a_refresh_without_a_body_needs_the_body_to_be_held() {
    let (mut staging, mut control) = (Staging::default(), ModelControl::new());
    let mut refresh = control.burst().remove(0).resources.remove(0);
    refresh.resource = None;
    let bad = staging.stage(ResourceKind::Settings, vec![refresh.clone()], &[]).unwrap_err();
    assert_eq!(bad.to_string(), "Settings/self.resource: it is missing");
    apply(&mut staging, &mut control);
    staging.stage(ResourceKind::Settings, vec![refresh], &[]).unwrap();
}

#[test]
fn a_snapshot_whose_references_lead_nowhere_is_refused_by_its_field() {
    let (mut staging, mut control) = (Staging::default(), ModelControl::new());
    control.publish(|mesh| {
        fixtures::add(mesh, "weather", 1);
        mesh.pools.remove("weather");
        mesh.endpoints.remove("weather");
    });
    let mut burst = control.burst();
    let manifest = burst.pop().unwrap().resources.remove(0);
    for response in burst {
        staging.stage(kind_of(&response.type_url).unwrap(), response.resources, &[]).unwrap();
    }
    let bad = staging.propose(manifest).unwrap_err();
    assert_eq!(bad.to_string(), "Route/weather.pool: there is no pool `weather`");
}

#[test]
fn what_was_committed_can_be_staged_again_from_one_message() {
    let (mut staging, mut control) = (Staging::default(), ModelControl::new());
    control.publish(|mesh| fixtures::add(mesh, "weather", 1));
    apply(&mut staging, &mut control);
    let mut other = Staging::default();
    let proposal = other.stage_message(staging.committed().message()).unwrap();
    assert_eq!(proposal.next.snapshot, staging.committed().snapshot);
    assert_eq!(proposal.next.held, staging.committed().held);

    let mut without = staging.committed().message();
    without.resources.pop();
    assert_eq!(Staging::default().stage_message(without).unwrap_err().to_string(), "Manifest/self: it is missing");
}
