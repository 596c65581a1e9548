//! Several clients at a control that restarts and is restored from backups, while all of them meet everything at random.

use super::simulation::{Client, books};
use super::*;
use crate::publish::fixture::{Desk, Stored, seeds};

struct Fleet {
    desk: Desk,
    backups: Vec<Stored>,
    /// Each client with its stream, if it has one.
    clients: Vec<(Client, Option<Engine>)>,
    rng: fastrand::Rng,
}

impl Fleet {
    fn edit(&mut self) {
        for _ in 0..self.rng.u8(1..4) {
            let name = format!("r{}", self.rng.u8(..6));
            let kind = if self.rng.bool() { ResourceKind::Route } else { ResourceKind::Pool };
            if self.rng.u8(..3) == 0 {
                self.desk.take(kind, &name);
            } else {
                let content = self.rng.u8(..3).to_string();
                self.desk.put(kind, &name, &content);
            }
        }
        self.desk.publish();
    }

    /// All streams end; what was on its way is lost.
    fn control_goes(&mut self) {
        self.clients.iter_mut().for_each(|(_, engine)| *engine = None);
    }

    fn restore(&mut self) {
        if let Some(backup) = self.rng.choice(&self.backups).cloned() {
            self.desk.restore(&backup);
            self.control_goes();
        }
    }

    fn connect(client: &mut Client, engine: &mut Option<Engine>) {
        let mut fresh = Engine::default();
        client.open(&mut fresh);
        *engine = Some(fresh);
    }

    fn step(&mut self) {
        let at = self.rng.usize(..self.clients.len());
        match self.rng.u8(..20) {
            0..3 => return self.edit(),
            3 if self.rng.u8(..4) == 0 => {
                let loses = self.rng.bool();
                self.desk.restart(loses);
                return self.control_goes();
            }
            4 if self.rng.u8(..6) == 0 => return self.restore(),
            5 if self.backups.len() < 3 => return self.backups.push(self.desk.backup()),
            _ => {}
        }
        let newest = self.desk.newest();
        let (client, engine) = &mut self.clients[at];
        match (self.rng.u8(..12), engine.as_mut()) {
            (0..4, None) => Self::connect(client, engine),
            // It breaks off, or its process starts again without a file.
            (0, Some(_)) if self.rng.u8(..3) == 0 => *engine = None,
            (1, Some(_)) if self.rng.u8(..6) == 0 => {
                client.forget();
                *engine = None;
            }
            (2, Some(stream)) => drop(stream.refresh(&newest)),
            (3..8, Some(stream)) => client.read(stream, &mut self.rng, true),
            (_, Some(stream)) => client.post.extend(say(stream, &newest)),
            (_, None) => {}
        }
    }

    /// Everybody calms down, and the last change is one that nobody has refused yet.
    fn calm_down(&mut self, seed: u64) {
        let edition = self.desk.put(ResourceKind::Route, "last", &seed.to_string()).publish();
        for (client, engine) in &mut self.clients {
            if engine.is_none() {
                Self::connect(client, engine);
            }
            let stream = engine.as_mut().unwrap();
            for _ in 0..60 {
                client.post.extend(say(stream, &edition));
                client.read(stream, &mut self.rng, false);
            }
            assert_eq!(client.serial, Some(edition.serial));
            assert_eq!(client.runs, books(&edition, true));
        }
    }
}

fn run(seed: u64) {
    let rng = fastrand::Rng::with_seed(seed);
    let clients = (0..3).map(|_| (Client::new(), None)).collect();
    let mut fleet = Fleet { desk: Desk::open(), backups: Vec::new(), clients, rng };
    for _ in 0..120 {
        fleet.step();
    }
    fleet.calm_down(seed);
}

#[test]
fn over_restarts_and_restores_every_client_ends_with_exactly_what_control_has() {
    for seed in seeds(2_000) {
        run(seed.0);
    }
}

#[test]
fn a_client_that_control_left_out_of_a_change_would_be_caught() {
    let mut fleet = Fleet {
        desk: Desk::open(),
        backups: Vec::new(),
        clients: vec![(Client::new(), None)],
        rng: fastrand::Rng::with_seed(1),
    };
    fleet.calm_down(1);
    fleet.desk.put(ResourceKind::Route, "more", "1").publish();
    assert_ne!(fleet.clients[0].0.runs, books(&fleet.desk.newest(), true));
}
