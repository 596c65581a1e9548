//! Starts control from settings, and stops it in order.
//!
//! Order of the start: store, registry, first snapshot, ports. Order of the stop: readiness, streams and ports,
//! publishing, and last the writer, which stores what is left.
//! Never here: signals, logging, exit codes; the binary has those. Several controls may run in one process.

mod reload;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_control_core::snapshot::build::BuildError;
use outrigger_identity::ServerConfigError;
use outrigger_model::address::Cidr;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::authn::Plaintext;
use crate::config::settings::Settings;
use crate::discovery::protection::Protection;
use crate::discovery::serve::Discovery;
use crate::discovery::watchers::Watchers;
use crate::grpc::{self, Services};
use crate::http::api::Api;
use crate::http::server::{self, Others};
use crate::intent::desk::Desk;
use crate::intent::serve::IntentService;
use crate::leader;
use crate::lifecycle::Lifecycle;
use crate::mesh;
use crate::publish::publisher::{self, Views};
use crate::registration::serve::Registration;
use crate::relay::serve::{self as relay, Relay};
use crate::rollout::desk::Rollouts;
use crate::rollout::judge::Judge;
use crate::rollout::serve::RolloutService;
use crate::stock::guests::Guests;
use crate::stock::halls::Halls;
use crate::stock::serve::Stock;
use crate::store::{AnyStore, PostgresStore, StoreError};
use crate::sweep;
use crate::telemetry::metrics::Metrics;
use crate::upstream::desk::{Desk as Registrar, Opening};
use crate::upstream::{self, follow};
use crate::watch::feeds::Feeds;
use crate::watch::serve::Reading;
use crate::writer::{self, Declared, OpenError, Opened, Reign, Writer};

pub use crate::writer::Declaration;
pub use reload::ReloadError;

/// How long streams and requests get to end before they are cut.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// The control service.
#[derive(Debug)]
pub struct Control;

/// A control that serves. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    /// The real addresses, also where port 0 was asked for.
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    lifecycle: Lifecycle,
    settings: Settings,
    declaring: Writer,
    /// Where agents without a proxy may be.
    networks: watch::Sender<Arc<[Cidr]>>,
    /// Ends the writer, after everything that sends to it.
    last: CancellationToken,
    writer: Option<JoinHandle<()>>,
    /// Frees the seat of the leader, after the writer.
    seat: CancellationToken,
    election: Option<JoinHandle<()>>,
    /// Cancelled when a part ended that never should.
    broken: CancellationToken,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    #[error("what is stored cannot be gone by")]
    Open(#[source] OpenError),
    #[error("no snapshot can be built of what is stored and declared")]
    Build(#[from] BuildError),
    #[error(
        "{key}: {address} is in use by another process; stop that one, or set another address (port 0 takes a free one)"
    )]
    Busy { key: &'static str, address: SocketAddr },
    #[error("{key}: cannot listen on {address}; check that the address is one of this machine and the port is allowed")]
    Listen {
        key: &'static str,
        address: SocketAddr,
        #[source]
        cause: std::io::Error,
    },
    #[error("control was stopped before the one that leads had published anything")]
    Stopped,
    #[error("the identity cannot be served with")]
    Tls(#[from] ServerConfigError),
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => Self::Store(error),
            other @ OpenError::Intent { .. } => Self::Open(other),
        }
    }
}

