use std::collections::HashSet;

use http::StatusCode;
use outrigger_model::name::RouteName;
use outrigger_model::revision::Era;

use super::{Malformed, Refusal};
use crate::outcome::NotReached;
use crate::refusal::fault::Fault;

fn every() -> Vec<Refusal> {
    let text = || "weather".to_owned();
    vec![
        Refusal::Malformed(Malformed::Host),
        Refusal::NotAMessage(Fault::Empty),
        Refusal::HeaderMismatch { header: "mcp-method" },
        Refusal::NotJsonType,
        Refusal::HostNotAllowed { host: text() },
        Refusal::OriginNotAllowed { origin: text() },
        Refusal::HeadTooLarge,
        Refusal::BodyTooLarge { bytes_max: 1 },
        Refusal::NoRoute { name: text(), routes: vec![] },
        Refusal::NoSuchPath,
        Refusal::NoProvider { route: text() },
        Refusal::NoEndpoint { route: text() },
        Refusal::CircuitOpen { route: text(), seconds: 30 },
        Refusal::SessionGone,
        Refusal::SessionRevoked,
        Refusal::SessionAged,
        Refusal::SessionLimit { limit: "sessions_max", max: 1 },
        Refusal::RateLimited { limit: text(), wait_seconds: 3 },
        Refusal::SessionUnreachable,
        Refusal::SessionOfAnotherCaller,
        Refusal::UpstreamLost,
        Refusal::UpstreamTimeout,
        Refusal::TotalTimeout,
        Refusal::PeerNotAllowed,
        Refusal::UnknownReplica { replica: text() },
        Refusal::AgentUnreachable { replica: text() },
        Refusal::Draining,
        Refusal::Overloaded,
        Refusal::FaultInjected { status: StatusCode::NOT_FOUND },
        Refusal::FaultInjected { status: StatusCode::TOO_MANY_REQUESTS },
        Refusal::FaultInjected { status: StatusCode::GATEWAY_TIMEOUT },
        Refusal::Internal,
    ]
}

#[test]
fn a_modern_caller_is_never_told_404_or_405() {
    for refusal in every() {
        let status = refusal.shape(Some(Era::Modern)).status.as_u16();
        assert!(!matches!(status, 404 | 405), "{refusal:?} is {status}");
    }
}

#[test]
fn every_429_and_503_says_when_to_come_back_and_uses_a_standard_code() {
    for refusal in every() {
        for era in [None, Some(Era::Legacy), Some(Era::Modern)] {
            let shape = refusal.shape(era);
            assert_eq!(matches!(shape.status.as_u16(), 429 | 503), shape.retry_after_seconds.is_some(), "{refusal:?}");
            assert!(matches!(shape.rpc, -32700 | -32600 | -32603 | -32020), "{refusal:?}");
            assert_eq!(shape.label, refusal.label(), "the label does not depend on the caller");
        }
        assert!(!refusal.detail().is_empty() && !refusal.hint().is_empty());
    }
}

#[test]
fn only_a_call_that_was_sent_may_have_run() {
    let may: HashSet<_> = every().iter().filter(|r| r.shape(None).may_have_run).map(Refusal::label).collect();
    assert_eq!(may, HashSet::from(["upstream_lost", "upstream_timeout", "total_timeout"]));
}

#[test]
fn what_an_inbound_listener_says_is_understood_by_the_calling_proxy() {
    for refusal in every().iter().filter(|refusal| refusal.reached_nobody()) {
        assert_ne!(NotReached::from_label(refusal.label().as_bytes()), NotReached::Other, "{refusal:?}");
    }
    assert_eq!(NotReached::from_label(b"something_new"), NotReached::Other);
}

#[test]
fn texts_of_callers_are_cut_and_cleaned() {
    let refusal = Refusal::NoRoute { name: "x\r\n".repeat(1_000), routes: vec![] };
    let detail = refusal.detail();
    assert!(detail.len() < 300 && !detail.contains('\n'), "{detail}");
}

#[test]
fn the_hint_names_the_routes_up_to_a_limit() {
    let routes = (0..30).map(|n| RouteName::new(&format!("r{n}")).unwrap()).collect();
    let hint = Refusal::NoRoute { name: String::new(), routes }.hint();
    assert!(hint.contains("/r0/mcp") && hint.contains("/r19/mcp") && !hint.contains("/r20/mcp"), "{hint}");
}
