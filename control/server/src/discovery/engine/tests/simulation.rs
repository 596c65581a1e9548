//! A client that keeps its books plainly, and meets everything at random.

use std::collections::VecDeque;

use super::*;

pub type Books = BTreeMap<(Topic, String), Token>;

/// Stages what it is sent, and runs it when a Manifest says that it is whole.
pub struct Client {
    pub staged: Books,
    pub runs: Books,
    pub serial: Option<Serial>,
    /// It refused something since the last Manifest, so the next Manifest cannot match.
    pub spoiled: bool,
    pub post: VecDeque<Say>,
}

impl Client {
    pub fn new() -> Self {
        Self { staged: Books::new(), runs: Books::new(), serial: None, spoiled: false, post: VecDeque::new() }
    }

    /// It starts again with nothing.
    pub fn forget(&mut self) {
        *self = Self::new();
    }

    pub fn open(&mut self, engine: &mut Engine) {
        self.staged = self.runs.clone();
        self.spoiled = false;
        self.post.clear();
        for topic in Topic::ALL {
            let held = self.runs.iter().filter(|((of, _), _)| *of == topic);
            let held = held.map(|((_, name), token)| (name.clone(), Some(*token))).collect();
            engine.hear(Ask { held, ..subscribe(topic, &["*"]) }).unwrap();
        }
    }

    fn take(&mut self, say: &Say, only: impl Fn() -> bool) {
        let Changes { changed, removed } = changes(say);
        for name in changed.into_iter().filter(|_| only()) {
            let token = say.edition.shelf(say.topic).token(&name).unwrap();
            self.staged.insert((say.topic, name), token);
        }
        for name in removed.into_iter().filter(|_| only()) {
            self.staged.remove(&(say.topic, name));
        }
    }

    pub fn read(&mut self, engine: &mut Engine, rng: &mut fastrand::Rng, refuses: bool) {
        let Some(say) = self.post.pop_front() else { return };
        let refuses = refuses && rng.u8(..10) == 0;
        if say.topic != Topic::Manifest {
            let partly = rng.bool();
            let luck = std::cell::RefCell::new(rng);
            self.take(&say, || !refuses || (partly && luck.borrow_mut().bool()));
            self.spoiled |= refuses;
            engine.hear(if refuses { nack(&say) } else { ack(&say) }).unwrap();
            return;
        }
        let whole = {
            let mut staged = self.staged.clone();
            staged.retain(|(topic, _), _| *topic != Topic::Manifest);
            staged == books(&say.edition, false)
        };
        assert!(whole || self.spoiled, "the Manifest of {} does not match what was sent", say.edition.serial);
        if whole && !refuses {
            self.take(&say, || true);
            self.runs = self.staged.clone();
            self.serial = Some(say.edition.serial);
            engine.hear(ack(&say)).unwrap();
        } else {
            if rng.bool() {
                self.staged = self.runs.clone();
            }
            engine.hear(nack(&say)).unwrap();
        }
        self.spoiled = false;
    }
}

pub fn books(edition: &Edition, with_manifest: bool) -> Books {
    let topics = Topic::ALL.into_iter().filter(|topic| with_manifest || *topic != Topic::Manifest);
    let entries = topics.flat_map(|topic| edition.shelf(topic).entries.iter().map(move |entry| (topic, entry)));
    entries.map(|(topic, (name, entry))| ((topic, name.clone()), entry.token)).collect()
}

pub fn change(view: &mut View, rng: &mut fastrand::Rng) {
    for _ in 0..rng.u8(1..4) {
        let name = format!("r{}", rng.u8(..6));
        let shelf = if rng.bool() { &mut view.routes } else { &mut view.pools };
        if rng.u8(..3) == 0 {
            shelf.remove(&name);
        } else {
            shelf.insert(name, rng.u8(..3).to_string());
        }
    }
    view.publish();
}

fn run(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut view = View::with_routes(&["r0", "r1"]);
    let mut engine = Engine::default();
    let mut client = Client::new();
    client.open(&mut engine);
    for _ in 0..200 {
        match rng.u8(..10) {
            0..2 => change(&mut view, &mut rng),
            2 if rng.u8(..4) == 0 => {
                engine = Engine::default();
                client.open(&mut engine);
            }
            3 => drop(engine.refresh(&view.now())),
            4..7 => client.read(&mut engine, &mut rng, true),
            _ => client.post.extend(say(&mut engine, &view.now())),
        }
    }
    // Everybody calms down; the last change is one that the client has not refused yet.
    view.route("last", &seed.to_string());
    for _ in 0..100 {
        client.post.extend(say(&mut engine, &view.now()));
        client.read(&mut engine, &mut rng, false);
    }
    assert_eq!(client.serial, Some(view.now().serial), "seed {seed}");
    assert_eq!(client.runs, books(&view.now(), true), "seed {seed}");
}

#[test]
fn whatever_happens_a_client_ends_with_exactly_what_control_has() {
    for seed in 0..500 {
        run(seed);
    }
}
