//! From what is written to what runs: defaults, checks, relative paths, and contradictions.
//!
//! In: a [`Written`] file with where it lies. Out: [`Settings`], or the key that is wrong and what to do.
//! Invariant: plaintext beyond loopback is settled here: either the operator said `insecure: true`, or it does not start.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outrigger_config::ConfigError;
use outrigger_model::label::Labels;
use outrigger_model::name::NodeId;
use outrigger_model::requirement::Dependency;

use super::agent::{agents, zone};
use super::facade::facade;
use super::file::{AggregateFile, DrainFile, LimitsFile, ListenFile, ProxyFile, SessionsFile};
use super::forward::forward;
use super::overload::overload;
use super::plaintext;
use super::redis::redis;
use super::settings::{Aggregate, Drain, IdentitySource, Limits, Listen, Sessions, Settings};
use super::value::{at_most, parsed, refused, size, within};

/// Replicas of control; five are many.
const CONTROLS_MAX: usize = 16;

/// A parsed file, and what it is resolved against.
#[derive(Debug, Clone, Default)]
pub struct Written {
    pub file: ProxyFile,
    /// Relative paths start here.
    pub folder: PathBuf,
    /// For default ids.
    pub host_name: String,
    /// Where the environment says Redis is, if the file does not.
    pub redis_url: Option<String>,
}

impl TryFrom<Written> for Settings {
    type Error = ConfigError;

    fn try_from(written: Written) -> Result<Self, ConfigError> {
        let Written { file, folder, host_name, redis_url } = written;
        let seed = file.node.clone().unwrap_or_else(|| host_name.clone());
        let zone = zone(file.zone)?;
        let agents = agents(&file.agents, &seed, &zone, &folder)?;
        let node = match (&file.node, agents.first()) {
            (Some(node), _) => parsed("node", node)?,
            (None, Some(agent)) => parsed("node", agent.replica.as_str())?,
            (None, None) => NodeId::new(&name_safe(&host_name)).map_err(|error| ConfigError::value("node", &error))?,
        };
        let listen = listen(&file.listen, file.identity.is_some() || file.insecure)?;
        let identity = match file.identity {
            None => IdentitySource::None,
            Some(files) => IdentitySource::Files {
                certificate: folder.join(files.certificate),
                key: folder.join(files.key),
                authority: folder.join(files.authority),
            },
        };
        let settings = Self {
            node,
            zone,
            labels: Labels::parse(&file.labels).map_err(|error| ConfigError::value("labels", &error))?,
            agents,
            needs: needs(&file.needs)?,
            only_needs: only_needs(file.view.as_deref())?,
            listen,
            advertise: file.advertise.as_deref().map(advertise).transpose()?,
            control: file.control.map_or_else(|| Ok(Vec::new()), |control| control_addresses(&control.address))?,
            identity,
            insecure: file.insecure,
            sessions: sessions(file.sessions, redis_url, &folder)?,
            snapshot_file: file.snapshot.file.filter(|file| !file.is_empty()).map(|file| folder.join(file)),
            limits: limits(&file.limits)?,
            overload: overload(&file.overload)?,
            aggregate: aggregate(&file.aggregate)?,
            allowed_hosts: lower_case("allowed_hosts", &file.allowed_hosts, |host| !host.contains('/'))?,
            allowed_origins: lower_case("allowed_origins", &file.allowed_origins, is_origin)?,
            forward: forward(&file.forward)?,
            facade: facade(&file.facade)?,
            drain: drain(&file.drain)?,
            handover_socket: file.handover.socket.filter(|path| !path.is_empty()).map(|path| folder.join(path)),
            log: file.log.into(),
            threads: within("threads", file.threads, 1..=256, 2)?.into(),
        };
        plaintext::judge(&settings)?;
        Ok(settings)
    }
}

fn name_safe(host_name: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-') { letter } else { '-' };
    let name: String = host_name.chars().map(safe).take(64).collect();
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "proxy".to_owned() } else { name.to_owned() }
}

fn only_needs(view: Option<&str>) -> Result<bool, ConfigError> {
    match view {
        None | Some("all") => Ok(false),
        Some("needs") => Ok(true),
        Some(other) => Err(refused("view", format!("`{other}` is not all or needs"))),
    }
}

fn needs(texts: &[String]) -> Result<Vec<Dependency>, ConfigError> {
    at_most("needs", texts)?;
    let mut needs: Vec<Dependency> = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        let need: Dependency = parsed(&format!("needs[{at}]"), text)?;
        if needs.iter().any(|other| other.alias == need.alias) {
            let detail = format!("`{}` already stands for another requirement", need.alias);
            return Err(ConfigError::contradiction(format!("needs[{at}]"), detail, "put another `alias=` in front"));
        }
        needs.push(need);
    }
    Ok(needs)
}

fn address(path: &str, text: Option<&str>, default: &str) -> Result<SocketAddr, ConfigError> {
    let text = text.unwrap_or(default);
    text.parse().map_err(|_| refused(path, format!("`{text}` is not an address; write ip:port, such as {default}")))
}

