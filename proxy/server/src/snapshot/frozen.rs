//! The last good snapshot without a control to ask: read once, and never renewed.
//!
//! In: the path of the last good file. Out: what it holds, else what the file before it holds, else nothing.
//! Invariant: a broken file is told and passed over; it never keeps the proxy from starting.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use outrigger_client::last_good;
use outrigger_client::staging::Staging;
use outrigger_model::manifest::Manifest;
use outrigger_model::snapshot::Snapshot;
use tracing::{info, warn};

/// A snapshot and the manifest that made it whole.
#[derive(Debug, Clone)]
pub struct Frozen {
    pub snapshot: Arc<Snapshot>,
    pub manifest: Manifest,
}

/// Reads the newest whole file.
pub async fn load(path: PathBuf) -> Option<Frozen> {
    tokio::task::spawn_blocking(move || newest(&path)).await.ok().flatten()
}

fn newest(path: &Path) -> Option<Frozen> {
    [path.to_owned(), last_good::previous(path)].iter().find_map(|path| match read(path) {
        Ok(None) => None,
        Ok(Some(frozen)) => {
            info!(file = %path.display(), serial = %frozen.manifest.serial, "serving from the last good file");
            Some(frozen)
        }
        Err(reason) => {
            warn!(file = %path.display(), reason, "last good file not used");
            None
        }
    })
}

fn read(path: &Path) -> Result<Option<Frozen>, String> {
    let Some(image) = last_good::read(path).map_err(|error| error.to_string())? else { return Ok(None) };
    let proposal = Staging::default().stage_message(image.message).map_err(|error| error.to_string())?;
    Ok(Some(Frozen { snapshot: Arc::clone(&proposal.next.snapshot), manifest: proposal.manifest }))
}
