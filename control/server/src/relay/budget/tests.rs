use super::*;

#[test]
fn a_call_may_take_as_long_as_it_says_and_never_more_than_ten_minutes() {
    let rows =
        [("30", 30), ("600", 600), ("601", 600), ("99999999999", 600), ("0", 60), ("-1", 60), ("soon", 60), ("", 60)];
    for (written, seconds) in rows {
        let headers = HeaderMap::from_iter([(HEADER.parse().unwrap(), written.parse().unwrap())]);
        assert_eq!(budget(&headers), Duration::from_secs(seconds), "{written}");
    }
    assert_eq!(budget(&HeaderMap::new()), Duration::from_secs(60));
}
