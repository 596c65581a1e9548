//! Several controls on one PostgreSQL, and proxies that know all of them.
//!
//! In: a mesh without a control, and how many there should be. Out: who leads, and controls to kill and to bring back.
//! Invariant: a control that comes back listens where it was.

use std::time::{Duration, Instant};

use ::http::Method;
use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::http;
use crate::mesh::Mesh;
use crate::postgres::Postgres;
use crate::process::Process;
use crate::wait;

pub struct Controls {
    pub database: Postgres,
    url: String,
    all: Vec<Control>,
}

struct Control {
    name: String,
    /// None: it was killed.
    process: Option<Process>,
    listen: String,
    grpc: String,
    http: String,
}

impl Controls {
    /// Starts them, and has proxies that are started from now on know all of them.
    pub async fn start(mesh: &mut Mesh, count: usize) -> Result<Self> {
        let database = Postgres::start().await?;
        let url = database.url();
        let mut all = vec![];
        for number in 1..=count {
            let name = format!("control-{number}");
            mesh.issue("control", &name).await?;
            let listen = "{grpc: \"127.0.0.1:0\", http: \"127.0.0.1:0\"}".to_owned();
            let mut control = Control { name, process: None, listen, grpc: String::new(), http: String::new() };
            control.launch(mesh, &url).await?;
            // Where it comes back, and what the others say of it once it does.
            control.listen = format!("{{grpc: \"{}\", http: \"{}\"}}", control.grpc, control.http);
            all.push(control);
        }
        let grpc: Vec<&str> = all.iter().map(|control| control.grpc.as_str()).collect();
        mesh.reach(&grpc.join(","), all.first().map_or("", |control| &control.http));
        Ok(Self { database, url, all })
    }

    fn running(&self) -> impl Iterator<Item = &Control> {
        self.all.iter().filter(|control| control.process.is_some())
    }

    /// The one that leads, once there is one.
    async fn leader(&self) -> Result<&Control> {
        wait::until("a leader", async || {
            for control in self.running() {
                if control.says("role").await? == "leader" {
                    return Ok(control);
                }
            }
            anyhow::bail!("all follow")
        })
        .await
    }

    /// As when its machine is lost; how long it took until another one led.
    pub async fn kill_leader(&mut self) -> Result<Duration> {
        let name = self.leader().await?.name.clone();
        let leader = self.all.iter_mut().find(|control| control.name == name).context("it leads")?;
        let mut process = leader.process.take().context("it runs")?;
        let began = Instant::now();
        process.kill().await?;
        ensure!(self.leader().await?.name != name, "it was killed");
        Ok(began.elapsed())
    }

    /// Brings back whatever was killed.
    pub async fn bring_back(&mut self, mesh: &Mesh) -> Result<()> {
        for control in self.all.iter_mut().filter(|control| control.process.is_none()) {
            control.launch(mesh, &self.url).await?;
        }
        Ok(())
    }

    /// Waits until the one that leads says whether its store takes what is written.
    pub async fn stores(&self, does: bool) -> Result<()> {
        wait::until(&format!("storing is {does}"), async || {
            let storing = self.leader().await?.says("storing").await?;
            ensure!(storing == does, "{storing}");
            Ok(())
        })
        .await
    }

    /// Asks the one that leads for a new key of session ids; the status of its answer.
    pub async fn rotate_key(&self) -> Result<u16> {
        let url = format!("http://{}/v1/session-keys", self.leader().await?.http);
        Ok(http::send(Method::POST, &url, &[], "").await?.status.as_u16())
    }

    /// Waits until every control serves the same snapshot.
    pub async fn agree(&self) -> Result<()> {
        wait::until("all serve the same snapshot", async || {
            let mut serials = vec![];
            for control in self.running() {
                serials.push(control.says("serial").await?);
            }
            ensure!(serials.iter().all(|serial| Some(serial) == serials.first()), "{serials:?}");
            Ok(())
        })
        .await
    }
}

impl Control {
    async fn launch(&mut self, mesh: &Mesh, url: &str) -> Result<()> {
        let file = mesh.file(&format!("{}/control.yaml", self.name));
        let text = format!(
            "listen: {}\nstore: \"{url}\"\nidentity: {{certificate: control.pem, key: control.key, authority: ca.pem}}\n\
             log: {{level: debug, format: text}}\n",
            self.listen
        );
        std::fs::write(&file, text)?;
        let (process, ports) = mesh.serve("control", &self.name, &file, None).await?;
        let port = |name: &str| Some(ports.get(name)?.as_str()?.to_owned());
        self.grpc = port("grpc").context("no grpc")?;
        self.http = port("http").context("no http")?;
        self.process = Some(process);
        Ok(())
    }

    /// One field of what it says of itself.
    async fn says(&self, field: &str) -> Result<Value> {
        let told = http::get(&format!("http://{}/v1/leader", self.http)).await?.json()?;
        Ok(told.get(field).cloned().unwrap_or_default())
    }
}
