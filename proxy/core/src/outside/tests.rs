use std::sync::Arc;
use std::time::Instant;

use super::{Errand, Known, Outside};
use crate::asked::{Asked, Document, Form, Part};
use crate::gate::Hosts;
use crate::http1::written;
use crate::site::Site;
use crate::target::Target;
use crate::tests::Mesh;
use crate::world::table::World;

const OURS: u16 = 17_001;

fn site(text: &str) -> Site {
    text.parse().unwrap()
}

fn known(at: &str, path: &str, route: &str) -> Known {
    Known { site: site(at), path: path.to_owned(), route: route.parse().unwrap() }
}

/// Routes `weather` and `news` known by URLs, a listed site, and an own agent `weather` at `127.0.0.1:8081/mcp`.
fn outside() -> Outside {
    Outside {
        known: vec![
            known("weather.example:80", "/mcp", "weather"),
            known("shared.example:8080", "/weather/mcp", "weather"),
            known("shared.example:8080", "/news/mcp", "news"),
        ],
        allowed: vec!["127.0.0.1:*".parse().unwrap(), "api.example:80".parse().unwrap()],
    }
}

fn world() -> World {
    Mesh::of("weather", 2).and("news", 1).own("weather-1", 1, true).world(Instant::now())
}

fn said(errand: Result<Option<Errand<'_>>, crate::refusal::Refusal>) -> String {
    match errand {
        Ok(None) => "a path".to_owned(),
        Ok(Some(Errand::Here)) => "here".to_owned(),
        Ok(Some(Errand::Agent(Asked { target: Some(Target::Route(name)), part }))) => match part {
            Part::Endpoint => format!("{name} endpoint"),
            Part::Document(Document::ProtectedResource, Form::Root) => format!("{name} root"),
            Part::Document(Document::ProtectedResource, Form::Inserted) => format!("{name} inserted"),
            part => format!("{name} {part:?}"),
        },
        Ok(Some(Errand::Agent(asked))) => format!("{asked:?}"),
        Ok(Some(Errand::Elsewhere(site))) => format!("to {site}"),
        Err(refusal) => refusal.label().to_owned(),
    }
}

fn errand(target: &str) -> String {
    let (outside, world) = (outside(), world());
    let hosts = Hosts { hosts: vec!["mesh.example".to_owned()], ..Hosts::default() };
    let head = written::request(target, &[("Host", "any")]);
    said(outside.errand(&head, &world, &hosts, OURS))
}

#[test]
fn a_whole_url_leads_to_us_to_an_agent_to_a_listed_site_or_nowhere() {
    for (target, expected) in [
        ("/weather/mcp", "a path"),
        ("http://127.0.0.1:17001/weather/mcp", "here"),
        ("http://localhost:17001/weather/mcp", "here"),
        ("http://mesh.example:9/weather/mcp", "here"),
        ("http://weather.example/mcp", "weather endpoint"),
        ("http://weather.example/mcp/", "weather endpoint"),
        ("http://WEATHER.example:80/mcp?a=1", "weather endpoint"),
        ("http://weather.example/.well-known/oauth-protected-resource/mcp", "weather inserted"),
        ("http://weather.example/.well-known/oauth-protected-resource", "weather root"),
        ("http://weather.example/admin", "forward_not_allowed"),
        ("http://weather.example:81/mcp", "forward_not_allowed"),
        ("http://127.0.0.1:8081/mcp", "weather endpoint"),
        ("http://localhost:8081/mcp", "weather endpoint"),
        ("http://127.0.0.1:8081/other", "to 127.0.0.1:8081"),
        ("http://127.0.0.1:4555/mcp", "to 127.0.0.1:4555"),
        ("http://api.example/x", "to api.example:80"),
        ("https://api.example:80/x", "forward_not_allowed"),
        ("http://localhost:4555/mcp", "forward_not_allowed"),
        ("http://evil.example/mcp", "forward_not_allowed"),
        ("http://user@api.example/x", "forward_not_allowed"),
    ] {
        assert_eq!(errand(target), expected, "{target}");
    }
}

#[test]
fn what_is_the_whole_sites_is_nobodys_where_two_agents_share_it() {
    assert_eq!(errand("http://shared.example:8080/news/mcp"), "news endpoint");
    assert_eq!(errand("http://shared.example:8080/.well-known/oauth-protected-resource/news/mcp"), "news inserted");
    assert_eq!(errand("http://shared.example:8080/.well-known/oauth-protected-resource"), "forward_not_allowed");
}

#[test]
fn a_request_inside_a_tunnel_is_for_the_site_of_the_tunnel() {
    let (outside, world) = (outside(), world());
    let through = |site: &str, path: &str| {
        let head = written::request(path, &[("Host", site)]).inside_tunnel(Arc::from(site));
        said(outside.errand(&head, &world, &Hosts::default(), OURS))
    };
    assert_eq!(through("weather.example:80", "/mcp"), "weather endpoint");
    assert_eq!(through("weather.example:80", "/admin"), "forward_not_allowed");
    assert_eq!(through("127.0.0.1:8081", "/other"), "to 127.0.0.1:8081");
}

#[test]
fn nothing_is_forwarded_by_default() {
    let (outside, world) = (Outside::default(), world());
    let refused = |target: &str| {
        said(outside.errand(&written::request(target, &[("Host", "a")]), &world, &Hosts::default(), OURS))
    };
    assert_eq!(refused("http://127.0.0.1:4555/mcp"), "forward_not_allowed");
    assert_eq!(refused("http://127.0.0.1:8081/mcp"), "weather endpoint", "an own agent is no other site");
    assert!(outside.knows(&site("localhost:8081"), &world));
    assert!(!outside.knows(&site("localhost:8082"), &world) && !outside.allows(&site("127.0.0.1:8081")));
}
