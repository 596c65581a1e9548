//! Copies of calls, sent to a mirror once the answer that the caller gets has begun.
//!
//! In: a call that was answered, with its body if that is here as a whole. Out: nothing; what the mirror answers is read and thrown away.
//! Never here: which calls are copied; the core's `route::mirror` says so.
//! Invariant: a copy makes nobody wait and fails nobody. So many are under way at once, each for so long, and none waits for a place.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_proxy_core::balance::pick::{By, pick};
use outrigger_proxy_core::balance::tried::Tried;
use outrigger_proxy_core::forward;
use outrigger_proxy_core::world::endpoint::{Endpoint, Pool};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::aside::exchange;
use super::call::{Call, Way};
use super::downstream::Downstream;
use super::parts::GatewayParts;
use super::upstream::Upstreams;
use crate::telemetry::Copied;

/// With [`BODY_BYTES_MAX`] and the largest answer that is read, this bounds what copies hold at 20 MiB.
const COPIES_MAX: usize = 64;
const BODY_BYTES_MAX: usize = 64 * 1024;
/// For one copy, connecting included.
const COPY_TIME: Duration = Duration::from_secs(30);

/// All copies that are under way.
pub struct Mirrors {
    places: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Default for Mirrors {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(COPIES_MAX)), stop: CancellationToken::new() }
    }
}

/// Copies end with the gateway.
impl Drop for Mirrors {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Mirrors {
    /// Sends a copy of `call` if its route has a mirror and it is drawn for it.
    pub fn copy(&self, parts: &Arc<GatewayParts>, upstreams: &Arc<Upstreams>, down: &Downstream<'_>, call: &Call) {
        let (Some(Way::Out(plan)), Some(lot)) = (&call.way, call.lot) else { return };
        let Some(pool) = plan.copy(lot.chance) else { return };
        if let Err(reason) = self.send(parts, upstreams, down, call, pool) {
            parts.events.call_copied(reason);
        }
    }

    fn send(
        &self,
        parts: &Arc<GatewayParts>,
        upstreams: &Arc<Upstreams>,
        down: &Downstream<'_>,
        call: &Call,
        pool: &Pool,
    ) -> Result<(), Copied> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Copied::Full)?;
        let body = down.upload.whole(&down.wire.inbox, BODY_BYTES_MAX).ok_or(Copied::Large)?;
        let picked = pick(pool, By::Balance, &Tried::default(), None, Instant::now()).map_err(|_| Copied::Nobody)?;
        let mut request = Vec::new();
        forward::copy(&down.head, &picked.endpoint, down.edits.as_deref(), &body, &mut request);
        let (parts, upstreams) = (Arc::clone(parts), Arc::clone(upstreams));
        let (stop, connect) = (self.stop.clone(), call.connect_limit(Instant::now()));
        tokio::spawn(async move {
            let asked = ask(&upstreams, &picked.endpoint, request, connect);
            if let Some(result) = stop.run_until_cancelled(asked).await {
                parts.events.call_copied(result);
            }
            drop(place);
        });
        Ok(())
    }
}

async fn ask(upstreams: &Upstreams, endpoint: &Arc<Endpoint>, request: Vec<u8>, connect: Duration) -> Copied {
    let _in_flight = endpoint.live.enter();
    match timeout(COPY_TIME, exchange(upstreams, endpoint, request, connect)).await {
        Ok(Ok(_)) => Copied::Answered,
        Ok(Err(_)) => Copied::Failed,
        Err(_) => Copied::TimedOut,
    }
}