impl Control {
    pub async fn start(settings: Settings) -> Result<Running, StartError> {
        let lifecycle = Lifecycle::default();
        let started = lifecycle.announce("start");
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let tls = settings.material.as_ref().map(grpc::tls).transpose()?;

        let store = AnyStore::open(&settings.store).await?;
        let last = CancellationToken::new();
        // Whatever fails below, the writer ends with this guard and nothing is left running.
        let guard = last.clone().drop_guard();
        let seat = CancellationToken::new();
        let free = seat.clone().drop_guard();
        let (Opened { writer, task }, election) = open_writer(&store, &settings, &last, &seat).await?;
        let opened = publisher::open(writer.clone(), shared(&store), metrics.clone(), lifecycle.stopping()).await?;
        let (views, publisher) = opened.ok_or(StartError::Stopped)?;
        let (grpc_listener, grpc) = listen("listen.grpc", settings.grpc).await?;
        let (http_listener, http) = listen("listen.http", settings.http).await?;

        let watchers = Watchers::default();
        let desk = Desk::new(writer.clone(), store.clone(), views.clone(), watchers.clone());
        let (judge, standing) = Judge::new(writer.clone(), watchers.clone(), metrics.clone());
        let rollouts = Rollouts { writer: writer.clone(), watchers: watchers.clone(), desk: desk.clone(), standing };
        let feeds = Feeds::start(views.clone(), lifecycle.clone());
        let stock = stock(&settings, &views, &writer, &metrics, &lifecycle);
        let services = services(&settings, &views, &watchers, &rollouts, &feeds, &stock);
        let broken = CancellationToken::new();
        let tasks = lifecycle.tasks();
        let stopping = lifecycle.stopping();
        tasks.spawn(sweeping(sweep::start(writer.clone(), stopping.clone()), broken.clone()));
        tasks.spawn(until_broken(publisher.run(stopping.clone()), broken.clone()));
        tasks.spawn(until_broken(judge.run(stopping.clone()), broken.clone()));
        tasks.spawn(until_broken(grpc::serve(grpc_listener, tls, services, lifecycle.clone()), broken.clone()));
        let registry = Arc::new(registry);
        let declaring = writer.clone();
        let (networks, others) = direct(&settings, &writer, &lifecycle, &broken);
        let api = Api {
            writer,
            store,
            desk,
            rollouts,
            views,
            watchers,
            feeds,
            guests: stock.guests,
            lifecycle: lifecycle.clone(),
            metrics,
            registry,
            plaintext: plaintext(&settings),
        };
        tasks.spawn(until_broken(server::serve(http_listener, api, others), broken.clone()));
        guard.disarm();
        free.disarm();
        started.up();
        info!(%grpc, %http, tls = settings.material.is_some(), "control is ready");
        let writer = Some(task);
        Ok(Running { grpc, http, lifecycle, settings, declaring, networks, last, writer, seat, election, broken })
    }
}

impl Running {
    /// Ends everything in order, and waits for it.
    pub async fn stop(mut self) {
        self.lifecycle.stop();
        self.lifecycle.tasks().close();
        if tokio::time::timeout(STOP_WITHIN, self.lifecycle.tasks().wait()).await.is_err() {
            warn!("some streams did not end in time and are cut");
        }
        self.last.cancel();
        if let Some(writer) = self.writer.take()
            && let Err(error) = writer.await
        {
            warn!(%error, "the writer did not end well");
        }
        self.seat.cancel();
        if let Some(election) = self.election.take()
            && let Err(error) = election.await
        {
            warn!(%error, "the election did not end well");
        }
        info!("control stopped");
    }

    /// Goes by `settings` from now on; none of it if something in it takes a restart. Answers with the first snapshot that
    /// goes by it. Calls, streams and reports go on.
    pub async fn reload(&mut self, settings: Settings) -> Result<Declaration, ReloadError> {
        reload::check(&self.settings, &settings)?;
        let declaration = self.declaring.declare(Declared::from(&settings)).await?;
        self.networks.send_replace(settings.rules.networks.as_slice().into());
        self.settings = settings;
        Ok(declaration)
    }

    /// Resolves when a part of control ended that never should; the rest is then of no use.
    pub async fn ended(&self) {
        self.broken.cancelled().await;
    }

    pub fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lifecycle.stop();
        self.last.cancel();
        self.seat.cancel();
    }
}

/// What serves Envoy and gRPC clients, from what the store remembered of them.
fn stock(settings: &Settings, views: &Views, writer: &Writer, metrics: &Metrics, lifecycle: &Lifecycle) -> Stock {
    let remembered = match writer.reign() {
        Reign::Own { ledger, .. } => ledger,
        // They are served where control leads.
        Reign::Other(_) => Arc::default(),
    };
    Stock {
        halls: Halls::new(views, writer, lifecycle, settings.material.as_ref(), &remembered),
        guests: Guests::default(),
        writer: writer.clone(),
        metrics: metrics.clone(),
        lifecycle: lifecycle.clone(),
        plaintext: plaintext(settings),
        started: Instant::now(),
        grace: settings.rules.lease.lease(),
    }
}

