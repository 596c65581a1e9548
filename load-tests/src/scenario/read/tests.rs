use super::*;
use crate::echo::Form;
use crate::scenario::words::Suite;

const GOOD: &str =
    "name: x\nsays: y\nway: one_hop\npeers: [direct]\nrounds: 1\nload: saturate\nconnections: 2\ncalls: 10\n";

fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse(Path::new("x.yaml"), text)
}

#[test]
fn every_scenario_that_is_shipped_can_be_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let scenario = Scenario::read(&path).unwrap();
        assert!(path.file_stem().unwrap().to_string_lossy().ends_with(&scenario.name), "{}", path.display());
        count += 1;
    }
    assert!(count >= 5);
}

#[test]
fn what_cannot_be_run_is_refused_with_its_key() {
    assert!(parse(GOOD).is_ok());
    let rows = [
        ("calls: 10", "calls: 0", "calls"),
        ("calls: 10", "calls: 10\nsession: true\nera: modern", "session"),
        ("rounds: 1", "rounds: 0", "rounds"),
        ("connections: 2", "connections: 100000", "connections"),
        ("load: saturate", "load: rate", "seconds"),
        ("load: saturate", "load: sessions", "calls_each"),
        ("load: saturate", "load: streams", "events"),
        ("calls: 10", "calls: 10\nreplicas: 2", "replicas"),
        ("calls: 10", "kalls: 10", "kalls"),
        ("peers: [direct]", "peers: []", "peers"),
        ("peers: [direct]", "peers: [outrigger_changing]", "changes_per_second"),
        ("calls: 10", "calls: 10\nchanges_per_second: 5", "changes_per_second"),
        ("peers: [direct]", "peers: [envoy_mcp]\nreplicas: 2", "replicas"),
        ("way: one_hop\npeers: [direct]", "way: two_hops_mtls\npeers: [envoy_stateful]", "way"),
        ("calls: 10", "calls: 10\nreply_bytes: 2000000", "reply_bytes"),
        ("calls: 10", "calls: 10\ntools: 600", "tools"),
        ("calls: 10", "calls: 10\ntools: 6\nevents: 2", "tools"),
        ("calls: 10", "calls: 10\nmix: [{weight: 0}]", "weight"),
        ("calls: 10", "calls: 10\ntools: 6\nmix: [{weight: 1}]", "mix"),
        ("load: saturate", "load: feeds\nevents: 3", "streams"),
        ("load: saturate", "load: feeds\nstreams: 3", "events"),
        ("load: saturate", "load: feeds\nstreams: 3\nevents: 100\nevery_ms: 1000", "every_ms"),
    ];
    for (from, to, key) in rows {
        let said = parse(&GOOD.replace(from, to)).unwrap_err().to_string();
        assert!(said.contains(key), "{to}: {said}");
    }
}

#[test]
fn a_mix_has_its_kinds_and_a_suite_its_scenarios() {
    let scenario = parse(&GOOD.replace("calls: 10", "calls: 10\nmix: [{weight: 3}, {weight: 1, tools: 4}]")).unwrap();
    let lists = (0..1_000).filter(|number| scenario.dress.mix.ask(*number).form == Form::List { tools: 4 }).count();
    assert!((150..350).contains(&lists), "{lists}");
    assert_eq!(scenario.suite, Suite::Quick);
    assert_eq!(parse(&format!("{GOOD}suite: full\n")).unwrap().suite, Suite::Full);
    assert!(Suite::Quick < Suite::Full);
}
