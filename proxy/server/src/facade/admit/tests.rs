use std::net::IpAddr;

use outrigger_upstream::heartbeat::Heartbeat;

use super::{House, NotHere, admit};
use crate::config::settings::{AgentSettings, Check, Facade};
use crate::tests::agents;

fn heartbeat(kind: &str, host: &str, port: u16) -> Heartbeat {
    let body = format!(
        r#"{{"agent_id":"a-1","name":"a","agent_type":"{kind}","version":"1.2.0","http_host":"{host}","http_port":{port}}}"#
    );
    Heartbeat::read(body.as_bytes()).unwrap()
}

fn judge(heartbeat: &Heartbeat, allowed: &[&str], fixed: &[AgentSettings]) -> Result<Option<AgentSettings>, NotHere> {
    let allow_hosts: Vec<IpAddr> = allowed.iter().map(|text| text.parse().unwrap()).collect();
    let rules = Facade { agents_max: 4, allow_hosts };
    admit(&House { rules: &rules, fixed, ports: &[17001], zone: "eu-1a" }, heartbeat)
}

#[test]
fn an_agent_beside_the_proxy_joins_and_is_asked_for_its_health() {
    for (host, url) in [
        ("127.0.0.1", "http://127.0.0.1:9000/mcp"),
        ("localhost", "http://127.0.0.1:9000/mcp"),
        ("127.0.0.5", "http://127.0.0.5:9000/mcp"),
        ("::1", "http://[::1]:9000/mcp"),
        ("::ffff:127.0.0.1", "http://127.0.0.1:9000/mcp"),
    ] {
        let agent = judge(&heartbeat("mcp_agent", host, 9000), &[], &[]).unwrap().unwrap();
        let Check::Page(page) = &agent.probe.check else { panic!("{agent:?}") };
        assert_eq!((agent.url.to_string().as_str(), page.url.path_and_query()), (url, "/health"));
        assert_eq!((agent.replica.as_str(), agent.zone.as_str()), ("a-1", "eu-1a"));
    }
}

#[test]
fn an_agent_elsewhere_does_not_join() {
    for host in [
        "10.0.0.5",
        "169.254.169.254",
        "0.0.0.0",
        "::",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "127.1",
        "metadata",
        "localhost.",
        "LOCALHOST.example.com",
        "fe80::1%eth0",
        "127.0.0.1.nip.io",
        "",
    ] {
        assert_eq!(judge(&heartbeat("mcp_agent", host, 9000), &[], &[]), Err(NotHere::Host(host.to_owned())), "{host}");
    }
}

#[test]
fn an_address_that_is_listed_has_to_be_of_this_machine() {
    // TEST-NET-1 is nobody's.
    let agent = heartbeat("mcp_agent", "192.0.2.1", 9000);
    assert_eq!(judge(&agent, &["192.0.2.1"], &[]), Err(NotHere::NotOurs("192.0.2.1".parse().unwrap())));
    let any = heartbeat("mcp_agent", "0.0.0.0", 9000);
    assert_eq!(judge(&any, &["0.0.0.0"], &[]), Err(NotHere::NotOurs("0.0.0.0".parse().unwrap())));
}

#[test]
fn a_port_is_there_and_is_not_the_proxys_own() {
    assert_eq!(judge(&heartbeat("mcp_agent", "127.0.0.1", 0), &[], &[]), Err(NotHere::NoPort));
    assert_eq!(judge(&heartbeat("mcp_agent", "127.0.0.1", 17001), &[], &[]), Err(NotHere::OwnPort(17001)));
}

#[test]
fn what_the_configuration_names_is_not_taken_over() {
    let fixed = agents("agents: [{name: b, replica: a-1, url: 'http://127.0.0.1:8081/mcp'}]");
    let known = judge(&heartbeat("mcp_agent", "127.0.0.1", 9000), &[], &fixed);
    assert_eq!(known, Err(NotHere::Id("a-1".into())));
    let fixed = agents("agents: [{name: b, replica: b-1, url: 'http://127.0.0.1:9000/mcp'}]");
    let known = judge(&heartbeat("mcp_agent", "127.0.0.1", 9000), &[], &fixed);
    assert_eq!(known, Err(NotHere::Port(9000, "b".into())));
}

#[test]
fn a_web_application_joins_wherever_it_says_that_it_is() {
    let known = judge(&heartbeat("api", "127.0.0.1", 9000), &[], &[]).unwrap().unwrap();
    assert_eq!(known.probe.check, Check::Port);
    assert_eq!(judge(&heartbeat("api", "10.0.0.5", 9000), &[], &[]), Ok(None), "nobody calls it");
    assert_eq!(judge(&heartbeat("a2a", "127.0.0.1", 0), &[], &[]), Ok(None));
}
