use super::*;
use crate::fixture::{claim, identified, sender};

fn check(change: impl FnOnce(&mut Claim), reason: Reason, field: &str) {
    let mut claim = claim("weather-1");
    change(&mut claim);
    let refusal = admit(0, claim, &sender("n"), &[]).unwrap_err();
    assert_eq!((refusal.reason, refusal.field.as_str()), (reason, field), "{refusal}");
    assert_eq!(refusal.detail.lines().count(), 1);
}

#[test]
fn a_good_claim_is_taken_as_it_is() {
    let reported = admit(0, claim("weather-1"), &sender("n"), &[]).unwrap();
    assert_eq!(reported.replica.id.as_str(), "weather-1");
    assert_eq!(reported.replica.node.as_str(), "n");
    assert_eq!(reported.replica.weight, 100);
    assert!(reported.serving);
}

#[test]
fn a_bad_field_is_refused_by_its_path() {
    check(|claim| claim.id = "../etc".into(), Reason::Name, "replicas[0].id");
    check(|claim| claim.agent = String::new(), Reason::Name, "replicas[0].agent");
    check(|claim| claim.semver = "one".into(), Reason::Shape, "replicas[0].semver");
    check(|claim| claim.tags = vec!["-beta".into()], Reason::Shape, "replicas[0].tags");
    check(|claim| claim.weight = 1_001, Reason::Shape, "replicas[0].weight");
    check(|claim| claim.revisions = vec!["draft".into()], Reason::Shape, "replicas[0].revisions");
    check(|claim| claim.revisions = vec!["2025-06-18".into(); 17], Reason::Limit, "replicas[0].revisions");
    check(|claim| claim.capabilities[0].name = "a/b".into(), Reason::Name, "replicas[0].capabilities[0].name");
    check(|claim| claim.capabilities[0].semver = "x".into(), Reason::Shape, "replicas[0].capabilities[0].semver");
    let bad_tool = ClaimedTool { name: "t".into(), schema: vec![1], ..ClaimedTool::default() };
    check(
        |claim| claim.capabilities[0].tools = vec![bad_tool],
        Reason::Shape,
        "replicas[0].capabilities[0].tools[0].schema_digest",
    );
    check(|claim| claim.capabilities.push(claim.capabilities[0].clone()), Reason::Shape, "replicas[0].capabilities");
    check(
        |claim| claim.capabilities = vec![ClaimedCapability::default(); CAPABILITIES_MAX],
        Reason::Limit,
        "replicas[0].capabilities",
    );
}

#[test]
fn an_address_that_its_sender_may_not_name_is_refused() {
    check(|claim| claim.address = "weather:80".into(), Reason::Address, "replicas[0].address");
    check(|claim| claim.address = "10.0.0.5:17006".into(), Reason::Address, "replicas[0].address");
    check(|claim| claim.address = "169.254.169.254:80".into(), Reason::Address, "replicas[0].address");

    let remote = Claim { address: "10.0.0.5:17006".into(), ..claim("weather-1") };
    assert!(admit(0, remote, &sender("n"), &["10.0.0.0/8".parse().unwrap()]).is_ok());
}

#[test]
fn an_identity_speaks_for_its_own_agent_only() {
    let check = |identity: &str, expected: bool| {
        let admitted = admit(3, claim("weather-1"), &identified("n", identity), &[]);
        match admitted {
            Ok(reported) => assert!(expected && reported.replica.identity == Some(identity.parse().unwrap())),
            Err(refusal) => {
                assert!(!expected && refusal.reason == Reason::Identity && refusal.field == "replicas[3].agent")
            }
        }
    };
    check("spiffe://mesh.local/agent/weather", true);
    check("spiffe://mesh.local/node/laptop", true);
    check("spiffe://mesh.local/agent/time", false);
    check("spiffe://mesh.local/operator/ada", false);
    check("spiffe://mesh.local/control", false);
}

#[test]
fn an_agent_can_always_be_asked_for_by_its_own_name() {
    let tool = |name: &str| ClaimedTool { name: name.into(), schema: vec![7; 32], ..ClaimedTool::default() };
    let mut written = claim("weather-1");
    written.capabilities[0].tools = vec![tool("b"), tool("a"), tool("a")];
    let replica = admit(0, written, &sender("n"), &[]).unwrap().replica;
    let names: Vec<_> = replica.capabilities.iter().map(|capability| capability.name.as_str()).collect();
    assert_eq!(names, ["forecast", "weather"]);
    let tools = |at: usize| replica.capabilities[at].tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>();
    assert_eq!((tools(0), tools(1)), (vec!["a", "b"], vec!["a", "b"]));
}

#[test]
fn text_for_people_is_cut_to_one_line() {
    let noisy = Claim { trouble: format!("no\nport{}", "é".repeat(400)), ..claim("weather-1") };
    let trouble = admit(0, noisy, &sender("n"), &[]).unwrap().trouble;
    assert!(trouble.starts_with("no port") && trouble.len() <= TROUBLE_BYTES_MAX);
}
