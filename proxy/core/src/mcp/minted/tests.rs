use std::time::Duration;

use outrigger_model::digest::Digest;
use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{Mint, Minting, Mints, Written};

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn task(id: &str, life: Option<u64>) -> Mint {
    Mint::Task { id: digest(id), life: life.map(Duration::from_millis) }
}

fn state(text: &str) -> Mint {
    Mint::State(digest(text))
}

fn read(mints: Mints, written: Written, body: &str, piece: usize) -> (Vec<Mint>, bool) {
    let mut minting = Minting::new(mints, written);
    let minted = body.as_bytes().chunks(piece).flat_map(|part| minting.feed(part)).collect();
    (minted, minting.is_over())
}

fn result(result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#)
}

#[test]
fn tasks_and_states_are_found_in_results_of_their_kind() {
    for (text, expected) in [
        (r#"{"resultType":"task","taskId":"t-1","ttlMs":60000,"status":"working"}"#, vec![task("t-1", Some(60_000))]),
        (r#"{"taskId":"t-1","ttlMs":null,"resultType":"task"}"#, vec![task("t-1", None)]),
        (r#"{"resultType":"input_required","inputRequests":{},"requestState":"s \u00fc"}"#, vec![state("s ü")]),
        (r#"{"resultType":"complete","taskId":"t-1","requestState":"s"}"#, vec![]),
        (r#"{"content":[{"taskId":"t-1"}],"structuredContent":{"requestState":"s"},"resultType":"complete"}"#, vec![]),
        (r#"{"resultType":"task","taskId":7}"#, vec![task("7", None)]),
        (r#"{"resultType":"task","taskId":{"x":1}}"#, vec![]),
    ] {
        let (minted, over) = read(Mints::Modern, Written::Json, &result(text), usize::MAX);
        assert_eq!((minted, over), (expected, true), "{text}");
    }
}

#[test]
fn a_legacy_agent_mints_tasks() {
    let body = result(r#"{"task":{"taskId":"t-1","status":"working","ttl":5000}}"#);
    assert_eq!(read(Mints::Legacy, Written::Json, &body, usize::MAX).0, vec![task("t-1", Some(5_000))]);
    assert_eq!(read(Mints::Legacy, Written::Json, &result(r#"{"taskId":"t-1"}"#), 9).0, vec![]);
}

#[test]
fn what_is_ambiguous_or_no_message_mints_nothing() {
    for body in [
        result(r#"{"resultType":"task","taskId":"a","taskId":"b"}"#),
        "<html>".to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","data":{"taskId":"t"}}}"#.to_owned(),
        String::new(),
    ] {
        assert_eq!(read(Mints::Modern, Written::Json, &body, usize::MAX).0, vec![], "{body}");
    }
}

#[test]
fn the_answer_may_stand_behind_other_events() {
    let noise = r#"data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"taskId":"no"}}"#;
    let answer = result(r#"{"resultType":"task","taskId":"t-1","ttlMs":1}"#).replace(",\"ttlMs", ",\r\ndata: \"ttlMs");
    let stream =
        format!(": hello\r\n\r\n{noise}\r\n\r\ndata: not json\r\n\r\nevent: message\r\ndata: {answer}\r\n\r\n");
    let (minted, over) = read(Mints::Modern, Written::Events, &stream, usize::MAX);
    assert_eq!((minted, over), (vec![task("t-1", Some(1))], true));
}

#[test]
fn a_value_is_told_with_its_last_byte_and_once() {
    let body = result(r#"{"resultType":"input_required","requestState":"state","inputRequests":{}}"#);
    let end = body.find("state\"").unwrap() + "state\"".len();
    let mut minting = Minting::new(Mints::Modern, Written::Json);
    assert_eq!(minting.feed(&body.as_bytes()[..end - 1]), vec![]);
    assert_eq!(minting.feed(&body.as_bytes()[end - 1..end]), vec![state("state")]);
    assert_eq!(minting.feed(&body.as_bytes()[end..]), vec![]);
    assert!(minting.is_over());
}

#[test]
fn no_more_is_read_once_the_kind_of_the_result_says_that_nothing_follows() {
    let mut minting = Minting::new(Mints::Modern, Written::Json);
    minting.feed(br#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","#);
    assert!(minting.is_over());
}

proptest! {
    #[test]
    fn pieces_change_nothing(piece in 1..64usize, events in any::<bool>()) {
        let answer = result(r#"{"resultType":"task","ttlMs":9,"taskId":"t-\u0031","x":{"requestState":"no"}}"#);
        let (written, body) = match events {
            true => (Written::Events, format!("id: 1\ndata: {answer}\n\n")),
            false => (Written::Json, answer),
        };
        let (minted, over) = read(Mints::Modern, written, &body, piece);
        prop_assert_eq!((minted, over), (vec![task("t-1", Some(9))], true));
    }
}
