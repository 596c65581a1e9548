//! How the own agent is probed, as it is written: times, thresholds, and at most one check beside its port.
//!
//! In: `probe` and `health_check` of an agent, its URL. Out: a [`Probe`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use outrigger_config::ConfigError;

use super::file::{CommandFile, PageFile, ProbeFile};
use super::settings::{AgentUrl, Check, Command, Page, Probe};
use super::value::{refused, within};

/// Most values of one page that are compared.
const VALUES_MAX: usize = 16;
/// Most words of a command.
const WORDS_MAX: usize = 64;

pub(super) fn probe(
    file: &ProbeFile,
    health_check: Option<&str>,
    path: &str,
    url: &AgentUrl,
    folder: &Path,
) -> Result<Probe, ConfigError> {
    let at = |key: &str| format!("{path}.probe.{key}");
    let interval = within(&at("interval_ms"), file.interval_ms, 50..=60_000, 1_000)?;
    let timeout = within(&at("timeout_ms"), file.timeout_ms, 10..=60_000, 1_000)?;
    let ask = file.ask.unwrap_or(true);
    let check = check(file, health_check, path, url, folder)?;
    if check == Check::Ping && !ask {
        let detail = "an agent that must not be asked cannot be pinged";
        return Err(ConfigError::contradiction(at("ask"), detail.to_owned(), "remove `ask: false`, or `mcp`"));
    }
    Ok(Probe {
        interval: Duration::from_millis(interval),
        timeout: Duration::from_millis(timeout),
        unhealthy_after: within(&at("unhealthy_after"), file.unhealthy_after, 1..=100, 2)?,
        healthy_after: within(&at("healthy_after"), file.healthy_after, 1..=100, 1)?,
        ask,
        check,
    })
}

fn check(
    file: &ProbeFile,
    health_check: Option<&str>,
    path: &str,
    url: &AgentUrl,
    folder: &Path,
) -> Result<Check, ConfigError> {
    let at = |key: &str| format!("{path}.probe.{key}");
    match (&file.http, &file.mcp, &file.exec, health_check) {
        (None, None, None, None) => Ok(Check::Port),
        (Some(written), None, None, None) => page(written, &at("http"), url).map(Check::Page),
        (None, Some(_), None, None) => Ok(Check::Ping),
        (None, None, Some(written), None) => command(written, &at("exec.command"), folder).map(Check::Command),
        (None, None, None, Some(page)) => {
            let url = beside(url, None, page, &format!("{path}.health_check"))?;
            Ok(Check::Page(Page { url, status: None, json: Vec::new() }))
        }
        _ => Err(ConfigError::contradiction(
            format!("{path}.probe"),
            "an agent is checked in one way".to_owned(),
            "keep one of `http`, `mcp`, `exec` and `health_check`",
        )),
    }
}

fn page(file: &PageFile, at: &str, agent: &AgentUrl) -> Result<Page, ConfigError> {
    let url = beside(agent, file.port, &file.path, &format!("{at}.path"))?;
    let status = file.status.map(|status| within(&format!("{at}.status"), Some(status), 100..=599, 200)).transpose()?;
    if file.json.len() > VALUES_MAX {
        return Err(refused(format!("{at}.json"), format!("more than {VALUES_MAX} values")));
    }
    let json = file.json.iter().map(|(key, value)| (pointer(key), value.clone())).collect();
    Ok(Page { url, status, json })
}

/// A page at the agent's host.
fn beside(agent: &AgentUrl, port: Option<u16>, page: &str, at: &str) -> Result<AgentUrl, ConfigError> {
    let is_path = page.starts_with('/') && page.parse::<http::uri::PathAndQuery>().is_ok();
    if !is_path {
        return Err(refused(at, format!("`{page}` is not a path; write it like /health")));
    }
    let port = port.filter(|port| *port > 0).unwrap_or(agent.port);
    Ok(AgentUrl { host: agent.host.clone(), port, path_and_query: page.to_owned() })
}

/// RFC 6901: `~` and `/` within a key are written `~0` and `~1`.
fn pointer(key: &str) -> String {
    match key.starts_with('/') {
        true => key.to_owned(),
        false => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
    }
}

fn command(file: &CommandFile, at: &str, folder: &Path) -> Result<Command, ConfigError> {
    match file.command.as_slice() {
        [] => Err(refused(at, "it is empty; write it like [pg_isready, -q]")),
        words if words.len() > WORDS_MAX => Err(refused(at, format!("more than {WORDS_MAX} words"))),
        [program, ..] if program.is_empty() => Err(refused(at, "the program has no name")),
        [program, arguments @ ..] => {
            let program = if program.contains('/') { folder.join(program) } else { PathBuf::from(program) };
            Ok(Command { program, arguments: arguments.to_vec() })
        }
    }
}
