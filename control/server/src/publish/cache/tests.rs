use std::cell::Cell;
use std::collections::BTreeMap;

use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, ResourceKind};

use super::*;

const ROUTES: Topic = Topic::Resources(ResourceKind::Route);

fn edition(serial: u64) -> Edition {
    let shelf = Arc::new(Shelf { changed: Serial(serial), entries: BTreeMap::new() });
    let share = || Arc::clone(&shelf);
    Edition {
        epoch: Epoch(1),
        serial: Serial(serial),
        digest: Digest::of(b"all"),
        settings: share(),
        keyring: share(),
        revocations: share(),
        agents: share(),
        capabilities: share(),
        pools: share(),
        endpoints: share(),
        routes: share(),
        wirings: share(),
        manifest: share(),
    }
}

#[test]
fn a_step_is_encoded_once_however_many_streams_take_it() {
    let (cache, encoded) = (FrameCache::default(), Cell::new(0));
    let (from, to) = (edition(1), edition(2));
    let take = |from: Option<&Edition>, to: &Edition| {
        let from = from.map(|edition| edition.shelf(ROUTES).as_ref());
        cache.step(ROUTES, from, to, || {
            encoded.set(encoded.get() + 1);
            vec![Frame("frame".into())]
        })
    };
    for _ in 0..1_000 {
        assert_eq!(take(Some(&from), &to).len(), 1);
    }
    assert_eq!(encoded.get(), 1);
    take(None, &to);
    assert_eq!(encoded.get(), 2, "from nothing is another step");
}

#[test]
fn old_steps_make_room() {
    let cache = FrameCache::default();
    for serial in 0..10 * STEPS_MAX as u64 {
        cache.step(ROUTES, None, &edition(serial), || vec![Frame("frame".into())]);
    }
    assert_eq!(cache.steps.lock().unwrap().len(), STEPS_MAX);
}
