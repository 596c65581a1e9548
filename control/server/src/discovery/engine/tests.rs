//! Rows of the protocol's rules, by their numbers: B for both variants, D for delta, F for flow. The last test lets a
//! plain model of a client meet random changes, refusals and reconnects.

use std::time::Duration;

use bytes::Bytes;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, ResourceKind};

use super::*;
use crate::publish::edition::Entry;

mod simulation;
mod lanes;
mod fleet;

const ROUTES: Topic = Topic::Resources(ResourceKind::Route);
const POOLS: Topic = Topic::Resources(ResourceKind::Pool);

/// A view under test: routes and pools by name and content.
#[derive(Default)]
struct View {
    /// Tells views apart whose content is the same.
    name: &'static str,
    serial: u64,
    routes: BTreeMap<String, String>,
    pools: BTreeMap<String, String>,
    edition: Option<Arc<Edition>>,
}

impl View {
    fn with_routes(names: &[&str]) -> Self {
        let mut view = Self::default();
        view.routes.extend(names.iter().map(|name| ((*name).to_owned(), "1".to_owned())));
        view.publish();
        view
    }

    fn route(&mut self, name: &str, content: &str) -> Arc<Edition> {
        self.routes.insert(name.to_owned(), content.to_owned());
        self.publish()
    }

    fn without_route(&mut self, name: &str) -> Arc<Edition> {
        self.routes.remove(name);
        self.publish()
    }

    fn now(&self) -> Arc<Edition> {
        Arc::clone(self.edition.as_ref().unwrap())
    }

    fn publish(&mut self) -> Arc<Edition> {
        self.serial += 1;
        let before = self.edition.clone();
        let serial = Serial(self.serial);
        let shelf = |topic: Topic, contents: &BTreeMap<String, String>| {
            let old = before.as_ref().map(|edition| edition.shelf(topic));
            let entries = contents.iter().map(|(name, content)| {
                let digest = Digest::of(content.as_bytes());
                let kept = old.and_then(|shelf| shelf.entries.get(name)).filter(|entry| entry.digest == digest);
                let token = kept.map_or(Token::new(Epoch(7), serial, &digest), |entry| entry.token);
                (name.clone(), Entry { token, digest, body: Bytes::from(content.clone()) })
            });
            let entries: BTreeMap<_, _> = entries.collect();
            match old {
                Some(shelf) if shelf.entries == entries => Arc::clone(shelf),
                _ => Arc::new(Shelf { changed: serial, entries }),
            }
        };
        let empty = BTreeMap::new();
        let manifest = BTreeMap::from([(SELF.to_owned(), format!("manifest {}{}", self.name, self.serial))]);
        let edition = Arc::new(Edition {
            epoch: Epoch(7),
            serial,
            digest: Digest::of(b"all"),
            settings: shelf(Topic::Resources(ResourceKind::Settings), &empty),
            keyring: shelf(Topic::Resources(ResourceKind::Keyring), &empty),
            revocations: shelf(Topic::Resources(ResourceKind::Revocations), &empty),
            agents: shelf(Topic::Resources(ResourceKind::Agent), &empty),
            capabilities: shelf(Topic::Resources(ResourceKind::Capability), &empty),
            pools: shelf(POOLS, &self.pools),
            endpoints: shelf(Topic::Resources(ResourceKind::Endpoints), &empty),
            routes: shelf(ROUTES, &self.routes),
            wirings: shelf(Topic::Resources(ResourceKind::Wiring), &empty),
            manifest: shelf(Topic::Manifest, &manifest),
        });
        self.edition = Some(Arc::clone(&edition));
        edition
    }
}

fn ask(topic: Topic) -> Ask {
    Ask {
        topic,
        subscribe: Vec::new(),
        unsubscribe: Vec::new(),
        held: BTreeMap::new(),
        nonce: String::new(),
        refusal: None,
    }
}

fn subscribe(topic: Topic, names: &[&str]) -> Ask {
    Ask { subscribe: names.iter().map(|name| (*name).to_owned()).collect(), ..ask(topic) }
}

fn unsubscribe(topic: Topic, names: &[&str]) -> Ask {
    Ask { unsubscribe: names.iter().map(|name| (*name).to_owned()).collect(), ..ask(topic) }
}

