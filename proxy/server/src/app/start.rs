//! The start, step by step. What fails before the last step leaves nothing behind: the parts stop as they are dropped.
//!
//! A process that takes over does the same, and waits twice: for a world before it speaks for the node, and for control to hear it
//! before the other process ends.

use std::sync::Arc;

use outrigger_identity::Material;
use outrigger_proxy_core::world::compile::Rules;
use outrigger_proxy_core::world::table::World;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::info;

use super::before::Before;
use super::calls::{self, Shared};
use super::error::StartError;
use super::mesh;
use super::opened::Opened;
use super::ports::Ports;
use super::running::{Parts, Running};
use crate::admin::health::Health;
use crate::admin::operator::Operator;
use crate::admin::{self, health, operator};
use crate::catalog::Catalog;
use crate::config::Settings;
use crate::config::settings::IdentitySource;
use crate::facade::{self, Facade, Residents};
use crate::handover::give::Giver;
use crate::handover::luggage::Luggage;
use crate::handover::place::Prepared;
use crate::health::roster::LocalAgents;
use crate::lifecycle::{Readiness, Tasks};
use crate::overload::Overload;
use crate::rates::Rates;
use crate::registration::report::Registration;
use crate::session::owners::Owners;
use crate::session::redis::Redis;
use crate::session::sealer::Sealer;
use crate::session::sessions::Sessions;
use crate::session::store::Store;
use crate::snapshot::join::Join;
use crate::snapshot::worlds::Worlds;
use crate::telemetry::{Events, Metrics, process};

pub(super) async fn start(settings: Settings, upgrade: bool) -> Result<Running, StartError> {
    let Opened { mut before, socket, doors, ports, spare } = Opened::of(&settings, upgrade).await?;
    let material = material(&settings)?.map(Arc::new);
    let (registry, metrics) = metrics();
    let events = Arc::new(Events::new(metrics.clone()));
    let (readiness, mut work, mut desks) = (Readiness::default(), Tasks::default(), Tasks::default());

    let health = Health { readiness: readiness.clone(), metrics, registry: Arc::new(registry) };
    let mut health = Some(admin::serve(tokio_listener(doors.health)?, health::router(health), desks.token()));
    // First, so that whoever watches the start can see it; but last where another process answers until then.
    if let Some(health) = health.take_if(|_| before.is_none()) {
        desks.spawn("health", health);
    }

    let agents = LocalAgents::watch(&settings.agents, &Before::generations(before.as_ref()), &events, &mut work);
    let worlds = Arc::new(Worlds::new(World::default()));
    let redis = redis(&settings, Sealer::of(Arc::clone(&worlds)), &events, &readiness)?;
    let luggage = luggage(settings.sessions.entries_max, redis.clone(), &events);
    let (rules, settings) = (rules(&settings), Arc::new(settings));
    let residents = Residents::back(&settings, ports.numbers(), &agents);
    let (needs, needed) = watch::channel(residents.needs());
    let feed = mesh::feed(&settings, needs.borrow().clone(), material.as_deref()).await?;
    let join =
        Join::new(feed, Arc::clone(&worlds), Arc::clone(&events), rules, agents.replicas(), &readiness).needing(needed);
    let (applied, snapshots) = (join.applied(), join.snapshots());
    work.spawn("snapshots", join.run(work.token()));
    if let Some(before) = &mut before {
        before.ready(applied.clone(), agents.replicas(), &luggage).await?;
    }

    let reporter = mesh::reporter(&settings, material.as_ref(), ports.inbound, &events).await?;
    let registration =
        reporter.map(|(reporter, controls)| Registration::start(reporter, controls, agents.replicas(), &mut work));
    let catalog = catalog(&settings, material.as_deref(), &worlds, &events, &mut work);
    let (catalog_shown, Luggage { sessions, owners }) = (Arc::clone(&catalog), luggage.clone());
    let overload = Overload::start(&settings.overload, &events, &mut work);
    let rates = Rates::new(redis, Arc::clone(&events));
    let reported = registration.as_ref().map(Registration::status);
    let told = facade::Told { outbound: ports.outbound_from_here(), snapshots, reported, needs };
    let facade = facade(residents, told, &catalog, &mut work);
    let shared = Shared { worlds: Arc::clone(&worlds), sessions, owners, events, catalog, facade, rates, overload };
    let gateway = calls::open(&settings, material.as_deref(), shared, &ports, doors.outbound, doors.inbound)?;

    let operator = Operator {
        settings: Arc::clone(&settings),
        worlds: Arc::clone(&worlds),
        applied,
        readiness: readiness.clone(),
        catalog: catalog_shown,
        sessions: Arc::clone(&luggage.sessions),
    };
    desks.spawn("admin", admin::serve(tokio_listener(doors.admin)?, operator::router(operator), desks.token()));
    if let Some(health) = health {
        desks.spawn("health", health);
    }
    readiness.started();
    if let Some(before) = before {
        before.serving(registration.as_ref(), luggage.clone(), &mut work).await?;
    }
    let (told, taken) = watch::channel(false);
    if let (Some(socket), Some(spare)) = (socket, &spare) {
        let (node, listeners) = (settings.node.to_string(), Arc::downgrade(spare));
        let (agents, registration) = (agents.replicas(), registration.clone());
        hand_over(socket, Giver { node, listeners, agents, luggage, registration, taken: told }, &mut work)?;
    }
    let Ports { outbound, inbound, admin, health } = &ports;
    info!(node = %settings.node, %outbound, %inbound, %admin, %health, "proxy started");
    let parts = Parts { settings, readiness, worlds, agents, registration, gateway, spare, taken, work, desks };
    Ok(Running { ports, parts })
}

fn metrics() -> (Registry, Metrics) {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    process::register(&mut registry);
    (registry, metrics)
}

fn rules(settings: &Settings) -> Rules {
    let (insecure, zone) = (settings.insecure, settings.zone.clone());
    Rules { plaintext_beyond_loopback: insecure, seed: fastrand::u64(..), zone }
}

fn luggage(entries_max: usize, redis: Option<Arc<Redis>>, events: &Arc<Events>) -> Luggage {
    let shared = redis.map(|redis| redis as Arc<dyn Store>);
    Luggage {
        sessions: Arc::new(Sessions::new(entries_max, shared, Arc::clone(events))),
        owners: Arc::new(Owners::new(entries_max)),
    }
}

fn catalog(
    settings: &Settings,
    material: Option<&Material>,
    worlds: &Arc<Worlds>,
    events: &Arc<Events>,
    work: &mut Tasks,
) -> Arc<Catalog> {
    let caller = calls::caller(settings, material);
    let catalog = Arc::new(Catalog::new(Arc::clone(worlds), Arc::clone(events), settings.aggregate, &caller));
    work.spawn("catalog", Arc::clone(&catalog).run(work.token()));
    catalog
}

fn facade(residents: Residents, told: facade::Told, catalog: &Arc<Catalog>, work: &mut Tasks) -> Arc<Facade> {
    let facade = Arc::new(Facade::new(residents, told, Arc::clone(catalog)));
    work.spawn("facade", Arc::clone(&facade).run(work.token()));
    facade
}

/// Lets another process take over at `socket`.
fn hand_over(socket: Prepared, giver: Giver, work: &mut Tasks) -> Result<(), StartError> {
    work.spawn("handover", giver.serve(socket.publish()?, work.token()));
    Ok(())
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
