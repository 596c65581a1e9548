use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::{Key, Pool};
use crate::gateway::wire::Wire;
use crate::tests::link;

const MINUTE: Duration = Duration::from_secs(60);

fn key(port: u16) -> Key {
    Key { address: ([127, 0, 0, 1], port).into(), identity: None }
}

async fn wire() -> (Wire, TcpStream) {
    let (link, other) = link().await;
    (Wire::new(link), other)
}

#[tokio::test]
async fn a_wire_is_given_back_for_its_own_endpoint_and_once() {
    let (pool, now) = (Pool::default(), Instant::now());
    let (wire, _other) = wire().await;
    pool.put(&key(1), wire, MINUTE, now);
    assert!(pool.take(&key(2), now).is_none());
    assert!(pool.take(&key(1), now).is_some());
    assert!(pool.take(&key(1), now).is_none());
}

#[tokio::test]
async fn a_wire_that_is_too_old_or_closed_is_not_given_out_and_swept_away() {
    let (pool, now) = (Pool::default(), Instant::now());
    let (old, _other) = wire().await;
    pool.put(&key(1), old, MINUTE, now);
    assert!(pool.take(&key(1), now + 2 * MINUTE).is_none());
    let ((closed, other), (open, _open)) = (wire().await, wire().await);
    pool.put(&key(1), closed, MINUTE, now);
    pool.put(&key(2), open, MINUTE, now);
    drop(other);
    let swept = async {
        while pool.idle().get(&key(1)).is_some() {
            pool.sweep(now);
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(MINUTE, swept).await.unwrap();
    assert!(pool.take(&key(2), now).is_some());
}
