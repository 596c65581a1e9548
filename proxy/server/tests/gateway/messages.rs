//! Messages of HTTP/1.1 at their edges: RFC 9112 as callers and agents really use it.

use tokio::io::AsyncReadExt as _;

use crate::agent::Agent;
use crate::caller::{CALL, Caller, post};
use crate::mesh::Scene;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn bytes_that_are_no_request_are_400_and_reach_nobody() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    for text in [
        "POST /weather/mcp HTTP/1.1\nHost: localhost\n\n",
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
        "POST /weather/mcp HTTP/3.0\r\nHost: localhost\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n",
        "GET * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut caller = Caller::connect(proxy.outbound).await;
        caller.send(text).await;
        let answer = caller.answer().await;
        assert_eq!((answer.status, answer.reason().as_str()), (400, "malformed"), "{text:?}");
        assert!(answer.has_header("connection: close"), "{}", answer.head);
        assert!(caller.try_head().await.is_none(), "the connection ends");
    }
    assert_eq!(agent.requests(), 0);
}

#[tokio::test]
async fn who_is_refused_in_the_middle_of_a_long_request_still_reads_why() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let body = "x".repeat(2_000_000);
    for head in [
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\nContent-Length: 2000000\r\n\r\n",
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2000000\r\n\r\n",
    ] {
        let mut caller = Caller::connect(proxy.outbound).await;
        caller.send(&format!("{head}{body}")).await;
        assert_eq!(caller.answer().await.status, 400, "{head:?}");
    }
}

#[tokio::test]
async fn chunks_that_break_the_rules_are_400_and_the_agent_never_sees_their_end() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    for chunks in ["zz\r\n{}\r\n0\r\n\r\n", "2\n{}\r\n0\r\n\r\n", "2\r\n{}x\r\n0\r\n\r\n"] {
        let mut caller = Caller::connect(proxy.outbound).await;
        let head = "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nMCP-Protocol-Version: 2025-11-25\r\nTransfer-Encoding: chunked\r\n\r\n";
        caller.send(&format!("{head}{chunks}")).await;
        assert_eq!(caller.answer().await.status, 400, "{chunks:?}");
    }
}

#[tokio::test]
async fn a_caller_of_http_1_0_gets_an_answer_that_it_can_read() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let agent = Agent::answering(chunked).await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send("GET /weather/mcp HTTP/1.0\r\nHost: localhost\r\n\r\n").await;
    let mut answer = String::new();
    caller.stream.read_to_string(&mut answer).await.expect("an answer to its end");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert_eq!(body, "abcde");
    assert!(!head.to_lowercase().contains("transfer-encoding"), "{head}");
}

#[tokio::test]
async fn an_answer_without_a_length_ends_with_its_connection() {
    let agent = Agent::start(|mut conversation| async move {
        if conversation.request().await.is_some() {
            conversation.send(b"HTTP/1.1 200 OK\r\n\r\nto the end").await;
        }
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    for _ in 0..2 {
        let mut caller = Caller::connect(proxy.outbound).await;
        caller.send(&post("/weather/mcp", "", CALL)).await;
        let mut answer = String::new();
        caller.stream.read_to_string(&mut answer).await.expect("an answer to its end");
        assert!(answer.ends_with("\r\n\r\nto the end") && answer.contains("Connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn early_hints_pass_and_the_agents_own_continue_does_not() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let agent = Agent::answering(format!("HTTP/1.1 100 Continue\r\n\r\n{hints}{OK}")).await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&post("/weather/mcp", "", CALL)).await;
    assert_eq!(caller.head().await.status, 103);
    assert_eq!(caller.answer().await.text(), "ok");
}

#[tokio::test]
async fn an_agent_may_answer_before_it_has_the_whole_request() {
    let agent = Agent::start(|mut conversation| async move {
        // Hears the head only, and does not read on.
        conversation.stream.readable().await.expect("bytes");
        conversation.send(b"HTTP/1.1 413 x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig").await;
        conversation.closed().await;
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let head =
        "POST /weather/mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: s-1\r\nContent-Length: 100000\r\n\r\n{";
    caller.send(head).await;
    let answer = caller.answer().await;
    assert_eq!((answer.status, answer.text()), (413, "big"));
}

#[tokio::test]
async fn a_connection_that_its_agent_closed_is_not_used_again() {
    let agent = Agent::start(|mut conversation| async move {
        if conversation.request().await.is_some() {
            conversation.send(OK.as_bytes()).await;
        }
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for call in 1..=5 {
        let mut answer = caller.post("/weather/mcp", "", CALL).await;
        // The close may still be under way: then the call was sent into it, and the caller is told that it may have run.
        while answer.status == 502 {
            assert_eq!(answer.reason(), "upstream_lost");
            answer = caller.post("/weather/mcp", "", CALL).await;
        }
        assert_eq!(answer.status, 200, "call {call}");
    }
}

#[tokio::test]
async fn an_answer_to_what_was_never_asked_is_never_passed_on() {
    let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
    let agent = Agent::start(move |mut conversation| async move {
        while conversation.request().await.is_some() {
            conversation.send(format!("{OK}{forged}").as_bytes()).await;
        }
    })
    .await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for _ in 0..5 {
        assert_eq!(caller.post("/weather/mcp", "", CALL).await.text(), "ok");
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_502() {
    for nonsense in ["SSH-2.0-nonsense\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"] {
        let agent = Agent::answering(nonsense).await;
        let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
        assert_eq!((answer.status, answer.reason().as_str()), (502, "upstream_lost"), "{nonsense:?}");
    }
}

#[tokio::test]
async fn a_refused_call_leaves_its_connection_usable() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for _ in 0..3 {
        assert_eq!(caller.post("/nobody/mcp", "", CALL).await.status, 404);
        assert_eq!(caller.post("/weather/mcp", "", CALL).await.status, 200);
    }
}
