use super::*;

fn id(text: &str) -> SpiffeId {
    text.parse().expect("an id")
}

fn domain(text: &str) -> TrustDomain {
    TrustDomain::new(text).expect("a domain")
}

#[test]
fn an_exact_expectation_accepts_one_party() {
    let expected = Expected::Exactly(id("spiffe://mesh.local/agent/weather"));
    assert!(expected.accepts(&id("spiffe://mesh.local/agent/weather")));
    assert!(!expected.accepts(&id("spiffe://mesh.local/agent/other")));
    assert!(!expected.accepts(&id("spiffe://other.local/agent/weather")));
}

#[test]
fn a_role_is_accepted_only_inside_its_trust_domain() {
    let proxies = Expected::proxies(domain("mesh.local"));
    assert!(proxies.accepts(&id("spiffe://mesh.local/agent/weather")));
    assert!(proxies.accepts(&id("spiffe://mesh.local/node/machine-1")));
    assert!(!proxies.accepts(&id("spiffe://mesh.local/operator/ada")));
    assert!(!proxies.accepts(&id("spiffe://mesh.local/control")));
    assert!(!proxies.accepts(&id("spiffe://other.local/agent/weather")));
    assert!(Expected::callers_of_control(domain("mesh.local")).accepts(&id("spiffe://mesh.local/operator/ada")));
}
