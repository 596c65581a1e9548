use super::super::super::conformance::{binding, key};
use super::*;

fn heard(message: &[u8], teller: &str) -> Option<News> {
    news(message, teller, |_, value| Some(Cow::Borrowed(value)))
}

fn full() -> Binding {
    let (upstream, opening) = (Some(Arc::from(&b"u p"[..])), Some(Arc::from(&b"{\"id\": 1}\n"[..])));
    let caller = Caller::new("spiffe://mesh.local/agent/planner x");
    Binding { caller, moves: 3, upstream, opening, ..binding("weather-1") }
}

#[test]
fn a_binding_is_read_as_it_was_written() {
    for binding in [binding("weather-1"), full(), Binding { upstream: Some(Arc::from([])), ..full() }] {
        assert_eq!(read(&write(&binding)), Some(binding));
    }
}

#[test]
fn what_is_no_binding_is_none() {
    let good = String::from_utf8(write(&binding("weather-1"))).expect("text");
    assert!(read(good.as_bytes()).is_some());
    let spoilt = |from: &str, to: &str| good.replacen(from, to, 1);
    let spoilt = [
        spoilt("3 0", "2 0"),
        spoilt("weather-1", "-bad-"),
        spoilt(" 7 ", " x "),
        spoilt("session", "cookie"),
        spoilt(" - ", " 5 "),
        spoilt(" planner", " planner and more"),
        spoilt(" planner", " plan"),
    ];
    for text in spoilt.iter().map(String::as_str).chain(["", "3", "3 0 weather-1 7"]) {
        assert_eq!(read(text.as_bytes()), None, "{text}");
    }
    let mut long = write(&full());
    long.resize(VALUE_BYTES_MAX + 1, b' ');
    assert_eq!(read(&long), None);
}

#[test]
fn a_body_of_16_kib_that_opened_a_session_fits() {
    let opening = Some(Arc::from(vec![b' '; 16 * 1024]));
    let binding = Binding { opening, ..full() };
    assert_eq!(read(&write(&binding)), Some(binding));
}

#[test]
fn news_are_read_by_all_but_their_teller() {
    let moved = [moved("me", &key("a"), Duration::from_secs(60)).into_bytes(), write(&full())].concat();
    assert_eq!(heard(&moved, "you"), Some(News::Moved(key("a"), full(), Duration::from_secs(60))));
    assert_eq!(heard(&moved, "me"), None);
    let forgotten = forgotten("me", &key("a"), 3);
    assert_eq!(heard(forgotten.as_bytes(), "you"), Some(News::Forgotten(key("a"), 3)));
    let spoilt = [forgotten.replace("forgotten", "lost"), forgotten.replace(" 3", " x"), forgotten[..20].to_owned()];
    for text in spoilt.iter().map(String::as_str).chain(["", "me", "me moved"]) {
        assert_eq!(heard(text.as_bytes(), "you"), None, "{text}");
    }
}
