use outrigger_model::name::RouteName;
use outrigger_model::revocation::Revocations;
use outrigger_model::route::RoutePolicy;
use outrigger_model::secret::Keyring;
use outrigger_model::settings::{SessionMode, Settings};

use super::*;
use crate::fixture::facts;
use crate::intent::traffic::OperatorTraffic;
use crate::intent::{Intent, OperatorRoute};
use crate::snapshot::build::{self, build};
use crate::snapshot::scope::Scope;

fn snapshot(routes: &[(&str, &str, bool)], session_mode: SessionMode) -> Snapshot {
    let route = |(name, requirement, inspect): &(&str, &str, bool)| OperatorRoute {
        name: RouteName::new(name).unwrap(),
        requirement: requirement.parse().unwrap(),
        policy: RoutePolicy { inspect: *inspect, ..RoutePolicy::default() },
        traffic: OperatorTraffic::default(),
    };
    let settings = Settings { session_mode, ..Settings::default() };
    let intent = Intent::new(routes.iter().map(route).collect(), vec![], settings).unwrap();
    let shared = build::Shared { revocations: &Revocations::default(), keyring: &Keyring::default() };
    build(&facts(&["weather-1 healthy 1.0.0"]), &intent, &shared, &Scope::base()).unwrap().snapshot
}

#[test]
fn what_came_changed_and_went_is_named_once_each() {
    let before = snapshot(&[("a", "weather", false), ("b", "weather", false)], SessionMode::Stored);
    let after = snapshot(&[("b", "weather", true), ("c", "sea", false)], SessionMode::Sealed);
    let said = changes(&before, &after);
    let said: Vec<_> = said.iter().map(|it| format!("{} {} {}", it.change.as_str(), it.kind, it.name)).collect();
    let mut said = said;
    said.sort();
    assert_eq!(
        said,
        [
            "added Endpoints c--none",
            "added Pool c--none",
            "added Route c",
            "changed Route b",
            "changed Settings self",
            "removed Route a",
        ]
    );
    assert_eq!(changes(&after, &after), []);
}
