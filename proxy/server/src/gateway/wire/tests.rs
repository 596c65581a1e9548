use std::future::poll_fn;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Wire;
use crate::tests::link;

const SOON: Duration = Duration::from_secs(20);

async fn wire() -> (Wire, TcpStream) {
    let (link, other) = link().await;
    (Wire::new(link), other)
}

#[tokio::test]
async fn what_is_read_stands_behind_what_was_there_and_the_end_is_zero() {
    let (mut wire, mut other) = wire().await;
    wire.inbox.extend_from_slice(b"a");
    other.write_all(b"bc").await.unwrap();
    assert_eq!(poll_fn(|cx| wire.poll_read(cx)).await.unwrap(), 2);
    assert_eq!(wire.inbox, b"abc");
    drop(other);
    assert_eq!(poll_fn(|cx| wire.poll_read(cx)).await.unwrap(), 0);
}

#[tokio::test]
async fn what_a_reader_does_not_take_waits_in_the_inbox() {
    let (mut wire, mut other) = wire().await;
    other.write_all(b"abcd").await.unwrap();
    let mut took = Vec::new();
    let read = poll_fn(|cx| {
        wire.poll_read_to(cx, |_, bytes| {
            took.extend_from_slice(&bytes[..1]);
            1
        })
    });
    let read = read.await.unwrap();
    assert_eq!((took.len(), took.len() + wire.inbox.len()), (1, read));
}

#[tokio::test]
async fn bytes_that_the_other_end_does_not_take_are_kept_in_order() {
    let (mut wire, mut other) = wire().await;
    let piece = vec![7; 1024 * 1024];
    let mut sent = 0;
    while wire.out().is_empty() {
        poll_fn(|cx| std::task::Poll::Ready(wire.write(cx, &piece))).await.unwrap();
        sent += piece.len();
    }
    wire.out().push(8);
    let reading = async {
        let mut all = vec![0; sent + 1];
        other.read_exact(&mut all).await.unwrap();
        all
    };
    let (flushed, all) = tokio::join!(poll_fn(|cx| wire.poll_flush(cx)), timeout(SOON, reading));
    flushed.unwrap();
    let all = all.unwrap();
    assert!(all[..sent].iter().all(|byte| *byte == 7) && all[sent] == 8);
}

#[tokio::test]
async fn a_wire_is_fresh_until_something_came_or_it_was_closed() {
    let (mut wire, other) = wire().await;
    assert!(wire.is_fresh());
    drop(other);
    timeout(SOON, async {
        while wire.is_fresh() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let (mut wire, mut other) = self::wire().await;
    other.write_all(b"unasked").await.unwrap();
    timeout(SOON, async {
        while wire.is_fresh() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}
