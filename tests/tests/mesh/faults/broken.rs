//! Connections that break while bytes are on them.

use anyhow::{Result, ensure};
use outrigger_tests::faulty::{EVENTS, answer, stream};

use super::{Kind, Numbered, Scene, may_have_run};

/// Bytes of an answer's head and body after which it ends: none, within the head, behind it, within the body, one before the end.
fn places(text: &str) -> Vec<usize> {
    let head = text.find("\r\n\r\n").unwrap_or_default() + 4;
    vec![0, head / 2, head, head + 1, text.len() - 1]
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_complete() -> Result<()> {
    let scene = Scene::start(1).await?;
    let text = answer("weather-1");
    let mut number = 0;
    for how in ["close", "reset"] {
        for count in places(&text) {
            number += 1;
            let fault = format!("cut {count} {how}");
            let reply = Numbered::call(number, &fault).send(&scene.caller.url("spread")).await?;
            assert_eq!((reply.status.as_u16(), may_have_run(&reply)?.as_str()), (502, "upstream_lost"), "{fault}");
        }
    }
    let whole = format!("cut {} close", text.len());
    let reply = Numbered::call(number + 1, &whole).send(&scene.caller.url("spread")).await?;
    assert_eq!(reply.status, 200, "all of it is all of it");
    let executed: Vec<(u64, usize)> = scene.executed().into_iter().collect();
    assert_eq!(executed, (1..=number + 1).map(|number| (number, 1)).collect::<Vec<_>>());
    Ok(())
}

/// Every place in the middle event, and the borders of all.
fn places_of_events() -> Vec<usize> {
    let (mut at, mut places) = (0, vec![0]);
    for (index, event) in EVENTS.iter().enumerate() {
        let size = format!("{:x}\r\n{event}\r\n", event.len()).len();
        let step = if index == 1 { 7 } else { size };
        places.extend((at..at + size).step_by(step));
        at += size;
        // Within the end of its chunk, and behind it.
        places.extend([at - 4, at - 1, at]);
    }
    places.sort_unstable();
    places.dedup();
    places
}

#[tokio::test]
async fn a_stream_that_breaks_off_gives_whole_events_and_then_an_error() -> Result<()> {
    let scene = Scene::start(1).await?;
    let whole = EVENTS.concat();
    let places = places_of_events();
    assert!(places.len() > 15, "{places:?}");
    for (number, (count, how)) in (1..).zip(places.iter().flat_map(|at| [(*at, "close"), (*at, "reset")])) {
        let fault = format!("events {count} {how}");
        let mut answer = Numbered::call(number, &fault).open(&scene.caller.url("spread")).await?;
        assert_eq!(answer.status, 200, "{fault}");
        let mut heard = String::new();
        let error = loop {
            match answer.next().await {
                Ok(Some(piece)) => heard.push_str(std::str::from_utf8(&piece)?),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        ensure!(whole.starts_with(&heard), "{fault}: not what was sent: {heard:?}");
        // Without its last chunk a stream did not end, wherever it was cut.
        ensure!(error.is_some(), "{fault}: seen as whole after {heard:?}");
    }
    let fault = format!("events {} close", stream().len());
    let reply = Numbered::call(0, &fault).send(&scene.caller.url("spread")).await?;
    assert_eq!(reply.body, whole);
    Ok(())
}

/// Servers close connections that were idle for too long, and never tell: the next request may be on its way.
#[tokio::test]
async fn a_connection_that_is_closed_under_the_next_request_makes_nothing_run_twice() -> Result<()> {
    let scene = Scene::start(3).await?;
    let (mut answered, mut lost) = (vec![], 0);
    for number in 0..60 {
        // Each leaves a connection behind that breaks when the next request is on it.
        let reply = Numbered::call(number, "bait").send(&scene.caller.url("spread")).await?;
        match reply.status.as_u16() {
            200 => answered.push(number),
            _ => {
                assert_eq!((reply.status.as_u16(), may_have_run(&reply)?.as_str()), (502, "upstream_lost"));
                lost += 1;
            }
        }
    }
    scene.ran_at_most_once(&answered)?;
    assert!(lost > 0, "the bait was never taken");
    assert!(answered.len() >= 30, "every other call has a new connection: {}", answered.len());
    Ok(())
}

/// What changes nothing is asked again elsewhere, also where all that is known is that the connection is gone.
#[tokio::test]
async fn a_list_whose_connection_is_closed_under_it_is_answered() -> Result<()> {
    let scene = Scene::start(3).await?;
    let url = scene.caller.url("spread");
    for number in 0..20 {
        Numbered::call(number, "bait").send(&url).await?;
        let reply = Numbered::plain(Kind::List, 1_000 + number).send(&url).await?;
        assert_eq!(reply.status, 200, "{number}: {}", reply.body);
    }
    Ok(())
}

/// The usual case: the end of the connection is here before the next request is.
#[tokio::test]
async fn a_connection_that_is_closed_before_the_next_request_costs_no_call() -> Result<()> {
    let scene = Scene::start(1).await?;
    let mut answered = vec![];
    for number in 0..40 {
        let reply = Numbered::call(number, "closes").send(&scene.caller.url("spread")).await?;
        if reply.status == 200 {
            answered.push(number);
        } else {
            assert_eq!((reply.status.as_u16(), may_have_run(&reply)?.as_str()), (502, "upstream_lost"));
        }
    }
    scene.ran_at_most_once(&answered)?;
    assert!(answered.len() >= 38, "{} of 40", answered.len());
    Ok(())
}

/// What is left of the body is nowhere taken for the beginning of another request.
#[tokio::test]
async fn a_request_whose_body_is_cut_off_is_refused_and_the_next_ones_are_served() -> Result<()> {
    let scene = Scene::start(1).await?;
    let url = scene.caller.url("spread");
    let mut served = vec![];
    for (number, bytes, taken) in [(0, 2_000_000, 1_000), (10, 2_000_000, 0), (20, 200, 100)] {
        let fault = format!("request {taken}");
        let reply = Numbered { bytes, ..Numbered::call(number, &fault) }.send(&url).await?;
        assert_eq!((reply.status.as_u16(), may_have_run(&reply)?.as_str()), (502, "upstream_lost"), "{fault}");
        for next in number + 1..number + 4 {
            assert_eq!(Numbered::plain(Kind::Call, next).send(&url).await?.status, 200, "{fault}");
            served.push((next, 1));
        }
    }
    assert_eq!(scene.executed().into_iter().collect::<Vec<_>>(), served);
    Ok(())
}
