//! The outside of a message: the same in any pieces, and never taken where serde_json takes none or something else.

use outrigger_proxy_core::mcp::envelope::{Envelope, Scanner};
use outrigger_proxy_core::refusal::fault::Fault;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use serde_json::Value;

use crate::damage::{config, damaged, files, pieces};

/// Bodies of requests that pass, and those that do not.
fn bodies() -> Vec<Vec<u8>> {
    let end = |message: &Vec<u8>| {
        message.windows(4).position(|four| four == b"\r\n\r\n").map(|at| message[at + 4..].to_vec())
    };
    let mut bodies: Vec<_> = files(&["good/"]).iter().filter_map(end).filter(|body| !body.is_empty()).collect();
    bodies.extend(files(&["bad/jsonrpc"]));
    bodies
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_envelope_is_read_as_serde_json_reads_it((body, cuts) in damaged(bodies())) {
        let whole = Envelope::read(&body);
        let mut scanner = Scanner::default();
        let mut at = 0;
        let mut fed = Ok(());
        for piece in pieces(&body, &cuts) {
            fed = fed.and_then(|()| scanner.feed(at, piece));
            at += piece.len();
        }
        let fed = fed.and_then(|()| scanner.finish());
        prop_assert_eq!(fed.err(), whole.err(), "pieces change what it is");
        let theirs = serde_json::from_slice::<Value>(&body);
        let out_of_range = theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
        match whole {
            Ok(envelope) => {
                let pieced = scanner.envelope(&body);
                prop_assert_eq!(pieced.method(), envelope.method());
                prop_assert_eq!(pieced.id().map(|id| id.as_bytes()), envelope.id().map(|id| id.as_bytes()));
                prop_assert!(theirs.is_ok() || out_of_range, "{:?} is no JSON to serde_json", body.escape_ascii().to_string());
                if let (Ok(theirs), false) = (&theirs, envelope.is_batch()) {
                    says_the_same(&envelope, theirs)?;
                }
            }
            Err(fault) if !fault.is_json() && !matches!(fault, Fault::TooDeep { .. }) => {
                prop_assert!(theirs.is_err(), "{fault}: {}", body.escape_ascii());
            }
            Err(_) => {}
        }
        // What is told of a body that is refused is one token of it.
        if let Some(id) = Envelope::glimpse(&body).id() {
            let value = serde_json::from_slice::<Value>(id.as_bytes());
            let is_number = id.as_bytes().first().is_some_and(|byte| *byte != b'"');
            prop_assert!(is_number || value.is_ok_and(|value| value.is_string()), "{}", id.as_bytes().escape_ascii());
        }
    }
}

fn says_the_same(envelope: &Envelope<'_>, theirs: &Value) -> Result<(), proptest::test_runner::TestCaseError> {
    prop_assert_eq!(&theirs["jsonrpc"], "2.0");
    let same =
        |ours: Option<std::borrow::Cow<'_, str>>, theirs: &Value| ours.is_none() || ours.as_deref() == theirs.as_str();
    let params = &theirs["params"];
    prop_assert!(same(envelope.method(), &theirs["method"]), "{theirs}");
    prop_assert!(same(envelope.name(), &params["name"]), "{theirs}");
    prop_assert!(same(envelope.uri(), &params["uri"]), "{theirs}");
    prop_assert!(same(envelope.task(), &params["taskId"]), "{theirs}");
    prop_assert!(
        envelope.method().is_some()
            || theirs.get("method").is_none()
            || theirs["method"].as_str().unwrap().len() > 4_000
    );
    if let Some(id) = envelope.id() {
        let id = serde_json::from_slice::<Value>(id.as_bytes()).ok();
        prop_assert_eq!(id.as_ref(), theirs.get("id"));
    }
    Ok(())
}
