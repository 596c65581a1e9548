//! A client that is moved between two views, whose serials are the same and whose contents are not.

use std::collections::VecDeque;

use super::simulation::{Client, books, change};
use super::*;

#[test]
fn what_is_held_of_one_view_is_known_by_token_and_not_by_serial_in_the_other() {
    let (mut main, mut canary) = (View::with_routes(&["a"]), View { name: "canary ", ..View::with_routes(&["a"]) });
    let mut engine = Engine::default();
    for topic in [ROUTES, Topic::Manifest] {
        engine.hear(subscribe(topic, &["*"])).unwrap();
    }
    let answer = |engine: &mut Engine, said: &[Say]| said.iter().for_each(|say| drop(engine.hear(ack(say)).unwrap()));
    main.route("a", "of main");
    canary.route("a", "of the candidate");
    assert_eq!(main.now().routes.changed, canary.now().routes.changed);
    let said = say(&mut engine, &main.now());
    assert!(!engine.is_quiet());
    answer(&mut engine, &said);
    assert!(engine.is_quiet());
    assert_eq!(text(&say(&mut engine, &main.now())), "");
    engine.moved();
    let said = say(&mut engine, &canary.now());
    assert_eq!(text(&said), "route: +a; manifest: +self");
    answer(&mut engine, &said);
    assert_eq!(text(&say(&mut engine, &canary.now())), "");
    engine.moved();
    assert_eq!(text(&say(&mut engine, &main.now())), "route: +a; manifest: +self", "and back");
}

#[test]
fn whenever_a_client_is_moved_it_ends_with_exactly_what_the_last_view_has() {
    for seed in 0..500 {
        run(seed);
    }
}

fn run(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut views = [View::with_routes(&["r0", "r1"]), View { name: "canary ", ..View::with_routes(&["r0", "r1"]) }];
    let (mut engine, mut lane) = (Engine::default(), 0);
    let mut client =
        Client { staged: BTreeMap::new(), runs: BTreeMap::new(), serial: None, spoiled: false, post: VecDeque::new() };
    client.open(&mut engine);
    for _ in 0..200 {
        match rng.u8(..12) {
            0..2 => views.iter_mut().for_each(|view| change(view, &mut rng)),
            2 if rng.u8(..4) == 0 => {
                engine = Engine::default();
                client.open(&mut engine);
            }
            3..5 if engine.is_quiet() => {
                lane = 1 - lane;
                engine.moved();
            }
            5..8 => client.read(&mut engine, &mut rng, true),
            _ => client.post.extend(say(&mut engine, &views[lane].now())),
        }
    }
    let view = &mut views[lane];
    view.route("last", &seed.to_string());
    for _ in 0..100 {
        client.post.extend(say(&mut engine, &view.now()));
        client.read(&mut engine, &mut rng, false);
    }
    assert_eq!(client.serial, Some(view.now().serial), "seed {seed}");
    assert_eq!(client.runs, books(&view.now(), true), "seed {seed}");
}
