use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::tests::link;

struct Pair {
    here: TcpStream,
    there: TcpStream,
    carrying: tokio::task::JoinHandle<(io::Result<()>, usize)>,
}

async fn tunnel(inbox: &[u8]) -> Pair {
    let ((near, here), (far, there)) = (link().await, link().await);
    let (mut near, mut far) = (Wire::new(near), Wire::new(far));
    near.inbox.extend_from_slice(inbox);
    let carrying = tokio::spawn(async move {
        let (mut tunnel, mut moves) = (Tunnel::default(), 0);
        (poll_fn(|cx| tunnel.poll(cx, &mut near, &mut far, || moves += 1)).await, moves)
    });
    Pair { here, there, carrying }
}

#[tokio::test]
async fn bytes_go_both_ways_and_each_way_ends_by_itself() {
    let mut pair = tunnel(b"early ").await;
    pair.here.write_all(b"hello").await.unwrap();
    pair.here.shutdown().await.unwrap();
    let mut heard = String::new();
    pair.there.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "early hello", "what came with the CONNECT is first, and the end is passed on");
    pair.there.write_all(b"still here").await.unwrap();
    drop(pair.there);
    heard.clear();
    pair.here.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "still here", "the other way was open all the while");
    let (carried, moves) = pair.carrying.await.unwrap();
    assert!(carried.is_ok() && moves >= 2, "{carried:?} {moves}");
}

#[tokio::test]
async fn while_one_end_takes_nothing_the_other_is_not_read_for_ever() {
    let mut pair = tunnel(b"").await;
    let block = vec![7; 64 * 1024];
    let mut sent = 0usize;
    // Two sockets' buffers and ours, and not more.
    while let Ok(written) = tokio::time::timeout(Duration::from_millis(500), pair.here.write(&block)).await {
        sent += written.unwrap();
        assert!(sent < 64 * 1024 * 1024, "it takes everything");
    }
    let mut heard = vec![0; 64 * 1024];
    let mut left = sent;
    while left > 0 {
        left -= pair.there.read(&mut heard).await.unwrap();
    }
    drop(pair.here);
    assert_eq!(pair.there.read(&mut heard).await.unwrap(), 0);
    drop(pair.there);
    assert!(pair.carrying.await.unwrap().0.is_ok());
}
