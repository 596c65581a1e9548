//! Faults of agents and of proxies, over a whole mesh: slow, silent, broken off at any byte, closed at the worst moment.
//!
//! In: three replicas that break as each call says. Out: what the caller sees, and which calls ran how often.
//! Invariants: nothing that may act runs twice; what is cut off is never seen as whole; every call has one end.

mod broken;
mod silent;

use std::collections::BTreeMap;

use ::http::Method;
use anyhow::{Result, ensure};
use outrigger_tests::faulty::Faulty;
use outrigger_tests::http::{self, Reply, Stream};
use outrigger_tests::mcp::{self, Modern};
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use serde_json::json;

const AGENT: &str = "weather";

/// Names for the agent: balanced, with room for as many repetitions as there are faults; and with sessions and little patience. Its circuits
/// stay closed, because what a single fault does is asked.
const ROUTES: &str = "pools:
  - {agent: weather, breaker: {failure_threshold: 0}}
routes:
  - {name: spread, capability: weather, affinity: none, retries: {budget_per_second_min: 1000}}
  - {name: brisk, capability: weather, affinity: keys, timeouts: {call: {first_byte_ms: 700}}}
";

struct Scene {
    caller: Proxy,
    proxies: Vec<Proxy>,
    agents: Vec<Faulty>,
    _mesh: Mesh,
}

impl Scene {
    async fn start(replicas: usize) -> Result<Self> {
        let mut mesh = Mesh::new().await?.declaring(ROUTES);
        mesh.start_control().await?;
        let (mut agents, mut proxies) = (vec![], vec![]);
        for number in 1..=replicas {
            let replica = format!("{AGENT}-{number}");
            let agent = Faulty::start(&replica).await?;
            let shape = Shape { node: format!("{replica}-proxy"), ..Shape::beside(AGENT, &replica, &agent.url()) };
            proxies.push(mesh.start_proxy(&shape).await?);
            agents.push(agent);
        }
        let caller = mesh.start_proxy(&Shape::calling("desk-1", "agent/desk")).await?;
        caller.sees(AGENT, replicas).await?;
        Ok(Self { caller, proxies, agents, _mesh: mesh })
    }

    /// How often each number was executed, on whichever replica.
    fn executed(&self) -> BTreeMap<u64, usize> {
        let mut all = BTreeMap::new();
        for (number, times) in self.agents.iter().flat_map(Faulty::executed) {
            *all.entry(number).or_default() += times;
        }
        all
    }

    /// What was answered with 200 ran once; what was not ran once or never.
    fn ran_at_most_once(&self, answered: &[u64]) -> Result<()> {
        let executed = self.executed();
        let twice: Vec<_> = executed.iter().filter(|(_, times)| **times > 1).collect();
        ensure!(twice.is_empty(), "ran more than once: {twice:?}");
        let missing: Vec<_> = answered.iter().filter(|number| !executed.contains_key(number)).collect();
        ensure!(missing.is_empty(), "answered and did not run: {missing:?}");
        Ok(())
    }
}

/// What a request is: a call may act, a list may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Call,
    List,
}

/// A request with a number, and what is to go wrong with it.
struct Numbered<'f> {
    kind: Kind,
    number: u64,
    fault: Option<&'f str>,
    /// So many further bytes of arguments.
    bytes: usize,
}

impl<'f> Numbered<'f> {
    fn call(number: u64, fault: &'f str) -> Self {
        Self { kind: Kind::Call, number, fault: Some(fault), bytes: 0 }
    }

    fn plain(kind: Kind, number: u64) -> Self {
        Self { kind, number, fault: None, bytes: 0 }
    }

    async fn send(&self, url: &str) -> Result<Reply> {
        let (headers, body) = self.written();
        http::send(Method::POST, url, &headers, body).await
    }

    /// Until the head of the answer.
    async fn open(&self, url: &str) -> Result<Stream> {
        let (headers, body) = self.written();
        http::open(Method::POST, url, &headers, body).await
    }

    fn written(&self) -> (Vec<(&'static str, &'f str)>, String) {
        let (method, name) = match self.kind {
            Kind::Call => ("tools/call", "note"),
            Kind::List => ("tools/list", ""),
        };
        let mut params = json!({"number": self.number});
        if self.kind == Kind::Call {
            params = json!({"name": name, "arguments": {"number": self.number, "more": "x".repeat(self.bytes)}});
        }
        let modern = Modern { method, name, params, capabilities: json!({}) };
        let body = modern.body();
        let mut headers: Vec<(&'static str, &'f str)> =
            vec![("accept", "application/json, text/event-stream"), ("content-type", "application/json")];
        headers.extend([("mcp-protocol-version", mcp::MODERN), ("mcp-method", method)]);
        headers.extend((self.kind == Kind::Call).then_some(("mcp-name", name)));
        headers.extend(self.fault.map(|fault| ("x-fault", fault)));
        (headers, body)
    }
}

/// The reason of a refusal that says that the call may have run.
fn may_have_run(reply: &Reply) -> Result<String> {
    let message = mcp::message_of(reply)?;
    ensure!(message["error"]["data"]["may_have_run"] == true, "{} {message}", reply.status);
    mcp::reason_of(reply)
}
