use super::explain::{Verdict, explain};
use super::*;
use crate::facts::Facts;
use crate::fixture::facts;

fn find(rows: &[&str], requirement: &str) -> String {
    let facts = facts(rows);
    match resolve(&facts, &requirement.parse().unwrap()) {
        Some(winner) if !winner.is_callable => format!("{} (not callable)", winner.agent),
        Some(winner) => {
            let ids: Vec<String> = winner.ids().map(ToString::to_string).collect();
            ids.join(" ")
        }
        None => "nobody".to_owned(),
    }
}

fn check(rows: &[&str], requirement: &str, expected: &str) {
    assert_eq!(find(rows, requirement), expected, "{requirement} among {rows:?}");
}

#[test]
fn tags_required_preferred_and_excluded() {
    let offers = &["a-1 healthy 1.0.0 eu beta", "b-1 healthy 1.0.0 eu fast", "c-1 healthy 1.0.0 us"];
    check(offers, "forecast", "a-1");
    check(offers, "forecast eu", "a-1");
    check(offers, "forecast us", "c-1");
    check(offers, "forecast -beta", "b-1");
    check(offers, "forecast +fast", "b-1");
    check(offers, "forecast us +fast", "c-1");
    check(offers, "forecast asia", "nobody");
    check(offers, "forecast eu -beta -fast", "nobody");
    check(offers, "forecast +us +fast +eu", "b-1");
}

#[test]
fn version_ranges() {
    let offers = &["a-1 healthy 1.1.0", "b-1 healthy 1.9.3", "c-1 healthy 2.0.0", "d-1 healthy 3.0.0-rc.1"];
    check(offers, "forecast ^1", "b-1");
    check(offers, "forecast ~1.1", "a-1");
    check(offers, "forecast =1.1.0", "a-1");
    check(offers, "forecast >=1.5.0,<3.0.0", "c-1");
    check(offers, "forecast >=4", "nobody");
    // semver: a pre-release is taken only by a range that names one, or where no range is asked for.
    check(offers, "forecast >=2", "c-1");
    check(offers, "forecast >=3.0.0-rc.0", "d-1");
    check(offers, "forecast", "d-1");
}

#[test]
fn the_best_of_those_that_fit() {
    // Health before tags, tags before version, version before name.
    check(&["a-1 unknown 9.0.0 fast", "b-1 healthy 1.0.0"], "forecast +fast", "b-1");
    check(&["a-1 draining 9.0.0", "b-1 unknown 1.0.0"], "forecast", "a-1");
    check(&["a-1 healthy 9.0.0", "b-1 healthy 1.0.0 fast"], "forecast +fast", "b-1");
    check(&["a-1 healthy 1.0.0", "b-1 healthy 1.0.1"], "forecast", "b-1");
    check(&["b-1 healthy 1.0.0", "a-1 healthy 1.0.0"], "forecast", "a-1");
}

#[test]
fn an_unhealthy_provider_is_found_only_when_there_is_no_other() {
    check(&["a-1 unhealthy 2.0.0", "b-1 unknown 1.0.0"], "forecast", "b-1");
    check(&["a-1 unhealthy 2.0.0"], "forecast", "a (not callable)");
}

#[test]
fn replicas_of_two_agents_are_never_mixed() {
    check(&["a-1 healthy 1.0.0", "a-2 healthy 1.0.0", "b-1 healthy 1.0.0"], "forecast", "a-1 a-2");
}

#[test]
fn only_replicas_that_fit_are_in() {
    let rolling = &["a-1 healthy 1.1.0", "a-2 healthy 1.2.0", "a-3 unhealthy 1.2.0"];
    check(rolling, "forecast ^1.2", "a-2 a-3");
    let facts = facts(rolling);
    assert!(!resolve(&facts, &"forecast ^1.2".parse().unwrap()).unwrap().is_whole_agent);
    assert!(resolve(&facts, &"forecast ^1".parse().unwrap()).unwrap().is_whole_agent);
}

#[test]
fn the_order_of_registration_does_not_matter() {
    let rows = ["a-1 healthy 1.0.0 x", "b-1 healthy 1.0.0 x", "b-2 unknown 3.0.0 x", "c-1 draining 9.0.0"];
    for requirement in ["forecast", "forecast +x", "forecast ^1", "forecast -x"] {
        let mut reversed = rows;
        reversed.reverse();
        assert_eq!(find(&rows, requirement), find(&reversed, requirement));
    }
}

