use serde_json::json;

use super::{Finding, Verdict, of_agents, of_proxies, of_proxy};

fn told(findings: &[Finding]) -> Vec<(String, Verdict, String)> {
    let told = findings.iter().map(|finding| (finding.part.clone(), finding.verdict, finding.detail.clone()));
    told.collect()
}

fn row(part: &str, verdict: Verdict, detail: &str) -> (String, Verdict, String) {
    (part.to_owned(), verdict, detail.to_owned())
}

#[test]
fn a_proxy_that_is_ready_warns_of_what_it_lacks_and_one_that_is_not_fails() {
    assert_eq!(told(&of_proxy(true, "ready")), [row("proxy", Verdict::Ok, "ready")]);
    let lacks = of_proxy(true, "ready\nsessions: redis is away, kept in memory");
    assert_eq!(told(&lacks)[1], row("proxy", Verdict::Warn, "sessions: redis is away, kept in memory"));
    let not = of_proxy(false, "not ready\nno snapshot yet");
    assert_eq!(told(&not), [row("proxy", Verdict::Fail, "no snapshot yet")]);
}

#[test]
fn a_proxy_that_refused_a_snapshot_fails_and_one_that_is_away_warns() {
    let answer = json!({"items": [
        {"node": "a", "status": "SYNCED", "serial": 4},
        {"node": "b", "status": "REFUSED", "refusal": "4: Route/x.pool"},
        {"node": "c", "status": "STALE", "serial": 3, "target": 4},
        {"node": "d", "status": "DISCONNECTED"},
    ]});
    let expected = [
        row("proxy a", Verdict::Ok, "snapshot 4"),
        row("proxy b", Verdict::Fail, "4: Route/x.pool"),
        row("proxy c", Verdict::Warn, "runs 3 of 4"),
        row("proxy d", Verdict::Warn, "not connected"),
    ];
    assert_eq!(told(&of_proxies(&answer)), expected);
}

#[test]
fn an_agent_fails_when_none_of_its_replicas_is_healthy() {
    let answer = json!({"items": [
        {"name": "a", "replicas": [{"state": "healthy"}]},
        {"name": "b", "replicas": [{"state": "healthy"}, {"state": "unknown"}]},
        {"name": "c", "replicas": [{"state": "unhealthy"}]},
    ]});
    let verdicts: Vec<Verdict> = of_agents(&answer).into_iter().map(|finding| finding.verdict).collect();
    assert_eq!(verdicts, [Verdict::Ok, Verdict::Warn, Verdict::Fail]);
}
