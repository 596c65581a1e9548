//! A real Redis of our own, on loopback, that writes nothing to disk.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::part::{Part, Script, StageError};
use crate::peers::Place;
use crate::peers::place::free_address;

#[derive(Debug)]
pub struct Redis {
    pub part: Part,
    address: SocketAddr,
}

impl Redis {
    pub async fn start(place: &Place, folder: &Path) -> Result<Self, StageError> {
        let missing = || StageError::Missing("redis-server".to_owned(), "run tests/setup.sh");
        let program: PathBuf = place.program("redis-server").ok_or_else(missing)?;
        let address = free_address()?;
        let port = address.port().to_string();
        let arguments = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port];
        let script = Script {
            name: "redis".to_owned(),
            program,
            arguments: arguments.map(str::to_owned).to_vec(),
            folder: folder.to_owned(),
            core: place.cores.agent,
        };
        let mut redis = Self { part: Part::start(script)?, address };
        redis.is_ready().await?;
        Ok(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// Comes back where it was, with nothing in it.
    pub async fn again(&mut self) -> Result<(), StageError> {
        self.part.again()?;
        self.is_ready().await
    }

    /// What it says it uses, without what the allocator keeps for later.
    pub async fn used_bytes(&self) -> Result<u64, StageError> {
        let said = ask(self.address, "INFO memory").await?;
        Ok(said.lines().find_map(|line| line.strip_prefix("used_memory:")?.trim().parse().ok()).unwrap_or_default())
    }

    pub async fn keys(&self) -> Result<u64, StageError> {
        number(&ask(self.address, "DBSIZE").await?)
    }

    /// Bytes of one key, by chance, with all that belongs to it.
    pub async fn bytes_of_any(&self) -> Result<u64, StageError> {
        let said = ask(self.address, "RANDOMKEY").await?;
        let key = said.lines().nth(1).unwrap_or_default().to_owned();
        number(&ask(self.address, &format!("MEMORY USAGE {key}")).await?)
    }

    async fn is_ready(&mut self) -> Result<(), StageError> {
        let address = self.address;
        self.part
            .until("does not answer", async || pong(address).await.ok().filter(|is_there| *is_there))
            .await
            .map(drop)
    }
}

async fn pong(address: SocketAddr) -> std::io::Result<bool> {
    Ok(ask(address, "PING").await?.contains("PONG"))
}

/// One command as it is typed; the reply as it came.
async fn ask(address: SocketAddr, command: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    Ok(reply)
}

/// An integer as Redis writes it, `:12`.
fn number(reply: &str) -> Result<u64, StageError> {
    let first = reply.lines().next().unwrap_or_default();
    let number = first.strip_prefix(':').and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| StageError::InVain(format!("Redis answers with a number and not with `{first}`")))
}
