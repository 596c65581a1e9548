//! The start, step by step. What fails before the last step leaves nothing behind: the parts stop as they are dropped.

use std::sync::Arc;

use outrigger_identity::Material;
use outrigger_proxy_core::world::compile::Rules;
use outrigger_proxy_core::world::table::World;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tracing::info;

use super::calls::{self, Shared};
use super::error::StartError;
use super::mesh;
use super::ports::{Doors, Ports};
use super::running::{Parts, Running};
use crate::admin::health::Health;
use crate::admin::operator::Operator;
use crate::admin::{self, health, operator};
use crate::catalog::Catalog;
use crate::config::Settings;
use crate::config::settings::IdentitySource;
use crate::health::probe::LocalAgents;
use crate::lifecycle::{Readiness, Tasks};
use crate::overload::Overload;
use crate::rates::Rates;
use crate::registration::report::Registration;
use crate::session::redis::Redis;
use crate::session::sealer::Sealer;
use crate::session::sessions::Sessions;
use crate::session::store::Store;
use crate::snapshot::join::Join;
use crate::snapshot::worlds::Worlds;
use crate::telemetry::{Events, Metrics, process};

pub(super) async fn start(settings: Settings) -> Result<Running, StartError> {
    let doors = Doors::open(&settings.listen)?;
    let ports = doors.ports().map_err(StartError::Serve)?;
    let material = material(&settings)?.map(Arc::new);
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    process::register(&mut registry);
    let events = Arc::new(Events::new(metrics.clone()));
    let readiness = Readiness::default();
    let (mut work, mut desks) = (Tasks::default(), Tasks::default());

    // First, so that whoever watches the start can see it.
    let health = health::router(Health { readiness: readiness.clone(), metrics, registry: Arc::new(registry) });
    desks.spawn("health", admin::serve(tokio_listener(doors.health)?, health, desks.token()));

    let agents = LocalAgents::watch(&settings.agents, &events, &mut work);
    let worlds = Arc::new(Worlds::new(World::default()));
    let redis = redis(&settings, Sealer::of(Arc::clone(&worlds)), &events, &readiness)?;
    let shared = redis.clone().map(|redis| redis as Arc<dyn Store>);
    let sessions = Arc::new(Sessions::new(settings.sessions.entries_max, shared, Arc::clone(&events)));
    let (insecure, zone) = (settings.insecure, settings.zone.clone());
    let rules = Rules { plaintext_beyond_loopback: insecure, seed: fastrand::u64(..), zone };
    let feed = mesh::feed(&settings, material.as_deref()).await?;
    let join = Join::new(feed, Arc::clone(&worlds), Arc::clone(&events), rules, agents.replicas(), &readiness);
    let applied = join.applied();
    work.spawn("snapshots", join.run(work.token()));

    let reporter = mesh::reporter(&settings, material.as_ref(), ports.inbound).await?;
    let registration =
        reporter.map(|(reporter, channel)| Registration::start(reporter, channel, agents.replicas(), &mut work));

    let catalog = Catalog::new(
        Arc::clone(&worlds),
        Arc::clone(&events),
        settings.aggregate,
        &calls::caller(&settings, material.as_deref()),
    );
    let catalog = Arc::new(catalog);
    work.spawn("catalog", Arc::clone(&catalog).run(work.token()));
    let held = Arc::clone(&sessions);
    let overload = Overload::start(&settings.overload, &events, &mut work);
    let rates = Rates::new(redis, Arc::clone(&events));
    let shared =
        Shared { worlds: Arc::clone(&worlds), sessions, events, catalog: Arc::clone(&catalog), rates, overload };
    let gateway = calls::open(&settings, material.as_deref(), shared, &ports, doors.outbound, doors.inbound)?;

    let settings = Arc::new(settings);
    let (worlds_seen, ready_seen) = (Arc::clone(&worlds), readiness.clone());
    let operator = Operator {
        settings: Arc::clone(&settings),
        worlds: worlds_seen,
        applied,
        readiness: ready_seen,
        catalog,
        sessions: held,
    };
    desks.spawn("admin", admin::serve(tokio_listener(doors.admin)?, operator::router(operator), desks.token()));
    readiness.started();
    let Ports { outbound, inbound, admin, health } = &ports;
    info!(node = %settings.node, %outbound, %inbound, %admin, %health, "proxy started");
    Ok(Running { ports, parts: Parts { settings, readiness, worlds, agents, registration, gateway, work, desks } })
}

fn material(settings: &Settings) -> Result<Option<Material>, StartError> {
    Ok(match &settings.identity {
        IdentitySource::None => None,
        IdentitySource::Files { certificate, key, authority } => Some(Material::load(certificate, key, authority)?),
        IdentitySource::Material(material) => Some(Material::clone(material)),
    })
}

/// Connects in the background: a Redis that refuses or hangs keeps nothing from starting.
fn redis(
    settings: &Settings,
    sealer: Sealer,
    events: &Arc<Events>,
    readiness: &Readiness,
) -> Result<Option<Arc<Redis>>, StartError> {
    let sessions = &settings.sessions;
    let Some(redis) = &sessions.redis else {
        info!("sessions are kept in memory only; set `sessions.redis_url` to share them between proxies");
        return Ok(None);
    };
    info!(%redis, "sessions are shared through Redis");
    let redis = Redis::start(redis, &sessions.key_prefix, sessions.redis_timeout, sealer, events, readiness)?;
    Ok(Some(Arc::new(redis)))
}

fn tokio_listener(listener: std::net::TcpListener) -> Result<TcpListener, StartError> {
    TcpListener::from_std(listener).map_err(StartError::Serve)
}
