use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::{Closing, Place, Stage};

async fn reaches(place: &Place, stage: Stage) {
    poll_fn(|cx| if place.poll_stage(cx) >= stage { Poll::Ready(()) } else { Poll::Pending }).await;
}

#[tokio::test]
async fn each_stage_wakes_everybody_who_is_there() {
    let closing = Arc::new(Closing::default());
    let places = [closing.enter().unwrap(), closing.enter().unwrap()];
    assert!(places.iter().all(|place| place.stage() == Stage::Open));
    for stage in [Stage::Parting, Stage::Draining, Stage::Cut] {
        let waiting = places.each_ref().map(|place| reaches(place, stage));
        let [a, b] = waiting;
        tokio::join!(a, b, async { closing.go(stage) });
    }
}

#[test]
fn a_stage_is_never_taken_back() {
    let closing = Arc::new(Closing::default());
    let place = closing.enter().unwrap();
    closing.go(Stage::Cut);
    closing.go(Stage::Draining);
    assert_eq!(place.stage(), Stage::Cut);
}

#[test]
fn nobody_enters_once_the_end_has_begun_and_who_leaves_is_forgotten() {
    let closing = Arc::new(Closing::default());
    drop(closing.enter());
    assert!(closing.inside().places.is_empty());
    closing.go(Stage::Draining);
    assert!(closing.enter().is_none());
}

#[test]
fn who_is_accepted_late_finds_the_stage_as_it_is() {
    let closing = Arc::new(Closing::default());
    closing.go(Stage::Parting);
    let place = closing.admit();
    assert_eq!(place.stage(), Stage::Parting);
    closing.go(Stage::Draining);
    assert_eq!((place.stage(), closing.admit().stage()), (Stage::Draining, Stage::Draining));
}
