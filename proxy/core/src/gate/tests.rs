use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Version};

use super::{Hosts, Rules, check};
use crate::refusal::{Malformed, Refusal};

fn rules() -> Rules {
    let hosts = Hosts { hosts: vec!["mesh.example".into()], origins: vec!["https://console.example".into()] };
    Rules { hosts: Some(hosts), headers_max: 20, header_bytes_max: 1_000 }
}

fn head(lines: &[(&'static str, &str)]) -> Parts {
    let mut request = Request::builder().uri("/weather/mcp").body(()).unwrap();
    for (name, value) in lines {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
    request.into_parts().0
}

fn refused(lines: &[(&'static str, &str)]) -> Option<&'static str> {
    check(&head(lines), &rules()).err().map(|refusal| refusal.label())
}

#[test]
fn only_hosts_that_are_ours_are_answered() {
    for (host, refusal) in [
        ("127.0.0.1", None),
        ("127.0.0.1:17001", None),
        ("localhost:3000", None),
        ("LOCALHOST", None),
        ("[::1]:17001", None),
        ("mesh.example:9", None),
        ("evil.example", Some("host_not_allowed")),
        ("127.0.0.1.evil.example", Some("host_not_allowed")),
        ("localhost.evil.example:80", Some("host_not_allowed")),
        ("127.0.0.2", Some("host_not_allowed")),
        ("a b", Some("malformed")),
        ("user@localhost", Some("malformed")),
        ("localhost:", Some("malformed")),
        ("localhost:99999", Some("malformed")),
        ("", Some("malformed")),
    ] {
        assert_eq!(refused(&[("host", host)]), refusal, "{host}");
    }
    assert_eq!(refused(&[]), Some("malformed"), "no host");
    assert_eq!(refused(&[("host", "localhost"), ("host", "localhost")]), Some("malformed"), "two hosts");
}

#[test]
fn only_origins_that_are_ours_are_answered() {
    for (origin, refusal) in [
        ("http://localhost:3000", None),
        ("https://127.0.0.1", None),
        ("http://[::1]:1", None),
        ("https://console.example", None),
        ("https://console.example.evil.example", Some("origin_not_allowed")),
        ("http://evil.example", Some("origin_not_allowed")),
        ("http://localhost.evil.example", Some("origin_not_allowed")),
        ("http://localhost@evil.example", Some("origin_not_allowed")),
        ("http://evil.example@localhost", Some("origin_not_allowed")),
        ("null", Some("origin_not_allowed")),
        ("", Some("origin_not_allowed")),
    ] {
        assert_eq!(refused(&[("host", "localhost"), ("origin", origin)]), refusal, "{origin}");
    }
    let twice = [("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://localhost")];
    assert_eq!(refused(&twice), Some("malformed"));
}

/// RFC 9112 section 6.3: "a message with both … ought to be handled as an error".
#[test]
fn a_body_has_one_length_and_one_meaning() {
    use Malformed::{Encoding, Length, LengthAndEncoding};
    for (lines, expected) in [
        (&[("content-length", "12")][..], None),
        (&[("transfer-encoding", "chunked")], None),
        (&[("transfer-encoding", "Chunked")], None),
        (&[("content-length", "12"), ("transfer-encoding", "chunked")], Some(LengthAndEncoding)),
        (&[("content-length", "12"), ("content-length", "12")], Some(Length)),
        (&[("content-length", "12, 12")], Some(Length)),
        (&[("content-length", "+1")], Some(Length)),
        (&[("content-length", "")], Some(Length)),
        (&[("transfer-encoding", "gzip, chunked")], Some(Encoding)),
        (&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], Some(Encoding)),
        (&[("transfer-encoding", "xchunked")], Some(Encoding)),
    ] {
        let all: Vec<_> = lines.iter().copied().chain([("host", "localhost")]).collect();
        assert_eq!(check(&head(&all), &rules()).err(), expected.map(Refusal::Malformed), "{lines:?}");
    }
}

#[test]
fn a_head_has_bounds() {
    let long = "x".repeat(1_000);
    assert_eq!(refused(&[("host", "localhost"), ("x-long", &long)]), Some("head_too_large"));
    let many = vec![("x-many", "1"); 21];
    assert_eq!(refused(&many), Some("head_too_large"));
}

#[test]
fn http2_says_its_host_in_the_target() {
    let mut request =
        Request::builder().uri("http://localhost:1/weather/mcp").version(Version::HTTP_2).body(()).unwrap();
    assert_eq!(check(&request.clone().into_parts().0, &rules()), Ok(()));
    request.headers_mut().insert("host", HeaderValue::from_static("mesh.example"));
    let two = Refusal::Malformed(Malformed::HostText);
    assert_eq!(check(&request.into_parts().0, &rules()), Err(two), "two different hosts");
}

#[test]
fn a_listener_whose_callers_prove_who_they_are_takes_any_host() {
    let open = Rules { hosts: None, ..rules() };
    assert_eq!(check(&head(&[("host", "anything.example"), ("origin", "http://any.example")]), &open), Ok(()));
    assert!(check(&head(&[]), &open).is_err(), "but still exactly one");
}
