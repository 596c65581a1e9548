//! Where Redis is, how it is spoken to, and who the proxy is there.
//!
//! In: what is written under `sessions`, and `REDIS_URL`. Out: [`Redis`], or the key that is wrong and what to do.
//! Never here: reading files, connections.
//! Invariant: passwords are shown by nothing, and a combination of keys that means nothing is refused.

use std::fmt;
use std::path::{Path, PathBuf};

use outrigger_config::ConfigError;
use redis::{ConnectionAddr, IntoConnectionInfo};

use super::file::{PasswordText, RedisFile, SentinelFile};
use super::value::{at_most, refused};

const EXAMPLE: &str = "not a URL of Redis; write it like redis://127.0.0.1:6379";

/// A Redis, in one of three forms.
#[derive(Clone, PartialEq, Eq)]
pub struct Redis {
    pub nodes: Nodes,
    pub login: Login,
    pub tls: Tls,
}

/// Whom to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nodes {
    Single(RedisUrl),
    /// The sentinels say which node is the primary.
    Sentinel {
        sentinels: Vec<RedisUrl>,
        primary: String,
        login: Login,
    },
    /// Some of the nodes; they name the others.
    Cluster(Vec<RedisUrl>),
}

/// A URL of Redis; it may hold a password, so it is shown without one.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    text: String,
    /// Scheme, host and port.
    shown: String,
    is_tls: bool,
}

/// Who the proxy is; what is none here may stand in the URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    pub username: Option<String>,
    pub password: Option<Password>,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    Text(PasswordText),
    File(PathBuf),
}

/// PEM files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// None means the authorities of the system.
    pub authority: Option<PathBuf>,
    pub client: Option<ClientFiles>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// None keeps bindings in memory only.
pub(super) fn redis(
    file: RedisFile,
    url: Option<String>,
    from_environment: Option<String>,
    folder: &Path,
) -> Result<Option<Redis>, ConfigError> {
    let RedisFile { urls, sentinel, cluster, username, password, password_file, ca_file, certificate, key } = file;
    at_most("sessions.redis.urls", &urls)?;
    let says_how = sentinel.is_some() || cluster || username.is_some() || password.is_some() || password_file.is_some();
    let is_off = url.as_deref() == Some("");
    let urls = match (urls.is_empty(), url.filter(|url| !url.is_empty())) {
        (false, Some(_)) => return Err(twice("sessions.redis.urls", "sessions.redis_url")),
        (false, None) => {
            let each = |(at, text): (usize, String)| parsed(&format!("sessions.redis.urls[{at}]"), text);
            urls.into_iter().enumerate().map(each).collect::<Result<Vec<_>, _>>()?
        }
        (true, Some(url)) => vec![parsed("sessions.redis_url", url)?],
        (true, None) if is_off => return Ok(None),
        (true, None) => match from_environment.filter(|url| !url.is_empty()) {
            Some(url) => vec![parsed("REDIS_URL", url)?],
            None if says_how => {
                let detail = "it says how, but not where";
                return Err(ConfigError::contradiction("sessions.redis", detail, "write its `urls`, too"));
            }
            None => return Ok(None),
        },
    };
    let all_tls = urls.iter().all(|url| url.is_tls);
    if !all_tls && urls.iter().any(|url| url.is_tls) {
        let detail = "some are TLS and some are not";
        return Err(ConfigError::contradiction("sessions.redis.urls", detail, "write rediss:// before all of them"));
    }
    let tls = tls(ca_file, certificate, key, folder)?;
    if !all_tls && tls != Tls::default() {
        let hint = "write rediss:// in its URL, or leave `ca_file`, `certificate` and `key` out";
        return Err(ConfigError::contradiction("sessions.redis", "it has certificates, but no TLS", hint));
    }
    let login = login("sessions.redis", username, password, password_file, folder)?;
    Ok(Some(Redis { nodes: nodes(urls, sentinel, cluster, folder)?, login, tls }))
}

