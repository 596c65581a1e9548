//! Resolution once more, by trying everything: what the real one is held against.
//!
//! In: rows that stand for replicas, and a question. Out: whom calls may go to and who is named, by the rules as they are written down.
//! Never here: an index, a memo, or anything of the code that it judges.

use proptest::prelude::{Strategy, prop, proptest};
use semver::Version;

use crate::facts::Facts;
use crate::fixture::registered;

use super::explain::explain;
use super::trace::trace;
use super::wiring::wiring;
use super::{resolve, winners};

/// One function of one replica.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    agent: &'static str,
    number: u8,
    state: &'static str,
    function: &'static str,
    capability: &'static str,
    version: &'static str,
    tags: Vec<&'static str>,
    requires: Option<&'static str>,
}

/// `x tag +preferred -excluded`, in parts.
#[derive(Debug, Clone)]
struct Question {
    capability: &'static str,
    required: Option<&'static str>,
    preferred: Option<&'static str>,
    excluded: Option<&'static str>,
}

impl Row {
    fn id(&self) -> String {
        format!("{}-{}", self.agent, self.number)
    }

    fn health(&self, works: bool) -> u8 {
        match self.state {
            _ if !works => 0,
            "healthy" => 2,
            "unknown" | "draining" => 1,
            _ => 0,
        }
    }

    fn version(&self) -> Version {
        Version::parse(self.version).unwrap()
    }
}

impl Question {
    fn text(&self, reach: &str) -> String {
        let tag = |sign: &str, tag: Option<&str>| tag.map(|tag| format!(" {sign}{tag}")).unwrap_or_default();
        let (required, preferred) = (tag("", self.required), tag("+", self.preferred));
        format!("{}{required}{preferred}{} @reach={reach}", self.capability, tag("-", self.excluded))
    }

    fn score(&self, row: &Row) -> Option<u32> {
        let has = |tag: Option<&str>| tag.is_some_and(|tag| row.tags.contains(&tag));
        if row.capability != self.capability || has(self.excluded) || (self.required.is_some() && !has(self.required)) {
            return None;
        }
        Some(if self.required.is_some() { 5 } else { 0 } + if has(self.preferred) { 10 } else { 0 })
    }
}

/// Which rows work: nobody at first, then whoever has what it requires, until nothing changes.
fn working(rows: &[Row]) -> Vec<bool> {
    let mut works = vec![false; rows.len()];
    loop {
        let met = |row: &Row| {
            row.requires.is_none_or(|needed| {
                let there = rows.iter().zip(&works);
                there
                    .into_iter()
                    .any(|(other, works)| *works && other.capability == needed && other.state != "unhealthy")
            })
        };
        let next: Vec<bool> = rows.iter().map(met).collect();
        if next == works {
            return works;
        }
        works = next;
    }
}

/// Agents that calls go to, and `replica function` that is named.
fn naive(rows: &[Row], question: &Question) -> (Vec<String>, Option<String>) {
    let works = working(rows);
    let fits: Vec<(&Row, u32, bool)> =
        rows.iter().zip(&works).filter_map(|(row, works)| Some((row, question.score(row)?, *works))).collect();
    let rank = |agent: &str| {
        let of_agent = fits.iter().filter(|(row, ..)| row.agent == agent);
        of_agent.map(|(row, score, works)| (row.health(*works), *score, row.version())).max()
    };
    let Some(best) = fits.iter().filter_map(|(row, ..)| rank(row.agent)).max() else { return (vec![], None) };
    let mut agents: Vec<&str> =
        fits.iter().map(|(row, ..)| row.agent).filter(|agent| rank(agent).as_ref() == Some(&best)).collect();
    agents.sort_unstable();
    agents.dedup();
    let mut named: Vec<_> = fits.iter().filter(|(row, ..)| row.agent == agents[0]).collect();
    named.sort_by(|(a, a_score, a_works), (b, b_score, b_works)| {
        let callable = |row: &Row, works: bool| row.health(works) > 0;
        callable(b, *b_works)
            .cmp(&callable(a, *a_works))
            .then(b_score.cmp(a_score))
            .then(b.version().cmp(&a.version()))
            .then(a.function.cmp(b.function))
            .then(a.number.cmp(&b.number))
    });
    (
        agents.into_iter().map(str::to_owned).collect(),
        named.first().map(|(row, ..)| format!("{} {}", row.id(), row.function)),
    )
}

