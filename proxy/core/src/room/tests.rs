use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

use super::{Door, Inside, Room, Waiting};

struct Scene {
    room: Arc<Room>,
    crowd: Arc<AtomicUsize>,
}

impl Scene {
    fn new() -> Self {
        Self { room: Arc::default(), crowd: Arc::default() }
    }

    fn enter(&self, who: u64, limit: u32) -> Door {
        self.room.enter(who, limit, &self.crowd, 4)
    }

    fn inside(&self, who: u64, limit: u32) -> Inside {
        let Door::Inside(inside) = self.enter(who, limit) else { panic!("there is room") };
        inside
    }

    fn waiting(&self, who: u64, limit: u32) -> Waiting {
        let Door::Waiting(waiting) = self.enter(who, limit) else { panic!("there is room in the line") };
        waiting
    }
}

fn is_called(waiting: &Waiting) -> bool {
    waiting.poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
}

#[test]
fn a_place_that_becomes_free_is_handed_to_who_waits_and_to_nobody_who_comes_later() {
    let scene = Scene::new();
    let (first, _second) = (scene.inside(1, 2), scene.inside(1, 2));
    let waits = scene.waiting(1, 2);
    assert!(!is_called(&waits) && scene.room.waiting() == 1);
    drop(first);
    assert!(is_called(&waits));
    assert_eq!(scene.room.inside(), 2, "the place is its own before it enters");
    let later = scene.waiting(2, 2);
    let inside = waits.enter();
    assert!(inside.is_some() && !is_called(&later));
    drop(inside);
    assert!(is_called(&later));
}

#[test]
fn callers_take_turns() {
    let scene = Scene::new();
    let mut inside = Some(scene.inside(9, 1));
    let mut line: Vec<_> = [1, 1, 1, 2].into_iter().map(|who| (who, scene.waiting(who, 1))).collect();
    let mut order = Vec::new();
    while !line.is_empty() {
        drop(inside.take());
        let at = line.iter().position(|(_, waiting)| is_called(waiting)).unwrap();
        let (who, waiting) = line.remove(at);
        order.push(who);
        inside = waiting.enter();
    }
    assert_eq!(order, [1, 2, 1, 1]);
}

#[test]
fn the_line_is_bounded_and_who_leaves_makes_room_in_it() {
    let scene = Scene::new();
    let _inside = scene.inside(1, 1);
    let mut line: Vec<_> = (0..4).map(|_| scene.waiting(1, 1)).collect();
    assert!(matches!(scene.enter(2, 1), Door::Full));
    line.pop();
    assert!(matches!(scene.enter(2, 1), Door::Waiting(_)));
}

#[test]
fn who_was_called_and_left_passes_the_place_on() {
    let scene = Scene::new();
    let inside = scene.inside(1, 1);
    let (first, second) = (scene.waiting(1, 1), scene.waiting(1, 1));
    drop(inside);
    assert!(is_called(&first) && !is_called(&second));
    drop(first);
    assert!(is_called(&second));
    drop(second);
    assert_eq!((scene.room.inside(), scene.room.waiting(), scene.crowd.load(Ordering::Relaxed)), (0, 0, 0));
}

#[test]
fn threads_that_come_and_go_are_never_more_than_the_limit_and_all_get_in() {
    let scene = Scene::new();
    let (inside, most, served) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|threads| {
        for who in 0..4 {
            let (scene, inside, most, served) = (&scene, &inside, &most, &served);
            threads.spawn(move || {
                for _ in 0..2_000 {
                    let guard = match scene.room.enter(who, 2, &scene.crowd, 100) {
                        Door::Inside(guard) => guard,
                        Door::Waiting(waiting) => {
                            while !is_called(&waiting) {
                                std::thread::yield_now();
                            }
                            waiting.enter().unwrap()
                        }
                        Door::Full => panic!("four threads are no crowd"),
                    };
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    inside.fetch_sub(1, Ordering::SeqCst);
                    served.fetch_add(1, Ordering::SeqCst);
                    drop(guard);
                }
            });
        }
    });
    assert!(most.load(Ordering::SeqCst) <= 2);
    assert_eq!((served.load(Ordering::SeqCst), scene.room.inside(), scene.room.waiting()), (8_000, 0, 0));
}

proptest! {
    /// Whatever comes and goes in whatever order: the limit holds, nobody waits while there is room, and nothing is left over.
    #[test]
    fn the_limit_holds_and_no_place_stays_empty_while_anybody_waits(
        limit in 1..4u32,
        steps in prop::collection::vec((0..4u8, 0..8usize, 0..3u64), 1..80),
    ) {
        let scene = Scene::new();
        let (mut inside, mut waiting): (Vec<Inside>, Vec<Waiting>) = (Vec::new(), Vec::new());
        for (step, at, who) in steps {
            match step {
                0 | 1 => match scene.enter(who, limit) {
                    Door::Inside(guard) => inside.push(guard),
                    Door::Waiting(guard) => waiting.push(guard),
                    Door::Full => prop_assert_eq!(waiting.len(), 4),
                },
                2 if at < inside.len() => drop(inside.swap_remove(at)),
                3 if at < waiting.len() => drop(waiting.swap_remove(at)),
                _ => {}
            }
            while let Some(at) = waiting.iter().position(is_called) {
                inside.push(waiting.swap_remove(at).enter().unwrap());
            }
            let count = u32::try_from(inside.len()).unwrap();
            prop_assert_eq!(count, scene.room.inside());
            prop_assert!(count <= limit);
            prop_assert!(waiting.is_empty() || count == limit);
        }
        drop((inside, waiting));
        prop_assert_eq!((scene.room.inside(), scene.room.waiting()), (0, 0));
    }
}