/// What is served over gRPC.
fn services(
    settings: &Settings,
    views: &Views,
    watchers: &Watchers,
    rollouts: &Rollouts,
    feeds: &Feeds,
    stock: &Stock,
) -> Services {
    let plaintext = plaintext(settings);
    let Stock { writer, metrics, lifecycle, .. } = stock;
    Services {
        discovery: Discovery {
            views: views.clone(),
            watchers: watchers.clone(),
            writer: writer.clone(),
            metrics: metrics.clone(),
            protection: Protection::new(settings.streams),
            lifecycle: lifecycle.clone(),
            plaintext,
            stock: stock.clone(),
        },
        registration: Registration::new(
            writer.clone(),
            metrics.clone(),
            lifecycle.clone(),
            plaintext,
            settings.rules.lease,
        ),
        intent: IntentService { desk: rollouts.desk.clone(), plaintext },
        rollouts: RolloutService { rollouts: rollouts.clone(), plaintext },
        reading: Reading { feeds: feeds.clone(), watchers: watchers.clone(), metrics: metrics.clone(), plaintext },
    }
}

const fn plaintext(settings: &Settings) -> Plaintext {
    if settings.is_insecure { Plaintext::Anywhere } else { Plaintext::Loopback }
}

/// What serves agents without a proxy: its paths, and the tasks behind them.
fn direct(
    settings: &Settings,
    writer: &Writer,
    lifecycle: &Lifecycle,
    broken: &CancellationToken,
) -> (watch::Sender<Arc<[Cidr]>>, Others) {
    let (networks, allowed) = watch::channel(settings.rules.networks.as_slice().into());
    let lease = settings.rules.lease;
    let (desk, show) = Registrar::open(Opening {
        writer: writer.clone(),
        lifecycle: lifecycle.clone(),
        networks: allowed,
        is_insecure: settings.is_insecure,
        lease,
    });
    let (tasks, stopping) = (lifecycle.tasks(), lifecycle.stopping());
    tasks.spawn(until_broken(follow::run(desk.clone(), show, stopping.clone()), broken.clone()));
    let keeping = desk.keeper.clone().run(writer.clone(), lease, stopping.clone());
    tasks.spawn(until_broken(keeping, broken.clone()));
    let material = settings.material.clone();
    let relay = Relay::new(desk.sheets.clone(), material, lifecycle.clone(), settings.is_relaying);
    let others = vec![relay::router(relay), mesh::serve::router(desk.clone()), upstream::serve::router(desk)];
    (networks, Others(others))
}

/// The store of replicas, if it is one.
fn shared(store: &AnyStore) -> Option<PostgresStore> {
    match store {
        AnyStore::Postgres(store) => Some(store.clone()),
        AnyStore::Sqlite(_) | AnyStore::Memory(_) => None,
    }
}

/// The writer, and who decides whether it leads where others share the store.
async fn open_writer(
    store: &AnyStore,
    settings: &Settings,
    last: &CancellationToken,
    seat: &CancellationToken,
) -> Result<(Opened, Option<JoinHandle<()>>), OpenError> {
    let declared = Declared::from(settings);
    let Some(shared) = shared(store) else {
        return Ok((writer::open(store.clone(), declared, last.clone()).await?, None));
    };
    let address = settings.advertise.clone().unwrap_or_default();
    let (roles, election) = leader::stand(&shared, address, seat.clone()).await;
    Ok((writer::open_shared(shared, roles, declared, last.clone()).await?, Some(election)))
}

async fn until_broken(part: impl Future<Output = ()>, broken: CancellationToken) {
    let _ended = broken.drop_guard();
    part.await;
}

async fn sweeping(sweep: JoinHandle<()>, broken: CancellationToken) {
    let _ended = broken.drop_guard();
    if let Err(error) = sweep.await {
        warn!(%error, "the sweep did not end well");
    }
}

async fn listen(key: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bound = TcpListener::bind(address).await.and_then(|listener| {
        let real = listener.local_addr()?;
        Ok((listener, real))
    });
    bound.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::AddrInUse => StartError::Busy { key, address },
        _ => StartError::Listen { key, address, cause },
    })
}

#[cfg(test)]
mod tests;
