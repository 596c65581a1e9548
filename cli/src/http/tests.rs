use super::{HttpError, Origin, get_json};

fn origin(text: &str) -> String {
    text.parse::<Origin>().map_or_else(|error| error.to_string(), |origin| origin.to_string())
}

#[test]
fn an_origin_is_written_with_or_without_its_scheme() {
    let rows = [
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:17001/", "http://localhost:17001"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("8000", "`8000` is not an address such as 127.0.0.1:8000"),
        ("https://a:1", "`https://a:1` is not an address such as 127.0.0.1:8000"),
        ("a:99999", "`a:99999` is not an address such as 127.0.0.1:8000"),
    ];
    for (text, expected) in rows {
        assert_eq!(origin(text), expected);
    }
}

#[tokio::test]
async fn a_closed_port_is_named_in_the_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = Origin::from(listener.local_addr().unwrap());
    drop(listener);
    let error = get_json(&origin, "/v1/agents").await.unwrap_err();
    assert!(matches!(error, HttpError::Connect { .. }));
    assert_eq!(error.to_string(), format!("nothing answers on {origin}"));
}
