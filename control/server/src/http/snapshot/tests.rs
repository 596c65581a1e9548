use super::*;

#[test]
fn a_wait_is_written_with_its_unit_and_is_bounded() {
    let rows =
        [("30s", Some(30_000)), ("500ms", Some(500)), ("2m", Some(120_000)), ("7", Some(7_000)), ("0s", Some(0))];
    for (text, millis) in rows {
        assert_eq!(wait(text), millis.map(Duration::from_millis), "{text}");
    }
    for bad in ["", "s", "1h", "-1s", "301s", "99999999999999999999s", "3 s", "1.5s"] {
        assert_eq!(wait(bad), None, "{bad}");
    }
}
