use super::*;
use crate::fixture::{registered, standing};
use crate::standing::Standing;

fn facts(standings: Vec<Standing>) -> Facts {
    let mut facts = Facts::default();
    standings.into_iter().for_each(|standing| facts.put(standing));
    facts
}

/// `stage: kept | evicted reason, …`
fn told(facts: &Facts, requirement: &str) -> Vec<String> {
    let trace = trace(facts, &requirement.parse().unwrap());
    let line = |stage: &StageTrace| {
        let kept: Vec<_> = stage.kept.iter().map(ToString::to_string).collect();
        let evicted: Vec<_> = stage.evicted.iter().map(|(id, why)| format!("{id} {}", why.reason.as_str())).collect();
        format!("{}: {} | {}", stage.stage.as_str(), kept.join(" "), evicted.join(", ")).trim_end().to_owned()
    };
    trace.stages.iter().map(line).collect()
}

fn mesh() -> Facts {
    facts(vec![
        registered("best-1 healthy", &["greet=greeting 2.0.0 prod en", "hi=greeting 1.0.0 prod"]),
        registered("tie-1 healthy", &["hello=greeting 2.0.0 prod en"]),
        registered("down-1 unhealthy", &["greet=greeting 9.0.0 prod en"]),
        registered("stuck-1 healthy", &["greet=greeting 9.0.0 prod en <- !nobody"]),
        registered("beta-1 healthy", &["greet=greeting 9.0.0 prod en beta"]),
        registered("dev-1 healthy", &["greet=greeting 9.0.0 en"]),
        registered("team-1@team healthy", &["greet=greeting 9.0.0 prod en"]),
    ])
}

#[test]
fn each_stage_says_what_it_kept_and_why_it_evicted() {
    let requirement = "greeting prod +en -beta @range=^2 @reach=ties";
    let expected = [
        "namespace: best-1:greet tie-1:hello best-1:hi down-1:greet stuck-1:greet beta-1:greet dev-1:greet | team-1:greet NamespaceMismatch",
        "health: best-1:greet tie-1:hello best-1:hi beta-1:greet dev-1:greet | down-1:greet Unhealthy, stuck-1:greet Unavailable",
        "capability_match: best-1:greet tie-1:hello best-1:hi beta-1:greet dev-1:greet |",
        "tags: best-1:greet tie-1:hello best-1:hi | beta-1:greet ExtraTagDisallowed, dev-1:greet MissingTag",
        "version: best-1:greet tie-1:hello | best-1:hi VersionConstraintFailed",
        "schema: best-1:greet tie-1:hello |",
        "tiebreaker: best-1:greet tie-1:hello |",
    ];
    let told: std::collections::BTreeSet<String> = told(&mesh(), requirement).iter().map(|line| sorted(line)).collect();
    assert_eq!(told, expected.iter().map(|line| sorted(line)).collect());
    let trace = trace(&mesh(), &requirement.parse().unwrap());
    assert_eq!(trace.chosen.as_ref().unwrap().to_string(), "best-1:greet");
    assert_eq!(trace.stages.last().unwrap().kept[0], trace.chosen.unwrap());
    assert_eq!(trace.ties.iter().map(AgentName::as_str).collect::<Vec<_>>(), ["tie"]);
}

/// The order within a stage that nobody was chosen in says nothing.
fn sorted(line: &str) -> String {
    let (stage, rest) = line.split_once(": ").unwrap();
    let (kept, evicted) = rest.split_once('|').unwrap();
    let mut kept: Vec<_> = kept.split_whitespace().collect();
    let mut evicted: Vec<_> = evicted.trim().split(", ").collect();
    kept.sort_unstable();
    evicted.sort_unstable();
    format!("{stage}: {} | {}", kept.join(" "), evicted.join(", "))
}

#[test]
fn stages_that_nobody_reached_are_not_told() {
    let facts = facts(vec![registered("down-1 unhealthy", &["greet=greeting 1.0.0"])]);
    assert_eq!(told(&facts, "greeting"), ["health:  | down-1:greet Unhealthy"]);
    assert_eq!(told(&facts, "nothing"), ["health:  |"]);
    assert_eq!(trace(&facts, &"greeting".parse().unwrap()).chosen, None);
}

#[test]
fn one_candidate_is_nothing_to_decide() {
    let is_interesting = |facts: &Facts| trace(facts, &"forecast".parse().unwrap()).is_interesting();
    let mut facts = facts(vec![standing("a-1 healthy 1.0.0")]);
    assert!(!is_interesting(&facts));
    facts.put(standing("b-1 unhealthy 1.0.0"));
    assert!(is_interesting(&facts));
}

#[test]
fn a_crowd_is_told_in_part_and_counted_in_full() {
    let rows = (0..100).map(|number| standing(&format!("a{number}-1 healthy 1.0.0")));
    let trace = trace(&facts(rows.collect()), &"forecast".parse().unwrap());
    let last = trace.stages.last().unwrap();
    assert_eq!((last.kept.len(), last.considered), (TOLD_MAX, 100));
}

#[test]
fn a_schema_that_does_not_fit_is_told() {
    let mut one = registered("a-1 healthy", &["greet=greeting 1.0.0"]);
    let mut replica = Arc::unwrap_or_clone(one.replica);
    let mut registration = Arc::unwrap_or_clone(replica.registration.unwrap());
    registration.functions[0].output.hash = "sha256:one".into();
    replica.registration = Some(registration.into());
    one.replica = replica.into();
    let facts = facts(vec![one]);
    let requirement = |hash: &str| format!("greeting @schema=strict:{hash}:7b7d @reach=ties");
    assert_eq!(told(&facts, &requirement("sha256:one")).last().unwrap(), "tiebreaker: a-1:greet |");
    assert_eq!(told(&facts, &requirement("sha256:two")).last().unwrap(), "schema:  | a-1:greet SchemaIncompatible");
}
