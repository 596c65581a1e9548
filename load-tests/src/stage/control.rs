//! Control as a process.
//!
//! In: what its file says beside its ports. Out: its addresses, which stay the same over restarts.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::ask;
use super::part::{Part, Script, StageError, port, until};
use crate::peers::Place;

const FILE: &str = "control.yaml";
const PORTS: &str = "control.ports";
/// How long a mesh may take to agree.
const SYNC_MAX: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Control {
    pub part: Part,
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    folder: PathBuf,
    also: String,
}

impl Control {
    /// `also` are further lines of its file. What it stores goes to `folder`.
    pub async fn start(place: &Place, folder: &Path, core: usize, also: &str) -> Result<Self, StageError> {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        write(folder, free, free, also)?;
        let script = Script {
            name: "control".to_owned(),
            program: place.outrigger.clone(),
            arguments: ["control", "-f", FILE, "--ports-file", PORTS].map(str::to_owned).to_vec(),
            folder: folder.to_owned(),
            core,
        };
        let mut part = Part::start(script)?;
        let file = folder.join(PORTS);
        let ports = async || Some((port(&file, "grpc")?, port(&file, "http")?));
        let (grpc, http) = part.until("does not listen", ports).await?;
        Ok(Self { part, grpc, http, folder: folder.to_owned(), also: also.to_owned() })
    }

    /// Kills it and brings it back on the same ports; `away` is how long it stays dead.
    pub async fn restart(&mut self, away: Duration) -> Result<(), StageError> {
        self.part.kill().await?;
        tokio::time::sleep(away).await;
        write(&self.folder, self.grpc, self.http, &self.also)?;
        let file = self.folder.join(PORTS);
        fs::remove_file(&file)?;
        self.part.again()?;
        self.part.until("does not listen again", async || port(&file, "http")).await.map(drop)
    }

    pub fn pid(&self) -> Result<u32, StageError> {
        self.part.pid()
    }

    /// Of `/v1/proxies`, those on the newest snapshot, or on `serial` or a later one.
    pub async fn synced(&self, serial: Option<u64>) -> Result<usize, StageError> {
        let listed = ask::json(self.http, "/v1/proxies").await?;
        let items = listed.get("items").and_then(Value::as_array);
        let is_there = |item: &&Value| {
            let runs = item.get("serial").and_then(Value::as_u64);
            let status = item.get("status").and_then(Value::as_str);
            match serial {
                Some(serial) => status != Some("DISCONNECTED") && runs.is_some_and(|runs| runs >= serial),
                None => status == Some("SYNCED"),
            }
        };
        Ok(items.map_or(0, |items| items.iter().filter(is_there).count()))
    }

    /// Waits until so many proxies run the newest snapshot.
    pub async fn is_synced(&self, proxies: usize) -> Result<(), StageError> {
        let what = format!("{proxies} proxies run the newest snapshot");
        until(&what, SYNC_MAX, async || self.synced(None).await.is_ok_and(|count| count >= proxies)).await
    }
}

fn write(folder: &Path, grpc: SocketAddr, http: SocketAddr, also: &str) -> std::io::Result<()> {
    fs::write(folder.join(FILE), format!("listen: {{grpc: \"{grpc}\", http: \"{http}\"}}\n{also}"))
}
