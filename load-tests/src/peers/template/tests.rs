use super::*;

#[test]
fn places_are_filled_and_an_open_one_is_named() {
    let values = [("LISTEN", "127.0.0.1:1".to_owned())];
    assert_eq!(fill("x", "listen @LISTEN@;", &values).unwrap(), "listen 127.0.0.1:1;");
    assert_eq!(fill("x", "'@type': a, b: @LISTEN@", &values).unwrap(), "'@type': a, b: 127.0.0.1:1");
    assert_eq!(fill("x", "'@type': a, server @AGENT@", &values), Err(OpenPlace("x".into(), "AGENT".into())));
    assert_eq!(fill("x", "server @AGENT@;", &values), Err(OpenPlace("x".into(), "AGENT".into())));
}
