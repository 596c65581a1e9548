use std::collections::BTreeMap;
use std::sync::Arc;

use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, ResourceKind, Serial, Token};

use super::*;

const ROUTES: Topic = Topic::Resources(ResourceKind::Route);

fn edition(bodies: &[(&str, usize)]) -> Edition {
    let entry = |size: usize| {
        let body = Bytes::from(vec![7; size]);
        let digest = Digest::of(&body);
        Entry { token: Token::new(Epoch(1), Serial(3), &digest), digest, body }
    };
    let entries = bodies.iter().map(|(name, size)| ((*name).to_owned(), entry(*size))).collect();
    let shelf = |entries| Arc::new(Shelf { changed: Serial(3), entries });
    let empty = shelf(BTreeMap::new());
    Edition {
        epoch: Epoch(1),
        serial: Serial(3),
        digest: Digest::of(b"all"),
        settings: Arc::clone(&empty),
        keyring: Arc::clone(&empty),
        revocations: Arc::clone(&empty),
        agents: Arc::clone(&empty),
        capabilities: Arc::clone(&empty),
        pools: Arc::clone(&empty),
        endpoints: Arc::clone(&empty),
        routes: shelf(entries),
        wirings: Arc::clone(&empty),
        manifest: empty,
    }
}

fn read(frame: &Frame) -> DeltaDiscoveryResponse {
    DeltaDiscoveryResponse::decode(frame.0.clone()).unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn an_answer_without_content_is_still_one_frame() {
    let frames = frames(&edition(&[]), ROUTES, &[], &[]);
    assert_eq!(frames.len(), 1);
    let response = read(&frames[0]);
    assert!(response.resources.is_empty() && response.removed_resources.is_empty());
    assert_eq!(response.type_url, type_url(ResourceKind::Route));
    assert!(response.system_version_info.starts_with("3@"));
}

#[test]
fn large_answers_are_split_and_nothing_is_lost() {
    let big = FRAME_BYTES_MAX / 3;
    let edition = edition(&[("a", big), ("b", big), ("c", big), ("d", 2 * FRAME_BYTES_MAX), ("e", 10)]);
    let frames = frames(&edition, ROUTES, &names(&["a", "b", "c", "d", "e"]), &names(&["x", "y"]));
    let responses: Vec<_> = frames.iter().map(read).collect();
    let sent: Vec<Vec<&str>> =
        responses.iter().map(|response| response.resources.iter().map(|it| it.name.as_str()).collect()).collect();
    assert_eq!(sent, [&["a", "b"][..], &["c"], &["d"], &["e"]]);
    assert_eq!(responses[3].removed_resources, ["x", "y"]);
    assert!(frames.iter().all(|frame| frame.0.len() < 3 * FRAME_BYTES_MAX));
}

#[test]
fn what_still_stands_is_told_without_its_body() {
    let response = read(&still_true(&edition(&[("a", 10)]), ROUTES));
    assert_eq!(response.resources.len(), 1);
    assert!(response.resources[0].resource.is_none());
    assert!(!response.resources[0].version.is_empty());
}
