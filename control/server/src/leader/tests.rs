use super::*;
use silence::Silence;

/// Looks every half second at a leader whose beat is given; when it was found silent.
fn found_silent(beats: impl Fn(u64) -> Option<u64>) -> Option<u64> {
    let (start, mut silence) = (Instant::now(), Silence::default());
    (0..40).find(|look| {
        let now = start + LOOK_EVERY * u32::try_from(*look).unwrap();
        match beats(*look) {
            Some(beat) => silence.hear(Some((1, beat)), now),
            None => {
                silence.forget();
                false
            }
        }
    })
}

#[tokio::test]
async fn a_leader_that_beats_is_never_silent() {
    assert_eq!(found_silent(|look| Some(look / 2)), None);
    assert_eq!(found_silent(|look| Some(look / 6)), None, "a slow one neither");
}

#[tokio::test]
async fn a_leader_whose_beat_stands_still_is_silent_after_three_seconds_and_a_half() {
    assert_eq!(found_silent(|_| Some(7)), Some(7));
    assert_eq!(found_silent(|look| Some(look.min(3))), Some(10));
}

#[tokio::test]
async fn while_the_database_does_not_answer_nobody_is_silent() {
    assert_eq!(found_silent(|look| (look % 5 != 0).then_some(7)), None);
    assert_eq!(found_silent(|look| (look >= 10).then_some(7)), Some(17), "the count begins when it answers again");
}
