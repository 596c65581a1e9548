//! What is sent of views, for replicas that did not make it; and which views such replicas need.
//!
//! In: what is held of each view. Out: what is newer, as it was at one moment.
//! Invariant: a body that does not match its digest is not handed out.

use std::collections::BTreeMap;
use std::fmt;

use outrigger_control_core::snapshot::ledger::{Entry, ResourceKey};
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::digest::Digest;
use outrigger_model::name::Namespace;
use outrigger_model::resource::{Epoch, ResourceKind, Serial};
use sqlx::{Connection, Executor, PgConnection};

use super::super::number::signed;

/// Wakes the leader.
pub const WANTED: &str = "outrigger_wanted";
/// More than all views there may be at once.
const WANTED_MAX: i64 = 2_000;

/// What is held of one view; none: nothing.
#[derive(Debug, Clone)]
pub struct Held {
    pub view: ViewKey,
    pub edition: Option<(Epoch, Serial, usize)>,
}

/// One view that is newer than what is held.
#[derive(Clone)]
pub struct Served {
    pub view: ViewKey,
    pub epoch: Epoch,
    pub serial: Serial,
    pub manifest: Vec<u8>,
    /// Whether `changed` is all there is, and not what changed since.
    pub is_whole: bool,
    pub changed: BTreeMap<ResourceKey, (Entry, Vec<u8>)>,
    /// Every name, where some of those that are held may have gone.
    pub names: Option<Vec<ResourceKey>>,
}

impl fmt::Debug for Served {
    /// Bodies may hold keys.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Served({} at {}, {} bodies)", self.view, self.serial, self.changed.len())
    }
}

/// A view that somebody watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub view: ViewKey,
    pub is_for_proxies: bool,
    pub namespace: Namespace,
    pub needs: Vec<String>,
}

pub async fn served(connection: &mut PgConnection, held: &[Held]) -> Result<Vec<Served>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let query = "SELECT epoch FROM meta WHERE id = 1";
    let epoch: i64 = sqlx::query_scalar(query).fetch_one(&mut *transaction).await?;
    let epoch = Epoch(u32::try_from(epoch).unwrap_or_default());
    let mut all = Vec::new();
    for one in held {
        all.extend(view(&mut transaction, epoch, one).await?);
    }
    transaction.commit().await?;
    Ok(all)
}

async fn view(connection: &mut PgConnection, epoch: Epoch, held: &Held) -> Result<Option<Served>, sqlx::Error> {
    let query = "SELECT serial, manifest FROM view WHERE view = $1 AND manifest IS NOT NULL";
    let row: Option<(i64, Vec<u8>)> =
        sqlx::query_as(query).bind(held.view.as_str()).fetch_optional(&mut *connection).await?;
    let Some((serial, manifest)) = row else { return Ok(None) };
    let serial = Serial(serial.unsigned_abs());
    let known = held.edition.filter(|(known, ..)| *known == epoch);
    if known.is_some_and(|(_, known, _)| known == serial) {
        return Ok(None);
    }
    let (since, len) = known.map_or((-1, 0), |(_, since, len)| (signed(since.0), len));
    let changed = changed(connection, &held.view, since).await?;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger WHERE view = $1")
        .bind(held.view.as_str())
        .fetch_one(&mut *connection)
        .await?;
    // What changed may be new or not; only where nothing is new and the number is the same, nothing went.
    let is_same = known.is_some() && usize::try_from(count) == Ok(len) && changed.is_empty();
    let names = if is_same { None } else { Some(names(connection, &held.view).await?) };
    Ok(Some(Served { view: held.view.clone(), epoch, serial, manifest, is_whole: known.is_none(), changed, names }))
}

/// Kind, name, digest, serial, bytes.
type BodyRow = (String, String, Vec<u8>, i64, Vec<u8>);

/// A row without its body, or with another, is left out; who puts the view together notices that it is not whole.
async fn changed(
    connection: &mut PgConnection,
    view: &ViewKey,
    since: i64,
) -> Result<BTreeMap<ResourceKey, (Entry, Vec<u8>)>, sqlx::Error> {
    let rows: Vec<BodyRow> = sqlx::query_as(
        "SELECT ledger.kind, ledger.name, ledger.digest, ledger.serial, blob.bytes
         FROM ledger JOIN blob ON blob.digest = ledger.digest WHERE ledger.view = $1 AND ledger.serial > $2",
    )
    .bind(view.as_str())
    .bind(since)
    .fetch_all(connection)
    .await?;
    let read = |(kind, name, digest, serial, bytes): BodyRow| {
        let digest = Digest::from_bytes(&digest).filter(|digest| Digest::of(&bytes) == *digest)?;
        let entry = Entry { digest, serial: Serial(serial.unsigned_abs()) };
        Some(((ResourceKind::parse(&kind)?, name), (entry, bytes)))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

async fn names(connection: &mut PgConnection, view: &ViewKey) -> Result<Vec<ResourceKey>, sqlx::Error> {
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT kind, name FROM ledger WHERE view = $1")
        .bind(view.as_str())
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().filter_map(|(kind, name)| Some((ResourceKind::parse(&kind)?, name))).collect())
}

pub async fn want(connection: &mut PgConnection, wanted: &[Wanted]) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    for one in wanted {
        sqlx::query(
            "INSERT INTO wanted (view, audience, namespace, needs, until) VALUES ($1, $2, $3, $4, now() + INTERVAL '1 minute')
             ON CONFLICT (view) DO UPDATE SET until = excluded.until",
        )
        .bind(one.view.as_str())
        .bind(if one.is_for_proxies { "proxies" } else { "observers" })
        .bind(one.namespace.as_str())
        .bind(&one.needs)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.execute("DELETE FROM wanted WHERE until < now()").await?;
    sqlx::query("SELECT pg_notify($1, '')").bind(WANTED).execute(&mut *transaction).await?;
    transaction.commit().await
}

pub async fn wanted(connection: &mut PgConnection) -> Result<Vec<Wanted>, sqlx::Error> {
    let rows: Vec<(String, String, String, Vec<String>)> = sqlx::query_as(
        "SELECT view, audience, namespace, needs FROM wanted WHERE until >= now() ORDER BY view LIMIT $1",
    )
    .bind(WANTED_MAX)
    .fetch_all(connection)
    .await?;
    let read = |(view, audience, namespace, needs): (String, String, String, Vec<String>)| {
        let namespace = Namespace::new(&namespace).ok()?;
        Some(Wanted { view: ViewKey::stored(&view), is_for_proxies: audience == "proxies", namespace, needs })
    };
    // A row that makes no sense was written from outside; nobody waits for it.
    Ok(rows.into_iter().filter_map(read).collect())
}