fn nodes(
    mut urls: Vec<RedisUrl>,
    sentinel: Option<SentinelFile>,
    cluster: bool,
    folder: &Path,
) -> Result<Nodes, ConfigError> {
    match (sentinel, cluster) {
        (Some(_), true) => Err(twice("sessions.redis.sentinel", "sessions.redis.cluster")),
        (Some(sentinel), false) => {
            let SentinelFile { master, username, password, password_file } = sentinel;
            if master.is_empty() {
                return Err(refused("sessions.redis.sentinel.master", "empty; write the name that the sentinels know"));
            }
            let login = login("sessions.redis.sentinel", username, password, password_file, folder)?;
            Ok(Nodes::Sentinel { sentinels: urls, primary: master, login })
        }
        (None, true) => Ok(Nodes::Cluster(urls)),
        (None, false) => match urls.pop() {
            Some(url) if urls.is_empty() => Ok(Nodes::Single(url)),
            _ => {
                let hint = "say `cluster: true`, or `sentinel: {master: NAME}` if they are sentinels";
                Err(ConfigError::contradiction("sessions.redis.urls", "several nodes that nothing joins", hint))
            }
        },
    }
}

/// The text may hold a password, so no refusal shows it.
fn parsed(path: &str, text: String) -> Result<RedisUrl, ConfigError> {
    let bad = || refused(path, EXAMPLE);
    let url = redis::parse_redis_url(&text).ok_or_else(bad)?;
    let info = text.as_str().into_connection_info().map_err(|_| bad())?;
    let is_tls = match info.addr() {
        ConnectionAddr::TcpTls { insecure: true, .. } => {
            return Err(refused(path, "certificates are always verified; remove `#insecure`"));
        }
        ConnectionAddr::TcpTls { .. } => true,
        _ => false,
    };
    let host = url.host_str().unwrap_or("socket");
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let scheme = if is_tls { "rediss" } else { "redis" };
    Ok(RedisUrl { shown: format!("{scheme}://{host}{port}"), text, is_tls })
}

fn login(
    path: &str,
    username: Option<String>,
    password: Option<PasswordText>,
    file: Option<String>,
    folder: &Path,
) -> Result<Login, ConfigError> {
    let filled = |text: &String| !text.is_empty();
    let password = match (password.filter(|text| filled(&text.0)), file.filter(filled)) {
        (Some(_), Some(_)) => return Err(twice(&format!("{path}.password"), &format!("{path}.password_file"))),
        (Some(text), None) => Some(Password::Text(text)),
        (None, Some(file)) => Some(Password::File(folder.join(file))),
        (None, None) => None,
    };
    Ok(Login { username: username.filter(filled), password })
}

fn tls(
    authority: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    folder: &Path,
) -> Result<Tls, ConfigError> {
    let client = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Some(ClientFiles { certificate: folder.join(certificate), key: folder.join(key) })
        }
        (None, None) => None,
        _ => {
            let detail = "`certificate` and `key` go together";
            return Err(ConfigError::contradiction("sessions.redis", detail, "write both, or none"));
        }
    };
    Ok(Tls { authority: authority.map(|file| folder.join(file)), client })
}

fn twice(path: &str, other: &str) -> ConfigError {
    ConfigError::contradiction(path, format!("`{other}` is written, too"), "write one of the two")
}

impl RedisUrl {
    /// The URL with its password: for the connection and nothing else.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl Password {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "(password)",
            Self::File(_) => "(password in a file)",
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.kind())
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for Redis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |urls: &[RedisUrl]| urls.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match &self.nodes {
            Nodes::Single(url) => fmt::Display::fmt(url, out),
            Nodes::Sentinel { sentinels, primary, .. } => write!(out, "{primary} of sentinels {}", all(sentinels)),
            Nodes::Cluster(urls) => write!(out, "cluster of {}", all(urls)),
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