fn told(rows: &[&str], requirement: &str) -> Vec<(String, Verdict, String)> {
    let explanation = explain(&facts(rows), &requirement.parse().unwrap());
    let told = explanation.candidates.into_iter();
    told.map(|candidate| (candidate.agent.to_string(), candidate.verdict, candidate.reason)).collect()
}

#[test]
fn every_loser_is_told_why() {
    let rows = &[
        "best-1 healthy 1.2.0 eu fast",
        "best-2 unhealthy 1.2.0 eu fast",
        "lower-1 healthy 1.1.0 eu fast",
        "less-1 healthy 1.2.0 eu",
        "quiet-1 unknown 1.2.0 eu fast",
        "same-1 healthy 1.2.0 eu fast",
        "dead-1 unhealthy 1.2.0 eu fast",
        "old-1 healthy 0.9.0 eu",
        "us-1 healthy 1.2.0 us",
        "beta-1 healthy 1.2.0 eu beta",
    ];
    let told = told(rows, "forecast ^1 eu +fast -beta");
    let check = |agent: &str, verdict: Verdict, reason: &str| {
        let (_, has, says) = told.iter().find(|(name, ..)| name == agent).unwrap();
        assert_eq!((*has, says.as_str()), (verdict, reason), "{agent}");
    };
    check("best", Verdict::Chosen, "chosen; 1 of 2 replicas may be called");
    check("same", Verdict::Outranked, "it is as good as `best`, whose name sorts first");
    check("lower", Verdict::Outranked, "its version 1.1.0 is lower than 1.2.0 of `best`");
    check("less", Verdict::Outranked, "its tags score 5 and those of `best` 15");
    check("quiet", Verdict::Outranked, "it has no healthy replica and `best` has one");
    check("dead", Verdict::NotCallable, "it fits, and all its replicas that fit are unhealthy");
    check("old", Verdict::Version, "its version 0.9.0 is outside `^1`");
    check("us", Verdict::Tags, "it lacks the required tag `eu`");
    check("beta", Verdict::Tags, "it has the excluded tag `beta`");
    assert_eq!(told[0].0, "best");
}

#[test]
fn the_whole_is_told_in_one_sentence() {
    let check = |rows: &[&str], requirement: &str, expected: &str| {
        assert_eq!(explain(&facts(rows), &requirement.parse().unwrap()).summary, expected);
    };
    check(&[], "forecast", "no agent offers `forecast`");
    check(&["a-1 healthy 1.0.0"], "forecast", "`a` is the only agent that offers `forecast`");
    check(&["a-1 healthy 1.0.0", "b-1 healthy 2.0.0"], "forecast", "`b` is the best of 2 agents that offer `forecast`");
    check(&["a-1 unhealthy 1.0.0"], "forecast", "the only agent that offers `forecast` cannot be used");
    check(
        &["a-1 healthy 1.0.0", "b-1 healthy 2.0.0"],
        "forecast ^3",
        "none of 2 agents that offer `forecast` can be used",
    );
}

#[test]
fn the_explanation_names_the_winner_that_resolution_finds() {
    let rows = ["a-1 unknown 2.0.0 x", "b-1 healthy 1.0.0", "c-1 draining 3.0.0 x", "d-1 unhealthy 9.0.0 x"];
    for requirement in ["forecast", "forecast x", "forecast ^2", "forecast >=9", "forecast y", "d", "nothing"] {
        let (facts, requirement) = (facts(&rows), requirement.parse().unwrap());
        let found = resolve(&facts, &requirement).filter(|winner| winner.is_callable);
        assert_eq!(explain(&facts, &requirement).winner.as_ref(), found.map(|winner| winner.agent), "{requirement}");
    }
}

#[test]
fn other_capabilities_are_not_looked_at() {
    let mut facts = Facts::default();
    for number in 0..10_000 {
        facts.put(crate::fixture::standing(&format!("agent{number} healthy 1.0.0")));
    }
    let candidates = candidates::of(&facts, &Ask::of(&"agent7000".parse().unwrap())).len();
    assert_eq!(candidates, 1);
}
