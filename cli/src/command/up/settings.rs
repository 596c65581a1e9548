//! What control and the proxy of one `up` run with.
//!
//! Both are made through the doors that configuration files go through, so nothing is possible here that a file cannot say.

use std::net::SocketAddr;
use std::path::PathBuf;

use outrigger_control::store::StorePlace;
use outrigger_proxy::config::file::{
    AgentFile, ControlFile, DrainFile, ForwardFile, ListenFile, ProxyFile, SessionsFile,
};
use outrigger_proxy::config::settings::IdentitySource;
use outrigger_proxy::config::{Settings, Written};

use crate::args::Up;
use crate::command::up::credentials::Credentials;
use crate::configuration::ControlSettings;
use crate::problem::Problem;

/// Control: nothing is stored, everyone proves who they are.
pub fn control(up: &Up, credentials: &Credentials) -> Result<ControlSettings, Problem> {
    let mut file = outrigger_control::config::file::ControlFile::default();
    file.listen.http = up.http.to_string();
    let settings = ControlSettings::try_from((file, PathBuf::new().as_path()));
    let mut settings = settings.map_err(|cause| Problem::failed("control cannot be set up").because(cause))?;
    settings.grpc = up.grpc;
    settings.store = StorePlace::Memory;
    settings.material = Some(credentials.control.clone());
    Ok(settings)
}

/// One proxy in front of every URL.
pub fn proxy(up: &Up, credentials: &Credentials, grpc: SocketAddr) -> Result<Settings, Problem> {
    let file = ProxyFile {
        node: Some("up".to_owned()),
        agents: agents(up),
        listen: ListenFile {
            outbound: Some(up.outbound.to_string()),
            // Only this proxy calls itself, and it does that without the network.
            inbound: Some("127.0.0.1:0".to_owned()),
            admin: Some(up.admin.to_string()),
            health: Some(up.health.to_string()),
        },
        control: Some(ControlFile { address: grpc.to_string() }),
        // Ctrl-C ends it at once if nothing is under way.
        drain: DrainFile { agent_seconds: Some(0), ..DrainFile::default() },
        sessions: SessionsFile { redis_url: up.redis_url.clone(), ..SessionsFile::default() },
        forward: ForwardFile { allow: up.forward_allow.clone(), ..ForwardFile::default() },
        ..ProxyFile::default()
    };
    let written = Written { file, folder: PathBuf::new(), host_name: "up".to_owned(), redis_url: None };
    let refused = |cause| {
        Problem::usage("the mesh cannot be set up").because(cause).next("outrigger up --help   shows the flags")
    };
    let mut settings = Settings::try_from(written).map_err(refused)?;
    settings.identity = IdentitySource::Material(Box::new(credentials.proxy.clone()));
    Ok(settings)
}

fn agents(up: &Up) -> Vec<AgentFile> {
    let replicas = up.targets.iter().flat_map(|target| {
        target.urls.iter().enumerate().map(|(at, url)| AgentFile {
            name: target.name.to_string(),
            url: url.to_string(),
            replica: Some(format!("{}-{}", target.name, at + 1)),
            version: None,
            tags: Vec::new(),
            weight: None,
            metadata: outrigger_proxy::config::file::MetadataFile::default(),
            capabilities: Vec::new(),
            probe: outrigger_proxy::config::file::ProbeFile::default(),
            timeout: None,
            retry_count: None,
            custom_headers: std::collections::BTreeMap::new(),
            streaming: None,
            health_check: None,
        })
    });
    replicas.collect()
}
