use super::{Hosts, Rules, check};
use crate::http1::body::Framing;
use crate::http1::head::RequestHead;
use crate::http1::written::request;
use crate::refusal::{Malformed, Refusal};

fn rules() -> Rules {
    let hosts =
        Hosts { hosts: vec!["mesh.example".into()], origins: vec!["https://console.example".into()], forwards: false };
    Rules { hosts: Some(hosts), headers_max: 20, header_bytes_max: 1_000 }
}

fn refused(lines: &[(&'static str, &str)]) -> Option<&'static str> {
    check(&request("/weather/mcp", lines), &rules()).err().map(|refusal| refusal.label())
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
        ("localhost:+80", Some("malformed")),
        ("[]", Some("malformed")),
        ("[v1.x]", Some("malformed")),
        ("[::1]", None),
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

#[test]
fn a_good_head_tells_what_ends_its_body() {
    let framing = |name, value| check(&request("/", &[("host", "localhost"), (name, value)]), &rules());
    assert_eq!(framing("content-length", "12"), Ok(Framing::Length(12)));
    assert_eq!(framing("content-length", "twelve"), Err(Refusal::Malformed(Malformed::Length)));
}

#[test]
fn framing_spelled_with_an_underscore_is_refused_and_other_names_are_not() {
    let with = |name| refused(&[("host", "localhost"), (name, "0")]);
    assert_eq!(with("Content_Length"), Some("malformed"));
    assert_eq!(with("transfer_encoding"), Some("malformed"));
    assert_eq!(with("Mcp-Param-content_length"), None);
}

/// RFC 9110 section 10.1.1: "A server that receives an Expect field value containing a member other than 100-continue MAY respond".
#[test]
fn one_expectation_is_known() {
    let with = |value| refused(&[("host", "localhost"), ("expect", value)]);
    assert_eq!(with("100-Continue"), None);
    for value in ["", "200-ok", "100-continue, x", "100-continue;a"] {
        assert_eq!(with(value), Some("malformed"), "{value}");
    }
    let twice = [("host", "localhost"), ("expect", "100-continue"), ("expect", "100-continue")];
    assert_eq!(refused(&twice), Some("malformed"));
}

#[test]
fn tunnels_and_echoes_are_refused_and_unknown_methods_are_not() {
    let of = |method: &str| {
        let text = format!("{method} /weather/mcp HTTP/1.1\r\nHost: localhost\r\n\r\n");
        check(&RequestHead::parse(text.into_bytes()).unwrap(), &rules())
    };
    for method in ["CONNECT", "TRACE"] {
        assert_eq!(of(method), Err(Refusal::Malformed(Malformed::Method)), "{method}");
    }
    assert_eq!(of("PROPFIND"), Ok(Framing::Empty));
}

#[test]
fn a_head_has_bounds() {
    let long = "x".repeat(1_000);
    assert_eq!(refused(&[("host", "localhost"), ("x-long", &long)]), Some("head_too_large"));
    let many = vec![("x-many", "1"); 21];
    assert_eq!(refused(&many), Some("head_too_large"));
}

#[test]
fn a_target_with_a_host_has_the_same_host() {
    let lines = [("host", "localhost:1")];
    for (target, fits) in [
        ("http://localhost:1/weather/mcp", true),
        ("http://LOCALHOST:1/", true),
        ("http://user@localhost:1/", false),
        ("http://localhost:99999/", false),
        ("http://mesh.example/", false),
        ("http:///", false),
    ] {
        assert_eq!(check(&request(target, &lines), &rules()).is_ok(), fits, "{target}");
    }
}

#[test]
fn a_listener_whose_callers_prove_who_they_are_takes_any_host() {
    let open = Rules { hosts: None, ..rules() };
    assert_eq!(
        check(&request("/", &[("host", "anything.example"), ("origin", "http://any.example")]), &open),
        Ok(Framing::Empty)
    );
    assert!(check(&request::<&str, &str>("/", &[]), &open).is_err(), "but still exactly one");
}

#[test]
fn who_takes_a_listener_for_its_proxy_may_ask_for_any_host_and_still_not_from_any_page() {
    let hosts = Hosts { forwards: true, ..rules().hosts.unwrap() };
    let rules = Rules { hosts: Some(hosts), ..rules() };
    let refused = |target, lines: &[(&'static str, &str)]| {
        check(&request(target, lines), &rules).err().map(|refusal| refusal.label())
    };
    let there = ("host", "weather.example");
    assert_eq!(refused("http://weather.example/mcp", &[there]), None);
    assert_eq!(refused("http://weather.example:80/mcp", &[there]), None);
    assert_eq!(refused("http://weather.example:8080/mcp", &[there]), Some("malformed"));
    assert_eq!(refused("/mcp", &[there]), Some("host_not_allowed"));
    let page = [there, ("origin", "http://evil.example")];
    assert_eq!(refused("http://weather.example/mcp", &page), Some("origin_not_allowed"));
}
