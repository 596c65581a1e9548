//! A fleet whose calling agent stands behind four proxies, which share one Redis.
//!
//! In: the SDK of the replicas, further lines for control. Out: where to call, and crowds that do.
//! Never here: what a crowd must see.
//! Invariant: when it is handed out, every proxy has all replicas.

use anyhow::Result;
use tempfile::TempDir;

use crate::crowd::{Crowd, Habit};
use crate::fleet::{Fleet, desk};
use crate::mesh::{Mesh, Proxy, Shape};
use crate::peers::Sdk;
use crate::redis::Redis;

const DESKS: usize = 4;
/// On a machine whose cores are all busy with a crowd Redis may need longer than a call usually waits for it.
const REDIS_WAIT_MS: u64 = 1_000;

pub struct Desks {
    pub fleet: Fleet,
    /// Those beside the one that the fleet has.
    pub further: Vec<Proxy>,
    pub redis: Redis,
    _folder: TempDir,
}

impl Desks {
    pub async fn start(sdk: Sdk, intent: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let redis = Redis::start(folder.path()).await?;
        let desk = |number| Shape { redis_wait_ms: Some(REDIS_WAIT_MS), ..desk(number).with_redis(&redis.url()) };
        let fleet = Fleet::start_in(Mesh::new().await?.declaring(intent), sdk, &desk(1)).await?;
        let mut further = vec![];
        for number in 2..=DESKS {
            further.push(Fleet::start_calling(&fleet.mesh, &desk(number)).await?);
        }
        Ok(Self { fleet, further, redis, _folder: folder })
    }

    /// Where each of them is called for a target.
    pub fn urls(&self, target: &str) -> Vec<String> {
        [&self.fleet.caller].into_iter().chain(&self.further).map(|proxy| proxy.url(target)).collect()
    }

    /// So many members, who may call through any of them.
    pub async fn crowd<H: Habit>(&self, habit: H, target: &str, members: usize) -> Result<Crowd<H>> {
        let crowd = Crowd::gather(habit, &self.urls(target), members).await?;
        eprintln!("{members} members, CROWD_SEED={}", crowd.seed());
        Ok(crowd)
    }
}
