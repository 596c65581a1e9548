//! Many sessions of one calling agent that stands behind four proxies: whichever of them a call takes, it finds its state.
//!
//! In: real servers in three replicas, one Redis. Out: counts of calls that went astray or failed; none may.

use anyhow::{Context, Result};
use http::HeaderValue;
use outrigger_tests::crowd::Seen;
use outrigger_tests::desks::Desks;
use outrigger_tests::fleet::AGENT;
use outrigger_tests::habits::Sessions;
use outrigger_tests::http::Events;
use outrigger_tests::mcp::Session;
use outrigger_tests::peers::Sdk;
use serde_json::{Value, json};

const SESSIONS: usize = 200;

pub fn must_be_clean(what: &str, seen: &Seen) {
    eprintln!("{what}: {seen}");
    assert!(seen.is_clean(), "{what}: {seen}");
}

async fn no_call_goes_astray(sdk: Sdk, calls: u64) -> Result<()> {
    let desks = Desks::start(sdk, "").await?;
    let mut crowd = desks.crowd(Sessions { sdk }, AGENT, SESSIONS).await?;
    let seen = crowd.run(calls).await?;
    must_be_clean(&format!("{sdk:?}"), &seen);
    assert!(seen.calls >= calls, "{seen}");
    Ok(())
}

#[tokio::test]
async fn no_call_of_200_python_sessions_goes_astray_between_four_proxies() -> Result<()> {
    no_call_goes_astray(Sdk::Python, 6_000).await
}

#[tokio::test]
async fn no_call_of_200_sessions_of_server_everything_goes_astray_between_four_proxies() -> Result<()> {
    no_call_goes_astray(Sdk::Everything, 4_000).await
}

/// Opened, listened to, asked back, told something and deleted: each through another proxy than the one before.
async fn any_verb_through_any_proxy(sdk: Sdk, tool: &str) -> Result<()> {
    let desks = Desks::start(sdk, "").await?;
    let urls = desks.urls(AGENT);
    for number in 0..8 {
        let at = |step: usize| &urls[(number + step) % urls.len()];
        let session = Session::open_able(at(0), json!({"sampling": {}})).await?;
        let listening = session.through(at(1)).listen().await?;
        assert_eq!((listening.status.as_u16(), &listening.headers["content-type"]), (200, &EVENTS));

        let called = session.through(at(2)).open_call(tool, &json!({"prompt": "who?", "maxTokens": 9})).await?;
        assert_eq!(called.status, 200);
        let mut called = Events::of(called);
        let question: Value = serde_json::from_str(&called.says("sampling/createMessage").await?.data)?;
        let words = json!({"role": "assistant", "model": "none", "content": {"type": "text", "text": "only me"}});
        let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": words});
        assert_eq!(session.through(at(3)).post(answer.to_string()).await?.status, 202, "an answer");
        called.says("only me").await?;

        let note = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
        assert_eq!(session.through(at(1)).post(note.to_string()).await?.status, 202, "a notification");
        let deleted = session.through(at(2)).delete().await?;
        assert!(deleted.status.is_success(), "{} {}", deleted.status, deleted.body);
        for step in 0..urls.len() {
            let late = session.through(at(step)).try_call(tool).await?;
            assert!(late.status.is_client_error(), "it is over everywhere: {} {}", late.status, late.body);
        }
    }
    Ok(())
}

const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

#[tokio::test]
async fn any_verb_of_a_python_session_goes_through_any_proxy() -> Result<()> {
    any_verb_through_any_proxy(Sdk::ConformancePython, "test_sampling").await
}

#[tokio::test]
async fn any_verb_of_a_session_of_server_everything_goes_through_any_proxy() -> Result<()> {
    any_verb_through_any_proxy(Sdk::Everything, "trigger-sampling-request").await
}

/// "Resumption is always via HTTP GET with Last-Event-ID" (2025-11-25, basic/transports, Resumability).
#[tokio::test]
async fn a_stream_that_was_closed_is_resumed_through_another_proxy() -> Result<()> {
    let desks = Desks::start(Sdk::ConformancePython, "").await?;
    let urls = desks.urls(AGENT);
    for number in 0..4 {
        let at = |step: usize| &urls[(number + step) % urls.len()];
        let session = Session::open_as(at(0), "2025-11-25").await?;
        let mut closed = Events::of(session.through(at(1)).open_call("test_reconnection", &json!({})).await?);
        let mut last = None;
        while let Some(event) = closed.next().await? {
            last = event.id.or(last);
        }
        let last = last.context("no event has an id")?;
        let mut resumed = Events::of(session.through(at(2)).resume(Some(&last)).await?);
        resumed.says("after the stream was closed").await?;
    }
    Ok(())
}

/// What a proxy has met it keeps by itself; Redis may hang, die, and come back with nothing in it.
#[tokio::test]
async fn known_sessions_lose_no_call_whatever_becomes_of_redis() -> Result<()> {
    let sdk = Sdk::Rust;
    let mut desks = Desks::start(sdk, "").await?;
    let mut crowd = desks.crowd(Sessions { sdk }, AGENT, SESSIONS).await?;
    must_be_clean("every session through every proxy", &crowd.tour().await?);
    let (pulse, redis) = (crowd.pulse(), &mut desks.redis);
    let begun = pulse.now();
    let trouble = async {
        pulse.reaches(begun + 300).await?;
        redis.process.freeze()?;
        pulse.reaches(begun + 900).await?;
        redis.process.thaw()?;
        pulse.reaches(begun + 1_200).await?;
        redis.process.kill().await?;
        pulse.reaches(begun + 1_800).await?;
        redis.start_again().await?;
        pulse.reaches(begun + 2_400).await
    };
    let (seen, troubled) = tokio::join!(crowd.run(3_000), trouble);
    troubled?;
    must_be_clean("Redis frozen, thawed, killed, restarted empty", &seen?);
    Ok(())
}
