use super::*;

fn elsewhere(allowed: &[&str], listeners: &[&str]) -> Elsewhere {
    let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
    let outside = Outside { known: vec![], allowed };
    let listeners = listeners.iter().map(|text| text.parse().unwrap()).collect();
    Elsewhere { outside, listeners, ..Elsewhere::default() }
}

async fn address(elsewhere: &Elsewhere, site: &str) -> Result<SocketAddr, &'static str> {
    elsewhere.address(&site.parse().unwrap()).await.map_err(|refusal| refusal.label())
}

#[tokio::test]
async fn our_own_listeners_are_nowhere_to_forward_to() {
    let allowed = ["127.0.0.1:*", "[::1]:*", "localhost:*", "0.0.0.0:*", "[::ffff:127.0.0.1]:*", "127.0.0.2:*"];
    let elsewhere = elsewhere(&allowed, &["127.0.0.1:17001", "0.0.0.0:17020"]);
    for site in [
        "127.0.0.1:17001",
        "localhost:17001",
        "[::1]:17001",
        "127.0.0.1:17020",
        "127.0.0.2:17020",
        "0.0.0.0:17020",
        "[::ffff:127.0.0.1]:17020",
    ] {
        assert_eq!(address(&elsewhere, site).await, Err("forward_address"), "{site}");
    }
    assert_eq!(address(&elsewhere, "127.0.0.1:4555").await, Ok("127.0.0.1:4555".parse().unwrap()));
}

#[tokio::test]
async fn a_name_is_resolved_once_and_its_addresses_are_judged() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let there = listener.local_addr().unwrap();
    let site = format!("localhost:{}", there.port());
    assert_eq!(address(&elsewhere(&["localhost:*"], &[]), &site).await, Ok(there));
    // The list has another name that leads there, which does not open it.
    assert_eq!(address(&elsewhere(&["other.example:*"], &[]), &site).await, Err("forward_address"));
    assert_eq!(address(&elsewhere(&["a.invalid:80"], &[]), "a.invalid:80").await, Err("forward_unreachable"));
}
