use super::*;

fn told(stream: u64, step: u64, replica: &str) -> Told<'_> {
    Told { stream, step, replica: replica.into(), made: 0 }
}

fn feed() -> Feed {
    Feed::new(7, 5, Some("home".to_owned()))
}

#[test]
fn each_event_stands_in_one_column() {
    let mut feed = feed();
    feed.take(Some(&told(7, 0, "home")));
    feed.take(Some(&told(7, 1, "elsewhere")));
    feed.take(Some(&told(7, 1, "home")));
    feed.take(Some(&told(8, 2, "home")));
    feed.take(Some(&told(7, 3, "home")));
    let expected = Tally { calls: 5, answered: 2, misrouted: 1, wrong: 1, lost: 1, refused: 0, duplicated: 1 };
    assert_eq!(feed.tally(), expected);
}

#[test]
fn what_came_beyond_all_is_surplus() {
    let mut feed = feed();
    for step in 0..6 {
        feed.take(Some(&told(7, step, "home")));
    }
    feed.take(None);
    assert!(feed.is_complete());
    assert_eq!((feed.tally().answered, feed.tally().wrong, feed.tally().duplicated), (5, 0, 2));
}

#[test]
fn a_stream_that_is_refused_refuses_all_its_events() {
    let mut feed = feed();
    feed.refuse();
    assert_eq!((feed.tally().calls, feed.tally().refused, feed.tally().lost), (5, 5, 0));
}
