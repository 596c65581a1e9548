//! Any sequence of changes and refusals ends with the client holding what there is.

use super::*;
use Kind::{Cluster, Endpoints, Listener, Route};

use std::collections::BTreeMap;

/// What an Envoy applies of what it is told.
#[derive(Default)]
struct Model {
    runs: BTreeMap<(Kind, String), String>,
}

impl Model {
    fn takes(&mut self, mode: Mode, (kind, parts): &Short) {
        if mode == Mode::Sotw && kind.is_root() {
            self.runs.retain(|(of, _), _| of != kind);
        }
        for part in parts {
            match part.split_once('=') {
                Some((name, body)) => drop(self.runs.insert((*kind, name.to_owned()), body.to_owned())),
                None => drop(self.runs.remove(&(*kind, part.trim_start_matches(['-', '?']).to_owned()))),
            }
        }
    }
}

fn content(random: &mut fastrand::Rng) -> Vec<(Kind, Vec<String>)> {
    let clusters: Vec<String> = (0..6).filter(|_| random.bool()).map(|name| format!("c{name}")).collect();
    let with =
        |random: &mut fastrand::Rng| clusters.iter().map(|it| format!("{it}={}", random.u8(0..3))).collect::<Vec<_>>();
    let (of_clusters, of_endpoints) = (with(random), with(random));
    let route = format!("r={}>{}", clusters.join("+"), clusters.join(","));
    vec![(Cluster, of_clusters), (Endpoints, of_endpoints), (Listener, vec!["l=1".into()]), (Route, vec![route])]
}

impl Model {
    /// Whether every cluster that its routes lead to is there.
    fn is_whole(&self) -> bool {
        let route = self.runs.get(&(Route, "r".to_owned())).map(String::as_str).unwrap_or_default();
        route.split('+').filter(|name| !name.is_empty()).all(|name| self.runs.contains_key(&(Cluster, name.to_owned())))
    }
}

#[test]
fn any_sequence_ends_with_the_client_holding_what_there_is() {
    for seed in 0..60 {
        for mode in [Mode::Sotw, Mode::Delta] {
            walk(&mut fastrand::Rng::with_seed(seed), mode, true, seed);
        }
    }
}

#[test]
fn a_client_that_accepts_never_has_a_call_without_a_cluster() {
    for seed in 0..60 {
        for mode in [Mode::Sotw, Mode::Delta] {
            walk(&mut fastrand::Rng::with_seed(seed), mode, false, seed);
        }
    }
}

fn walk(random: &mut fastrand::Rng, mode: Mode, refuses: bool, seed: u64) {
    let (mut place, mut model, mut client) = (Place::default(), Model::default(), Client::new(mode));
    client.wants(Cluster, &[]).wants(Listener, &[]).wants(Route, &["r"]);
    let all = ["c0", "c1", "c2", "c3", "c4", "c5"];
    client.wants(Endpoints, &all);
    let mut edition = None;
    for turn in 0..30 {
        let rows = content(random);
        let rows: Vec<(Kind, Vec<&str>)> =
            rows.iter().map(|(kind, rows)| (*kind, rows.iter().map(String::as_str).collect())).collect();
        let rows: Vec<(Kind, &[&str])> = rows.iter().map(|(kind, rows)| (*kind, rows.as_slice())).collect();
        let newest = place.edition(&rows);
        let is_last = turn == 29;
        for _ in 0..if is_last { 50 } else { random.usize(0..5) } {
            for told in client.hears(&newest) {
                // It takes some of what it refuses, or all.
                if refuses && !is_last && random.u8(0..6) == 0 {
                    model.takes(Mode::Delta, &(told.0, told.1.iter().filter(|_| random.bool()).cloned().collect()));
                    client.refuses(told.0);
                } else {
                    model.takes(mode, &told);
                    client.accepts(told.0);
                }
                assert!(refuses || model.is_whole(), "seed {seed}, {mode:?}, turn {turn}: {:?}", model.runs);
            }
        }
        edition = Some(newest);
    }
    // What was refused last and did not change since is still in doubt; one more change of everything settles it.
    let last = edition.expect("there was one");
    let names: Vec<String> = last.shelf(Cluster).resources.keys().map(|name| format!("{name}=final")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let leads: Vec<String> = last.shelf(Cluster).resources.keys().map(ToString::to_string).collect();
    let route = format!("r=final>{}", leads.join(","));
    let done = place.edition(&[(Cluster, &names), (Endpoints, &names), (Listener, &["l=final"]), (Route, &[&route])]);
    for told in client.settles(&done) {
        model.takes(mode, &told);
    }
    for kind in [Cluster, Listener, Route] {
        let runs: Vec<_> = model
            .runs
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|((_, name), body)| (name.clone(), body.clone()))
            .collect();
        let wants: Vec<_> = done
            .shelf(kind)
            .resources
            .values()
            .map(|it| (it.name.to_string(), String::from_utf8_lossy(&it.body).into_owned()))
            .collect();
        assert_eq!(runs, wants, "seed {seed}, {mode:?}, {kind:?}");
    }
    for name in leads {
        assert_eq!(
            model.runs.get(&(Endpoints, name.clone())).map(String::as_str),
            Some("final"),
            "seed {seed}, {mode:?}, {name}"
        );
    }
}
