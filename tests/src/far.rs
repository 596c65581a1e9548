//! A host at the other end of a wire that can be pulled: a network namespace behind a pair of virtual interfaces.
//!
//! In: nothing. Out: two addresses, a way to start programs there, and the cut.
//! After the cut nothing that is sent there is answered: no reset, no refusal, no error of a router.
//! Invariant: the namespace ends with its value, and the wire with the namespace.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// The name of the wire's far end.
const WIRE: &str = "wire";

pub struct Far {
    /// Of the namespace, and of the near end of the wire.
    pub name: String,
    /// Our address on the wire.
    pub near: String,
    /// The address of the far host.
    pub far: String,
}

impl Far {
    /// None where this machine gives us no namespaces, which is said aloud.
    pub async fn start() -> Result<Option<Self>> {
        let number = fastrand::u16(..);
        let [a, b] = (number & !3).to_be_bytes();
        let far = Self {
            name: format!("far{:x}", fastrand::u32(..)),
            // 198.18.0.0/15 is for tests of networks (RFC 2544).
            near: format!("198.18.{a}.{}", b + 1),
            far: format!("198.18.{a}.{}", b + 2),
        };
        if let Err(error) = ip(&["netns", "add", &far.name]).await {
            eprintln!("SKIPPED: a silent host needs network namespaces, and this machine gives none: {error:#}");
            return Ok(None);
        }
        far.wire().await.context("a wire to a namespace")?;
        Ok(Some(far))
    }

    async fn wire(&self) -> Result<()> {
        let Self { name, near, far } = self;
        ip(&["link", "add", name, "type", "veth", "peer", "name", WIRE, "netns", name]).await?;
        ip(&["address", "add", &format!("{near}/30"), "dev", name]).await?;
        ip(&["link", "set", name, "up"]).await?;
        ip(&["-n", name, "address", "add", &format!("{far}/30"), "dev", WIRE]).await?;
        ip(&["-n", name, "link", "set", WIRE, "up"]).await?;
        ip(&["-n", name, "link", "set", "lo", "up"]).await?;
        // A neighbour that is not there is told at once on one wire, and never behind a switch; so it is not asked for.
        let shown = ip(&["-n", name, "-brief", "link", "show", WIRE]).await?;
        let hardware = shown.split_whitespace().nth(2).with_context(|| format!("no address in `{shown}`"))?;
        ip(&["neighbour", "replace", far, "lladdr", hardware, "dev", name, "nud", "permanent"]).await?;
        Ok(())
    }

    /// Pulls the wire.
    pub async fn cut(&self) -> Result<()> {
        ip(&["-n", &self.name, "link", "set", WIRE, "down"]).await.map(drop)
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = std::process::Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

/// A program, in a namespace if there is one; it keeps the process it was started as.
pub fn command(program: &Path, namespace: Option<&str>) -> Command {
    let Some(namespace) = namespace else { return Command::new(program) };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(program);
    command
}

async fn ip(words: &[&str]) -> Result<String> {
    let done = Command::new("ip").args(words).output().await.context("start ip")?;
    if !done.status.success() {
        let mut said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        write!(said, " (ip {})", words.join(" "))?;
        bail!(said);
    }
    Ok(String::from_utf8(done.stdout)?)
}
