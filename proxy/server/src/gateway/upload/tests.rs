use std::future::poll_fn;

use outrigger_proxy_core::http1::body::Framing;
use outrigger_proxy_core::refusal::{Malformed, Refusal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{KEPT_BYTES_MAX, Upload, UploadError};
use crate::gateway::pace::Pace;
use crate::gateway::wire::Wire;
use crate::tests::link;

const LIMIT: u64 = 1024 * 1024;

/// A caller's wire and an agent's, with the other end of each.
struct Ends {
    caller: Wire,
    sender: TcpStream,
    agent: Wire,
    receiver: TcpStream,
}

impl Ends {
    async fn new() -> Self {
        let ((caller, sender), (agent, receiver)) = (link().await, link().await);
        Self { caller: Wire::new(caller), sender, agent: Wire::new(agent), receiver }
    }

    async fn upload(&mut self, upload: &mut Upload) -> Result<(), UploadError> {
        poll_fn(|cx| upload.poll(cx, &mut self.caller, &mut self.agent, || ())).await
    }

    async fn received(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.receiver.read_exact(&mut bytes).await.unwrap();
        bytes
    }
}

#[tokio::test]
async fn a_body_goes_up_with_its_head_and_what_follows_it_stays() {
    let mut ends = Ends::new().await;
    let mut upload = Upload::new(Framing::Length(4), LIMIT, Pace::default());
    ends.caller.inbox.extend_from_slice(b"bo");
    ends.agent.out().extend_from_slice(b"head ");
    ends.sender.write_all(b"dynext").await.unwrap();
    ends.upload(&mut upload).await.unwrap();
    assert_eq!(ends.received(9).await, b"head body");
    upload.release(&mut ends.caller);
    assert_eq!(ends.caller.inbox, b"next");
}

#[tokio::test]
async fn a_body_can_be_sent_again_until_it_is_released() {
    let mut ends = Ends::new().await;
    let mut upload = Upload::new(Framing::Length(4), LIMIT, Pace::default());
    ends.caller.inbox.extend_from_slice(b"body");
    for _ in 0..2 {
        assert!(upload.can_restart());
        upload.restart();
        ends.upload(&mut upload).await.unwrap();
        assert_eq!(ends.received(4).await, b"body");
    }
    assert_eq!(upload.beginning(&ends.caller.inbox).as_ref(), b"body");
    upload.release(&mut ends.caller);
    assert!(!upload.can_restart());
}

#[tokio::test]
async fn a_body_that_is_too_large_to_keep_goes_up_all_the_same() {
    let mut ends = Ends::new().await;
    let body = vec![b'x'; KEPT_BYTES_MAX * 4];
    let mut upload = Upload::new(Framing::Length(body.len() as u64), LIMIT, Pace::default());
    let mut sender = std::mem::replace(&mut ends.sender, link().await.1);
    let mut receiver = std::mem::replace(&mut ends.receiver, link().await.1);
    let mut received = vec![0; body.len()];
    let (sent, read, uploaded) =
        tokio::join!(sender.write_all(&body), receiver.read_exact(&mut received), ends.upload(&mut upload));
    sent.unwrap();
    read.unwrap();
    uploaded.unwrap();
    assert!(received == body && !upload.can_restart() && ends.caller.inbox.is_empty());
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_its_end() {
    for (framing, body, expected) in [
        (Framing::Chunked, &b"zz\r\n"[..], Refusal::Malformed(Malformed::Chunk)),
        (Framing::Chunked, b"5\r\nabcde\r\n", Refusal::BodyTooLarge { bytes_max: 4 }),
    ] {
        let mut ends = Ends::new().await;
        ends.caller.inbox.extend_from_slice(body);
        let refused = ends.upload(&mut Upload::new(framing, 4, Pace::default())).await;
        assert!(matches!(refused, Err(UploadError::Refused(refusal)) if refusal == expected));
    }
    let mut ends = Ends::new().await;
    drop(std::mem::replace(&mut ends.sender, link().await.1));
    let left = ends.upload(&mut Upload::new(Framing::Length(1), LIMIT, Pace::default())).await;
    assert!(matches!(left, Err(UploadError::CallerLeft)));
}

#[tokio::test]
async fn the_beginning_is_the_payload_however_it_is_framed() {
    let mut ends = Ends::new().await;
    let mut upload = Upload::new(Framing::Chunked, LIMIT, Pace::default());
    ends.sender.write_all(b"2\r\n{\"\r\n3\r\nid\"\r\n0\r\n\r\nPOST").await.unwrap();
    poll_fn(|cx| upload.poll_beginning(cx, &mut ends.caller)).await;
    assert_eq!(upload.beginning(&ends.caller.inbox).as_ref(), b"{\"id\"");
    assert!(poll_fn(|cx| upload.poll_discard(cx, &mut ends.caller, LIMIT)).await);
    assert!(b"POST".starts_with(&ends.caller.inbox));
}
