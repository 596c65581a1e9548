use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

use super::*;
use crate::encode;
use crate::error::RefusedReason;
use crate::strategies;

proptest! {
    // Values are large; more cases find nothing that a hundred do not.
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_report_comes_back_as_it_was(reported in vec(strategies::reported(), 0..4)) {
        let sent = encode::replica::report(&reported);
        for (at, reported) in reported.iter().enumerate() {
            let sent = wire::Report { replicas: vec![sent.replicas[at].clone()] };
            let judged = report(sent, &reported.replica.node, reported.replica.identity.as_ref()).unwrap();
            let (id, back) = judged.into_iter().next().unwrap();
            prop_assert_eq!(id, reported.replica.id.to_string());
            prop_assert_eq!(&back.unwrap(), reported);
        }
    }
}

fn good() -> wire::Replica {
    wire::Replica {
        id: "weather-1".into(),
        agent: "weather".into(),
        semver: "1.0.0".into(),
        address: "10.0.0.5:17006".into(),
        weight: 100,
        serving: true,
        ..wire::Replica::default()
    }
}

fn judge(replicas: Vec<wire::Replica>) -> Vec<Judged> {
    report(wire::Report { replicas }, &NodeId::new("node").unwrap(), None).unwrap()
}

#[test]
fn a_bad_replica_is_refused_by_its_field_and_its_neighbours_are_taken() {
    let check = |change: &dyn Fn(&mut wire::Replica), reason: RefusedReason, expected: &str| {
        let mut bad = good();
        change(&mut bad);
        let judged = judge(vec![good(), bad]);
        assert!(judged[0].1.is_ok());
        let error = judged[1].1.as_ref().unwrap_err();
        assert_eq!((error.to_string().as_str(), error.reason()), (expected, reason));
    };
    check(
        &|bad| bad.address = "here".into(),
        RefusedReason::Address,
        "replicas[1].address: `here` is not an address of the form ip:port",
    );
    check(&|bad| bad.agent.clear(), RefusedReason::Name, "replicas[1].agent: agent name is empty");
    check(&|bad| bad.weight = 0, RefusedReason::Shape, "replicas[1].weight: 0 is not within 1 to 1000");
    check(
        &|bad| bad.revisions = vec!["2025-03-26".into(), "soon".into()],
        RefusedReason::Shape,
        "replicas[1].revisions[1]: `soon` is not an MCP revision such as 2025-11-25",
    );
    check(
        &|bad| bad.revisions = vec!["2025-03-26".into(); 33],
        RefusedReason::Limit,
        "replicas[1].revisions: it holds 33 items, more than 32",
    );
    check(
        &|bad| bad.capabilities = vec![Default::default()],
        RefusedReason::Name,
        "replicas[1].capabilities[0].name: capability name is empty",
    );
}

#[test]
fn a_report_of_too_many_replicas_is_refused_whole() {
    let node = NodeId::new("node").unwrap();
    let bad = report(wire::Report { replicas: vec![good(); REPLICAS_MAX + 1] }, &node, None).unwrap_err();
    assert_eq!(bad.to_string(), "replicas: it holds 1001 items, more than 1000");
}

#[test]
fn a_long_trouble_is_cut() {
    let judged = judge(vec![wire::Replica { trouble: "x".repeat(10_000), ..good() }]);
    assert_eq!(judged[0].1.as_ref().unwrap().trouble.len(), TROUBLE_CHARS_MAX);
}