fn listen(file: &ListenFile, beyond_loopback: bool) -> Result<Listen, ConfigError> {
    let inbound = if beyond_loopback { "0.0.0.0:17006" } else { "127.0.0.1:17006" };
    let listen = Listen {
        outbound: address("listen.outbound", file.outbound.as_deref(), "127.0.0.1:17001")?,
        inbound: address("listen.inbound", file.inbound.as_deref(), inbound)?,
        admin: address("listen.admin", file.admin.as_deref(), "127.0.0.1:17000")?,
        health: address("listen.health", file.health.as_deref(), "0.0.0.0:17020")?,
    };
    let all = [
        ("listen.outbound", listen.outbound),
        ("listen.inbound", listen.inbound),
        ("listen.admin", listen.admin),
        ("listen.health", listen.health),
    ];
    for (at, (path, address)) in all.iter().enumerate() {
        if let Some((other, _)) = all.iter().take(at).find(|(_, other)| address.port() != 0 && other == address) {
            return Err(ConfigError::contradiction(
                *path,
                format!("{address} is `{other}`, too"),
                "give each its own port",
            ));
        }
    }
    Ok(listen)
}

fn advertise(text: &str) -> Result<SocketAddr, ConfigError> {
    let address = address("advertise", Some(text), "10.0.0.5:17006")?;
    if address.port() == 0 || address.ip().is_unspecified() {
        let hint = "write the address that other proxies can dial, or leave it out";
        return Err(ConfigError::contradiction("advertise", format!("nobody can dial {address}"), hint));
    }
    Ok(address)
}

fn control_addresses(text: &str) -> Result<Vec<String>, ConfigError> {
    let all: Vec<String> = text.split(',').map(|address| address.trim().to_owned()).collect();
    if all.len() > CONTROLS_MAX {
        return Err(refused("control.address", format!("{} addresses are more than {CONTROLS_MAX}", all.len())));
    }
    for address in &all {
        let authority: Option<http::uri::Authority> = address.parse().ok();
        let has_both = authority
            .is_some_and(|authority| !authority.host().is_empty() && authority.port_u16().is_some_and(|port| port > 0));
        if !has_both || address.contains('@') {
            let text = format!("`{address}` is not host:port; write it like 127.0.0.1:17010");
            return Err(refused("control.address", text));
        }
    }
    Ok(all)
}

fn sessions(file: SessionsFile, from_environment: Option<String>, folder: &Path) -> Result<Sessions, ConfigError> {
    Ok(Sessions {
        redis: redis(file.redis, file.redis_url, from_environment, folder)?,
        key_prefix: file.key_prefix.unwrap_or_else(|| "session:".to_owned()),
        entries_max: size("sessions.entries_max", file.entries_max, 1..=10_000_000, 100_000)?,
        redis_timeout: Duration::from_millis(within(
            "sessions.redis_timeout_ms",
            file.redis_timeout_ms,
            1..=5_000,
            50,
        )?),
    })
}

fn limits(file: &LimitsFile) -> Result<Limits, ConfigError> {
    Ok(Limits {
        body_bytes_max: size("limits.body_bytes_max", file.body_bytes_max, 1..=1 << 30, 16 << 20)?,
        header_bytes_max: size("limits.header_bytes_max", file.header_bytes_max, 1_024..=1 << 20, 64 << 10)?,
        connections_max: size("limits.connections_max", file.connections_max, 1..=1_000_000, 10_000)?,
        head_time: Duration::from_millis(within("limits.head_ms", file.head_ms, 10..=600_000, 10_000)?),
        body_grace: Duration::from_millis(within("limits.body_grace_ms", file.body_grace_ms, 10..=600_000, 5_000)?),
        body_bytes_per_second_min: within(
            "limits.body_bytes_per_second_min",
            file.body_bytes_per_second_min,
            1..=1 << 20,
            256,
        )?,
    })
}

fn drain(file: &DrainFile) -> Result<Drain, ConfigError> {
    let grace = within("drain.grace_seconds", file.grace_seconds, 0..=3_600, 10)?;
    let agent = within("drain.agent_seconds", file.agent_seconds, 0..=3_600, 1)?;
    let (grace, agent) = (Duration::from_secs(grace), Duration::from_secs(agent));
    // The grace is for all of the end.
    Ok(Drain { grace, agent: agent.min(grace) })
}

fn aggregate(file: &AggregateFile) -> Result<Aggregate, ConfigError> {
    let seconds = within("aggregate.refresh_seconds", file.refresh_seconds, 1..=3_600, 30)?;
    let milliseconds = within("aggregate.deadline_ms", file.deadline_ms, 100..=60_000, 5_000)?;
    Ok(Aggregate {
        page_size: size("aggregate.page_size", file.page_size, 1..=10_000, 1_000)?,
        refresh: Duration::from_secs(seconds),
        deadline: Duration::from_millis(milliseconds),
    })
}

fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        matches!(scheme, "http" | "https") && rest.parse::<http::uri::Authority>().is_ok() && !rest.contains('/')
    })
}

fn lower_case(path: &str, texts: &[String], fits: impl Fn(&str) -> bool) -> Result<Vec<String>, ConfigError> {
    at_most(path, texts)?;
    let bad = |at: usize, text: &str| {
        let example = if path == "allowed_hosts" { "proxy.example.com:17001" } else { "https://app.example.com" };
        refused(format!("{path}[{at}]"), format!("`{text}` cannot match; write it like {example}"))
    };
    let lower = texts.iter().enumerate().map(|(at, text)| {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() || !fits(&text) { Err(bad(at, &text)) } else { Ok(text) }
    });
    lower.collect()
}
