//! An agent whose socket has Nagle's algorithm on and that writes an answer in two pieces.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::agent::Agent;
use crate::caller::{CALL, Caller};
use crate::mesh::Scene;

/// The first exchanges on a connection are acknowledged at once by any kernel; the median is of those that follow.
const CALLS: usize = 41;

/// The median time of a call on one connection.
async fn median(address: SocketAddr) -> Duration {
    let mut caller = Caller::connect(address).await;
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let begun = Instant::now();
        let answer = caller.post("/weather/mcp", "", CALL).await;
        assert_eq!((answer.status, answer.text()), (200, "{}"));
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times[CALLS / 2]
}

#[tokio::test]
async fn a_call_to_an_agent_that_waits_for_acknowledgements_is_faster_through_the_proxy_than_direct() {
    let agent = Agent::start(|mut conversation| async move {
        while conversation.request().await.is_some() {
            conversation.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n").await;
            conversation.send(b"{}").await;
        }
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let (direct, through) = (median(agent.address).await, median(proxy.outbound).await);
    println!("direct {direct:?}, through the proxy {through:?}");
    assert!(through < direct / 2, "direct {direct:?}, through the proxy {through:?}");
}
