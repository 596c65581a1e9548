//! A read that is slow at one replica is sent to a second one.

use std::sync::Arc;
use std::time::Duration;

use outrigger_model::retries::{Budget, Retries};
use outrigger_model::route::{Affinity, RoutePolicy};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::agent::Agent;
use crate::caller::{CALL, Caller, PATIENCE};
use crate::mesh::{Proxy, Scene};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const LIST: &str = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n";
const ACT: &str = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: pay\r\n";

fn hedged(budget: Budget) -> RoutePolicy {
    let retries = Retries { hedge_after: Some(Duration::from_millis(20)), budget, ..Retries::default() };
    RoutePolicy { retries, affinity: Affinity::None, ..RoutePolicy::default() }
}

fn proxy(agents: &[&Agent], budget: Budget) -> Proxy {
    let agents: Vec<_> = ["weather-1", "weather-2"].into_iter().zip(agents.iter().map(|agent| agent.address)).collect();
    Scene { policy: hedged(budget), ..Scene::of_own(&agents) }.start()
}

fn hedges(proxy: &Proxy, result: &str) -> u64 {
    proxy.count(&format!("outrigger_hedges_total{{result=\"{result}\"}}"))
}

/// Takes requests and answers none; tells when it was asked and when it was left.
async fn silent() -> (Agent, Arc<Notify>, Arc<Notify>) {
    let (asked, left) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let told = (Arc::clone(&asked), Arc::clone(&left));
    let agent = Agent::start(move |mut conversation| {
        let (asked, left) = (Arc::clone(&told.0), Arc::clone(&told.1));
        async move {
            if conversation.request().await.is_some() {
                asked.notify_one();
                conversation.closed().await;
                left.notify_one();
            }
        }
    })
    .await;
    (agent, asked, left)
}

#[tokio::test]
async fn the_second_answers_and_the_first_is_left() {
    let ((slow, _, left), good) = (silent().await, Agent::answering(OK).await);
    let proxy = proxy(&[&slow, &good], Budget { percent: 100, per_second_min: 100 });
    let mut caller = Caller::connect(proxy.outbound).await;
    let mut met = 0;
    while slow.requests() == 0 {
        met += 1;
        assert!(met < 4, "round robin meets everyone");
        assert_eq!(caller.post("/weather/mcp", LIST, CALL).await.status, 200);
    }
    timeout(PATIENCE, left.notified()).await.expect("nobody listens to the first any more");
    assert_eq!((hedges(&proxy, "won"), good.requests()), (1, met));
}

/// The first is only slow, and answers when the second was asked.
#[tokio::test]
async fn the_first_may_still_answer() {
    let (second, asked, left) = silent().await;
    let slow = Agent::start(move |mut conversation| {
        let asked = Arc::clone(&asked);
        async move {
            while conversation.request().await.is_some() {
                asked.notified().await;
                conversation.send(OK.as_bytes()).await;
            }
        }
    })
    .await;
    let agents = [("weather-1", slow.address), ("weather-2", second.address)];
    let policy = RoutePolicy { affinity: Affinity::Agent, ..hedged(Budget { percent: 100, per_second_min: 100 }) };
    for caller in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let proxy = Scene { caller, policy: policy.clone(), ..Scene::of_own(&agents) }.start();
        let mut caller = Caller::connect(proxy.outbound).await;
        let before = second.requests();
        caller.send(&crate::caller::post("/weather/mcp", LIST, CALL)).await;
        let answer = timeout(PATIENCE, caller.answer()).await.expect("an answer");
        assert_eq!(answer.status, 200);
        if hedges(&proxy, "lost") == 1 {
            assert_eq!(second.requests(), before + 1);
            timeout(PATIENCE, left.notified()).await.expect("nobody listens to the second any more");
            return;
        }
    }
    panic!("nobody met the slow one first");
}

#[tokio::test]
async fn what_acts_is_never_sent_to_two_and_no_call_beyond_the_budget() {
    for (headers, budget) in
        [(ACT, Budget { percent: 100, per_second_min: 100 }), (LIST, Budget { percent: 0, per_second_min: 0 })]
    {
        let ((one, asked_one, _), (other, asked_other, _)) = (silent().await, silent().await);
        let proxy = proxy(&[&one, &other], budget);
        let mut caller = Caller::connect(proxy.outbound).await;
        let post = crate::caller::post("/weather/mcp", &format!("{headers}X-Mesh-Timeout: 0.3\r\n"), CALL);
        caller.send(&post).await;
        tokio::select! { () = asked_one.notified() => {}, () = asked_other.notified() => {} }
        let answer = timeout(PATIENCE, caller.answer()).await.expect("the deadline passes");
        assert_eq!((answer.status, one.requests() + other.requests()), (504, 1), "{headers}");
    }
}
