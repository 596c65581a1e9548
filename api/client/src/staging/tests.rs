use outrigger_model::snapshot::Resources;

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
    assert_eq!(apply(&mut staging, &mut control), ["added Settings/self"]);
    control.publish(|mesh| fixtures::add(mesh, "weather", 1));
    let added = ["added Pool/weather", "added Endpoints/weather", "added Route/weather"];
    assert_eq!(apply(&mut staging, &mut control), added);
    control.publish(|mesh| fixtures::add(mesh, "weather", 2));
    assert_eq!(apply(&mut staging, &mut control), ["changed Endpoints/weather"]);
    control.lose_store();
    assert_eq!(apply(&mut staging, &mut control), [""; 0], "new tokens for equal content change nothing");
    control.publish(|mesh| *mesh = Resources::default());
    let removed = ["removed Pool/weather", "removed Endpoints/weather", "removed Route/weather"];
    assert_eq!(apply(&mut staging, &mut control), removed);
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
        mesh.pools.clear();
        mesh.endpoints.clear();
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