fn facts(rows: &[Row]) -> Facts {
    let mut facts = Facts::default();
    for row in rows {
        let requires = row.requires.map(|needed| format!("<- !{needed}")).unwrap_or_default();
        let text = |row: &Row| {
            format!("{}={} {} {} {requires}", row.function, row.capability, row.version, row.tags.join(" "))
        };
        facts.put(registered(&format!("{} {}", row.id(), row.state), &[&text(row)]));
    }
    facts
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let select = |texts: &[&'static str]| prop::sample::select(texts.to_vec());
    let who =
        (select(&["a", "b", "c", "d"]), 1..3_u8, select(&["healthy", "healthy", "unknown", "draining", "unhealthy"]));
    let what = (
        select(&["f", "g"]),
        select(&["x", "x", "y", "z"]),
        select(&["1.0.0", "1.1.0", "2.0.0-rc.1", "2.0.0"]),
        prop::sample::subsequence(vec!["eu", "fast", "beta"], 0..=3),
        prop::option::weighted(0.4, select(&["x", "y", "z", "w"])),
    );
    let row = (who, what).prop_map(|((agent, number, state), (function, capability, version, tags, requires))| Row {
        agent,
        number,
        state,
        function,
        capability,
        version,
        tags,
        requires,
    });
    prop::collection::vec(row, 0..10).prop_map(|mut rows| {
        rows.sort_by_key(Row::id);
        rows.dedup_by_key(|row| row.id());
        rows
    })
}

fn questions() -> impl Strategy<Value = Question> {
    let tag = |text: &'static str| prop::option::of(prop::strategy::Just(text));
    (prop::sample::select(vec!["x", "y"]), tag("eu"), tag("fast"), tag("beta"))
        .prop_map(|(capability, required, preferred, excluded)| Question { capability, required, preferred, excluded })
}

proptest! {
    #[test]
    fn resolution_finds_what_trying_everything_finds(rows in rows(), question in questions()) {
        let facts = facts(&rows);
        let requirement = question.text("ties").parse().unwrap();
        let (agents, named) = naive(&rows, &question);
        let found: Vec<String> = winners(&facts, &requirement).iter().map(|winner| winner.agent.to_string()).collect();
        assert_eq!(found, agents, "{}", question.text("ties"));
        let wiring = wiring(&facts, &"route".parse().unwrap(), &requirement);
        let told = wiring.providers.first().map(|provider| format!("{} {}", provider.replica, provider.function));
        assert_eq!(told, named);
    }

    #[test]
    fn who_explains_and_who_traces_name_the_one_that_is_found(rows in rows(), question in questions()) {
        let facts = facts(&rows);
        for reach in ["one", "ties"] {
            let requirement = question.text(reach).parse().unwrap();
            let found = resolve(&facts, &requirement).filter(|winner| winner.is_callable);
            let explanation = explain(&facts, &requirement);
            assert_eq!(explanation.winner.as_ref(), found.as_ref().map(|winner| winner.agent));
            let first = explanation.candidates.first().map(|candidate| candidate.agent.clone());
            assert!(explanation.winner.is_none() || explanation.winner == first);
            let chosen = trace(&facts, &requirement).chosen.map(|offer| offer.to_string());
            let best = found.map(|winner| format!("{}:{}", winner.best.standing.replica.id, winner.best.function()));
            assert_eq!(chosen, best);
        }
    }

    #[test]
    fn the_order_in_which_agents_came_and_went_does_not_matter(rows in rows(), question in questions(), seed in 0..1_000_usize) {
        let plain = facts(&rows);
        let mut turned = rows.clone();
        turned.rotate_left(seed % rows.len().max(1));
        if seed % 2 == 0 {
            turned.reverse();
        }
        let mut other = Facts::default();
        for row in &turned {
            other.put(registered(&format!("{} healthy", row.id()), &["other=x 9.0.0 eu <- !x"]));
            other.put(registered(&format!("{}-late@team healthy", row.id()), &["f=x 9.0.0 eu"]));
        }
        // Asked in between, so that what was worked out has to be forgotten.
        let requirement = question.text("all").parse().unwrap();
        let route = "route".parse().unwrap();
        wiring(&other, &route, &requirement);
        for row in &turned {
            other.put(facts(std::slice::from_ref(row)).standings().next().unwrap().clone());
            other.remove(&format!("{}-late", row.id()).parse().unwrap());
        }
        assert_eq!(other, plain);
        assert_eq!(wiring(&other, &route, &requirement), wiring(&plain, &route, &requirement));
    }
}