fn ack(say: &Say) -> Ask {
    Ask { nonce: say.nonce.clone(), ..ask(say.topic) }
}

fn nack(say: &Say) -> Ask {
    Ask { refusal: Some("Route/a.pool: bad".to_owned()), ..ack(say) }
}

fn resume(topic: Topic, edition: &Edition) -> Ask {
    let shelf = edition.shelf(topic);
    let held = shelf.entries.iter().map(|(name, entry)| (name.clone(), Some(entry.token))).collect();
    Ask { held, ..subscribe(topic, &["*"]) }
}

fn say(engine: &mut Engine, edition: &Arc<Edition>) -> Vec<Say> {
    engine.say(edition, Instant::now(), |_| 1)
}

fn changes(say: &Say) -> Changes {
    match &say.what {
        What::Since(from) => Changes::between(from.as_deref(), say.edition.shelf(say.topic)),
        What::Own(changes) => changes.clone(),
        What::StillTrue => Changes::default(),
    }
}

/// `route: +a +b -c; manifest: +self`, in the order of writing.
fn text(said: &[Say]) -> String {
    let one = |say: &Say| {
        let changes = changes(say);
        let names = changes.changed.iter().map(|name| format!(" +{name}"));
        let names = names.chain(changes.removed.iter().map(|name| format!(" -{name}")));
        format!("{}:{}", say.topic.as_str().to_lowercase(), names.collect::<String>())
    };
    said.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// An engine whose client asked for `names` of routes and accepted the answer.
fn watching(view: &View, names: &[&str]) -> Engine {
    let mut engine = Engine::default();
    engine.hear(subscribe(ROUTES, names)).unwrap();
    accept_all(&mut engine, &view.now());
    engine
}

fn accept_all(engine: &mut Engine, edition: &Arc<Edition>) {
    for round in 0.. {
        let said = say(engine, edition);
        if said.is_empty() {
            return;
        }
        assert!(round < 10, "it never ends: {}", text(&said));
        for said in said {
            engine.hear(ack(&said)).unwrap();
        }
    }
}

/// A sidecar: everything and the Manifest.
fn sidecar(view: &View) -> Engine {
    let mut engine = Engine::default();
    for topic in Topic::ALL {
        engine.hear(subscribe(topic, &["*"])).unwrap();
    }
    accept_all(&mut engine, &view.now());
    engine
}

#[test]
fn b2_every_answer_has_a_fresh_nonce_and_its_ack_is_not_answered() {
    let mut view = View::with_routes(&["a"]);
    let mut engine = watching(&view, &["*"]);
    let first = say(&mut engine, &view.route("a", "2"));
    engine.hear(ack(&first[0])).unwrap();
    assert!(say(&mut engine, &view.now()).is_empty());
    let second = say(&mut engine, &view.route("a", "3"));
    assert_ne!(first[0].nonce, second[0].nonce);
}

#[test]
fn b3_a_refusal_is_answered_only_by_different_content() {
    let mut view = View::with_routes(&["a"]);
    let mut engine = watching(&view, &["*"]);
    let said = say(&mut engine, &view.route("a", "bad"));
    let heard = engine.hear(nack(&said[0])).unwrap();
    let detail = "Route/a.pool: bad".to_owned();
    assert_eq!(heard, Heard::Refused(Refusal { topic: ROUTES, serial: Serial(2), detail }));
    assert!(say(&mut engine, &view.now()).is_empty());
    view.pools.insert("p".to_owned(), "1".to_owned());
    assert!(say(&mut engine, &view.publish()).is_empty(), "another topic is no reason");
    assert_eq!(text(&say(&mut engine, &view.route("a", "good"))), "route: +a");
}

#[test]
fn b3_going_back_to_what_was_accepted_before_is_different_content() {
    let mut view = View::with_routes(&["a"]);
    let mut engine = watching(&view, &["*"]);
    let said = say(&mut engine, &view.route("a", "bad"));
    engine.hear(nack(&said[0])).unwrap();
    assert_eq!(text(&say(&mut engine, &view.route("a", "1"))), "route: +a");
}

#[test]
fn b4_a_refusal_and_a_subscription_in_one_message_both_count() {
    let mut view = View::with_routes(&["a", "b"]);
    let mut engine = watching(&view, &["a"]);
    let said = say(&mut engine, &view.route("a", "bad"));
    let both = Ask { subscribe: vec!["b".to_owned()], ..nack(&said[0]) };
    assert!(matches!(engine.hear(both).unwrap(), Heard::Refused(_)));
    let said = say(&mut engine, &view.now());
    assert!(text(&said).contains("+b"), "{}", text(&said));
}

#[test]
fn b6_d2_a_name_that_does_not_exist_is_denied_at_once_and_sent_when_it_appears() {
    let mut view = View::with_routes(&["a"]);
    let mut engine = Engine::default();
    engine.hear(subscribe(ROUTES, &["ghost"])).unwrap();
    let said = say(&mut engine, &view.now());
    assert_eq!(text(&said), "route: -ghost");
    engine.hear(ack(&said[0])).unwrap();
    assert!(say(&mut engine, &view.route("a", "2")).is_empty());
    assert_eq!(text(&say(&mut engine, &view.route("ghost", "1"))), "route: +ghost");
}

#[test]
fn b9_d8_only_what_changed_travels_and_nothing_when_nothing_changed() {
    let mut view = View::with_routes(&["a", "b", "c"]);
    let mut engine = watching(&view, &["*"]);
    assert!(say(&mut engine, &view.publish()).is_empty());
    assert_eq!(text(&say(&mut engine, &view.route("b", "2"))), "route: +b");
}

#[test]
fn b11_all_of_a_refused_answer_goes_along_with_the_next_different_content() {
    let mut view = View::with_routes(&["a", "b", "gone"]);
    let mut engine = watching(&view, &["*"]);
    view.routes.remove("gone");
    view.routes.insert("a".to_owned(), "2".to_owned());
    let said = say(&mut engine, &view.route("b", "bad"));
    assert_eq!(text(&said), "route: +a +b -gone");
    engine.hear(nack(&said[0])).unwrap();
    let said = say(&mut engine, &view.route("b", "good"));
    assert_eq!(text(&said), "route: +b +a -gone");
    engine.hear(ack(&said[0])).unwrap();
    assert_eq!(text(&say(&mut engine, &view.route("b", "2"))), "route: +b");
}

#[test]
fn d1_a_name_that_is_asked_for_again_is_answered_again() {
    let view = View::with_routes(&["a"]);
    let mut engine = watching(&view, &["a"]);
    engine.hear(subscribe(ROUTES, &["a"])).unwrap();
    assert_eq!(text(&say(&mut engine, &view.now())), "route: +a");
}

#[test]
fn d3_the_first_wildcard_is_answered_even_if_there_is_nothing() {
    let view = View::with_routes(&[]);
    for names in [&["*"][..], &[]] {
        let mut engine = Engine::default();
        engine.hear(subscribe(ROUTES, names)).unwrap();
        assert_eq!(text(&say(&mut engine, &view.now())), "route:");
    }
}

#[test]
fn d4_a_stale_nonce_is_no_ack_but_its_subscription_counts() {
    let mut view = View::with_routes(&["a", "b"]);
    let mut engine = watching(&view, &["a"]);
    let said = say(&mut engine, &view.route("a", "2"));
    let stale = Ask { nonce: "1.99".to_owned(), ..subscribe(ROUTES, &["b"]) };
    engine.hear(stale).unwrap();
    assert!(say(&mut engine, &view.now()).is_empty(), "the answer to `a` still waits");
    engine.hear(ack(&said[0])).unwrap();
    assert_eq!(text(&say(&mut engine, &view.now())), "route: +b");
}

#[test]
fn d5_unsubscribing_is_silent_except_under_a_wildcard() {
    let mut view = View::with_routes(&["a", "b"]);
    let mut engine = watching(&view, &["a", "b"]);
    engine.hear(unsubscribe(ROUTES, &["a", "unknown"])).unwrap();
    assert!(say(&mut engine, &view.now()).is_empty());
    assert_eq!(text(&say(&mut engine, &view.without_route("a"))), "");
    let mut engine = watching(&view, &["*", "a", "b"]);
    engine.hear(unsubscribe(ROUTES, &["a", "b"])).unwrap();
    assert_eq!(text(&say(&mut engine, &view.now())), "route: +b -a");
}

#[test]
fn d6_dropping_the_wildcard_keeps_the_names_and_takes_back_the_rest() {
    let mut view = View::with_routes(&["a", "b"]);
    let mut engine = watching(&view, &["*", "a"]);
    engine.hear(unsubscribe(ROUTES, &["*"])).unwrap();
    let said = say(&mut engine, &view.now());
    assert_eq!(text(&said), "route: -b");
    engine.hear(ack(&said[0])).unwrap();
    assert!(say(&mut engine, &view.route("b", "2")).is_empty());
    assert_eq!(text(&say(&mut engine, &view.route("a", "2"))), "route: +a");
}

#[test]
fn d7_a_client_that_returns_gets_what_changed_and_loses_what_vanished() {
    let mut view = View::with_routes(&["a", "b", "c"]);
    let before = view.now();
    view.routes.remove("c");
    view.routes.insert("d".to_owned(), "1".to_owned());
    let after = view.route("b", "2");
    let mut engine = Engine::default();
    engine.hear(resume(ROUTES, &before)).unwrap();
    assert_eq!(text(&say(&mut engine, &after)), "route: +b +d -c");
    let mut engine = Engine::default();
    engine.hear(resume(ROUTES, &after)).unwrap();
    assert!(say(&mut engine, &after).is_empty());
}

#[test]
fn d7_a_token_that_is_not_ours_counts_as_old() {
    let view = View::with_routes(&["a"]);
    let mut engine = Engine::default();
    let held = BTreeMap::from([("a".to_owned(), None), ("z".to_owned(), None)]);
    engine.hear(Ask { held, ..subscribe(ROUTES, &["*"]) }).unwrap();
    assert_eq!(text(&say(&mut engine, &view.now())), "route: +a -z");
}

#[test]
fn f1_one_answer_waits_per_topic_and_the_newest_state_follows_it() {
    let mut view = View::with_routes(&["a"]);
    let mut engine = watching(&view, &["*"]);
    let said = say(&mut engine, &view.route("a", "2"));
    assert!(say(&mut engine, &view.route("a", "3")).is_empty());
    assert!(say(&mut engine, &view.route("b", "1")).is_empty());
    engine.hear(ack(&said[0])).unwrap();
    assert_eq!(text(&say(&mut engine, &view.now())), "route: +a +b");
}

#[test]
fn f3_names_of_one_topic_are_bounded() {
    let mut engine = Engine::default();
    let names: Vec<String> = (0..=10_000).map(|number| format!("n{number}")).collect();
    assert_eq!(engine.hear(Ask { subscribe: names, ..ask(ROUTES) }), Err(TooManyNames));
}

#[test]
fn f3_how_long_an_answer_waits_is_known() {
    let mut view = View::with_routes(&["a"]);
    let mut engine = watching(&view, &["*"]);
    assert_eq!(engine.waits_since(), None);
    let start = Instant::now();
    let said = engine.say(&view.route("a", "2"), start, |_| 1);
    engine.say(&view.route("a", "3"), start + Duration::from_secs(9), |_| 1);
    assert_eq!(engine.waits_since(), Some(start));
    engine.hear(ack(&said[0])).unwrap();
    assert_eq!(engine.waits_since(), None);
}

#[test]
fn f5_an_answer_in_several_frames_is_accepted_with_its_last_frame() {
    let mut view = View::with_routes(&["a"]);
    let mut engine = watching(&view, &["*"]);
    let said = engine.say(&view.route("a", "2"), Instant::now(), |_| 2);
    for number in 0..2 {
        assert!(say(&mut engine, &view.route("a", "3")).is_empty());
        engine.hear(Ask { nonce: format!("{}/{number}", said[0].nonce), ..ask(ROUTES) }).unwrap();
    }
    assert_eq!(text(&say(&mut engine, &view.now())), "route: +a");
}

#[test]
fn a_burst_ends_with_the_manifest_and_its_ack_means_applied() {
    let mut view = View::with_routes(&["a"]);
    let mut engine = sidecar(&view);
    view.pools.insert("p".to_owned(), "1".to_owned());
    let said = say(&mut engine, &view.route("a", "2"));
    assert_eq!(text(&said), "pool: +p; route: +a; manifest: +self");
    assert_eq!(engine.hear(ack(&said[0])).unwrap(), Heard::Nothing);
    assert_eq!(engine.hear(ack(&said[1])).unwrap(), Heard::Nothing);
    assert_eq!(engine.hear(ack(&said[2])).unwrap(), Heard::Applied(Serial(2)));
}

#[test]
fn while_a_manifest_waits_its_edition_is_what_questions_are_answered_from() {
    let mut view = View::with_routes(&["a"]);
    let mut engine = sidecar(&view);
    let said = say(&mut engine, &view.route("a", "2"));
    engine.hear(ack(&said[0])).unwrap();
    engine.hear(subscribe(ROUTES, &["a"])).unwrap();
    let answer = say(&mut engine, &view.route("a", "3"));
    assert_eq!((text(&answer), answer[0].edition.serial), ("route: +a".to_owned(), Serial(2)));
    engine.hear(ack(&answer[0])).unwrap();
    engine.hear(ack(&said[1])).unwrap();
    assert_eq!(text(&say(&mut engine, &view.now())), "route: +a; manifest: +self");
}

#[test]
fn after_a_refused_manifest_the_next_burst_repeats_what_the_client_may_have_dropped() {
    let mut view = View::with_routes(&["a", "b"]);
    let mut engine = sidecar(&view);
    let said = say(&mut engine, &view.route("a", "2"));
    engine.hear(ack(&said[0])).unwrap();
    assert!(matches!(engine.hear(nack(&said[1])).unwrap(), Heard::Refused(_)));
    assert!(say(&mut engine, &view.now()).is_empty());
    assert_eq!(text(&say(&mut engine, &view.route("b", "2"))), "route: +b +a; manifest: +self");
}

#[test]
fn a_sidecar_that_returns_current_is_told_only_that_all_still_stands() {
    let view = View::with_routes(&["a"]);
    let mut engine = Engine::default();
    for topic in Topic::ALL {
        let heard = engine.hear(resume(topic, &view.now())).unwrap();
        let token = view.now().manifest.token(SELF).unwrap();
        assert_eq!(heard, if topic == Topic::Manifest { Heard::Runs(token) } else { Heard::Nothing });
    }
    let said = say(&mut engine, &view.now());
    // Topics of which it reported nothing are answered: it does not know that there is nothing.
    assert!(said.iter().all(|said| changes(said).is_empty()), "{}", text(&said));
    for said in said {
        engine.hear(ack(&said)).unwrap();
    }
    assert!(say(&mut engine, &view.now()).is_empty());
    assert!(matches!(engine.refresh(&view.now()).unwrap().what, What::StillTrue));
}

#[test]
fn a_refused_refresh_brings_the_manifest_again() {
    let view = View::with_routes(&["a"]);
    let mut engine = sidecar(&view);
    let refresh = engine.refresh(&view.now()).unwrap();
    engine.hear(ack(&refresh)).unwrap();
    assert!(say(&mut engine, &view.now()).is_empty());
    let refresh = engine.refresh(&view.now()).unwrap();
    engine.hear(nack(&refresh)).unwrap();
    assert_eq!(text(&say(&mut engine, &view.now())), "manifest: +self");
}

#[test]
fn a_client_that_refused_the_manifest_is_shown_that_control_lives() {
    let mut view = View::with_routes(&["a"]);
    let mut engine = sidecar(&view);
    let said = say(&mut engine, &view.route("a", "2"));
    engine.hear(ack(&said[0])).unwrap();
    engine.hear(nack(&said[1])).unwrap();
    let sign = engine.refresh(&view.now()).unwrap();
    assert!(matches!(&sign.what, What::Own(changes) if *changes == Changes::default()));
    assert_eq!(engine.hear(ack(&sign)).unwrap(), Heard::Nothing);
    assert!(say(&mut engine, &view.now()).is_empty());
}
