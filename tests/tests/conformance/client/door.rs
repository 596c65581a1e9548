//! Stands a mesh in front of the suite's servers, one by one, as their URLs become known.
//!
//! In: connections of `tests/agents/through.sh`, each with the URL of one scenario's server. Out: what the client is to use
//! instead, for as long as the connection lasts.
//! Rule: the agent is only looked at (`ask: false`). A request of ours to learn what it offers would be counted by the suite as
//! the client's.
//! Invariant: every scenario has a proxy and an agent name of its own; nothing of one is seen by another.

use std::rc::Rc;

use anyhow::{Context, Result};
use outrigger_tests::mesh::{Mesh, Proxy, Shape};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, spawn_local};

/// The suite's servers, whatever their ports.
pub const FORWARD: &str = "forward: {allow: [\"localhost:*\", \"127.0.0.1:*\"]}";

/// How the client finds the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// By the URL of a route at the calling proxy; from there over mTLS to the proxy beside the agent.
    Url,
    /// By the agent's own URL; the proxy beside it is the client's HTTP proxy.
    HttpProxy,
}

pub struct Door {
    pub address: String,
    keeper: JoinHandle<()>,
}

impl Door {
    /// Opens it; to be called inside a `LocalSet`.
    pub async fn open(sign: Sign) -> Result<Self> {
        let mut mesh = Mesh::new().await?;
        mesh.start_control().await?;
        let caller = mesh.start_proxy(&Shape::calling("caller", "agent/desk")).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (mesh, caller) = (Rc::new(mesh), Rc::new(caller));
        let keeper = spawn_local(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                let (mesh, caller) = (Rc::clone(&mesh), Rc::clone(&caller));
                spawn_local(async move {
                    if let Err(error) = host(&mesh, &caller, sign, visitor).await {
                        eprintln!("no mesh for a scenario: {error:#}");
                    }
                });
            }
        });
        Ok(Self { address, keeper })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn host(mesh: &Mesh, caller: &Proxy, sign: Sign, visitor: TcpStream) -> Result<()> {
    let mut visitor = BufReader::new(visitor);
    let mut url = String::new();
    visitor.read_line(&mut url).await?;
    let url = url.trim();
    let agent = name_for(url)?;
    let mut beside = mesh.start_proxy(&shape(&agent, url, sign)).await?;
    let answer = match sign {
        Sign::Url => {
            caller.sees(&agent, 1).await?;
            caller.url(&agent)
        }
        Sign::HttpProxy => {
            beside.sees(&agent, 1).await?;
            format!("{url} http://{}", beside.outbound)
        }
    };
    visitor.write_all(format!("{answer}\n").as_bytes()).await?;
    visitor.read_to_end(&mut Vec::new()).await?;
    beside.process.kill().await
}

/// One server is one port.
fn name_for(url: &str) -> Result<String> {
    let port = url.split(':').nth(2).and_then(|rest| rest.split('/').next());
    Ok(format!("scenario-{}", port.with_context(|| format!("no port in `{url}`"))?))
}

fn shape(agent: &str, url: &str, sign: Sign) -> Shape {
    let identity = format!("agent/{agent}");
    let agents = format!("agents: [{{name: {agent}, replica: {agent}-1, url: \"{url}\", probe: {{ask: false}}}}]");
    let shape = Shape::calling(&format!("{agent}-proxy"), &identity).with(&agents);
    match sign {
        Sign::Url => shape,
        // The authorization server is none of the mesh's, and the client reaches it through the same HTTP proxy.
        Sign::HttpProxy => shape.with(FORWARD),
    }
}
