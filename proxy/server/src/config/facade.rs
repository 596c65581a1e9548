//! `facade:` of the file: whether agents of mcp-mesh may join, how many, and where they may listen.
//!
//! In: what is written. Out: [`Facade`], or none where it is switched off, or the key that is wrong.

use std::net::IpAddr;

use outrigger_config::ConfigError;

use super::file::FacadeFile;
use super::settings::Facade;
use super::value::{at_most, refused, size};

pub(super) fn facade(file: &FacadeFile) -> Result<Option<Facade>, ConfigError> {
    let agents_max = size("facade.agents_max", file.agents_max, 1..=1_000, 64)?;
    at_most("facade.allow_hosts", &file.allow_hosts)?;
    let address = |(at, text): (usize, &String)| {
        let wrong = || refused(format!("facade.allow_hosts[{at}]"), format!("`{text}` is no IP address"));
        text.parse::<IpAddr>().map_err(|_| wrong())
    };
    let allow_hosts = file.allow_hosts.iter().enumerate().map(address).collect::<Result<Vec<_>, _>>()?;
    Ok(file.enabled.unwrap_or(true).then_some(Facade { agents_max, allow_hosts }))
}
