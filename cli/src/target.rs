//! One agent of `outrigger up`: a name, and where its replicas are.
//!
//! In: `NAME=URL[,URL…]`. Out: a [`Target`].
//! Invariant: the name is an agent's name, there is at least one URL, no URL twice, and each is plain HTTP with a host.

use std::str::FromStr;

use http::Uri;
use outrigger_model::name::{AgentName, BadName};

/// Most replicas of one agent in one `up`.
const URLS_MAX: usize = 64;
const EXAMPLE: &str = "weather=http://127.0.0.1:8081/mcp";

/// An agent and the URLs of its replicas.
#[derive(Debug, Clone)]
pub struct Target {
    pub name: AgentName,
    pub urls: Vec<Uri>,
}

#[derive(Debug, thiserror::Error)]
pub enum BadTarget {
    #[error("`{0}` has no `=`; write NAME=URL, such as {EXAMPLE}")]
    NoName(String),
    #[error("{cause}; write NAME=URL, such as {EXAMPLE}")]
    Name { cause: BadName },
    #[error(
        "`{name}` is `{url}`: agents that speak over stdio are not served yet; start it with HTTP and name its URL, such as {EXAMPLE}"
    )]
    Stdio { name: AgentName, url: String },
    #[error("`{url}` of `{name}` is no http URL with a host; write {EXAMPLE}")]
    Url { name: AgentName, url: String },
    #[error("`{url}` of `{name}` is https; `up` fronts agents of this machine over plain HTTP, such as {EXAMPLE}")]
    Https { name: AgentName, url: String },
    #[error("`{url}` is named twice for `{name}`; each URL is one replica")]
    Twice { name: AgentName, url: String },
    #[error("`{name}` has more than {URLS_MAX} URLs")]
    Many { name: AgentName },
}

impl FromStr for Target {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let (name, list) = text.split_once('=').ok_or_else(|| BadTarget::NoName(text.to_owned()))?;
        let name = AgentName::new(name).map_err(|cause| BadTarget::Name { cause })?;
        if list.starts_with("stdio:") {
            return Err(BadTarget::Stdio { name, url: list.to_owned() });
        }
        let mut urls: Vec<Uri> = Vec::new();
        for written in list.split(',') {
            let url = http_url(&name, written)?;
            if urls.contains(&url) {
                return Err(BadTarget::Twice { name, url: written.to_owned() });
            }
            urls.push(url);
        }
        if urls.len() > URLS_MAX {
            return Err(BadTarget::Many { name });
        }
        Ok(Self { name, urls })
    }
}

fn http_url(name: &AgentName, written: &str) -> Result<Uri, BadTarget> {
    let bad = || BadTarget::Url { name: name.clone(), url: written.to_owned() };
    let url: Uri = written.trim().parse().map_err(|_| bad())?;
    match (url.scheme_str(), url.host()) {
        (Some("http"), Some(host)) if !host.is_empty() => Ok(url),
        (Some("https"), _) => Err(BadTarget::Https { name: name.clone(), url: written.to_owned() }),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests;
