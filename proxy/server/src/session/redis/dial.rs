//! How connections to Redis are made: to one node, to the primary that sentinels name, to a cluster.
//!
//! In: settings, read once with their files. Out: a [`Wire`] that has answered a PING, or a subscription.
//! Never here: when to dial; what is asked.
//! Invariant: every step has a bound in time.

use std::path::Path;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, Pipeline,
    RedisFuture, RedisResult, TlsCertificates, Value,
};
use tokio::time::timeout;

use crate::config::redis::{Login, Nodes, Password, Redis, RedisUrl, Tls};
use crate::session::store::StoreError;

/// For a connection until it has answered; a node that is slower than this helps no call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
// A cluster sends a request again when slots have moved; the caller's own limit ends that.
const CLUSTER_RETRIES: u32 = 4;
const CLUSTER_PAUSE_MS: (u64, u64) = (5, 40);

pub(super) struct Dialer {
    whom: Whom,
    certificates: Option<TlsCertificates>,
    request_timeout: Duration,
}

enum Whom {
    Single(ConnectionInfo),
    /// The primary has the login of the last field, at an address that the sentinels know.
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        primary: String,
        like: ConnectionInfo,
    },
    Cluster(Vec<ConnectionInfo>),
}

/// A connection that carries requests; clones share it.
#[derive(Clone)]
pub(super) enum Wire {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Dialer {
    /// Reads passwords and certificates.
    pub fn new(settings: &Redis, request_timeout: Duration) -> Result<Self, StoreError> {
        let (user, certificates) = (credentials(&settings.login)?, certificates(&settings.tls)?);
        let whom = match &settings.nodes {
            Nodes::Single(url) => Whom::Single(info(url, &user)?),
            Nodes::Cluster(urls) => Whom::Cluster(infos(urls, &user)?),
            Nodes::Sentinel { sentinels, primary, login } => {
                let [mut sentinels, nodes] = [infos(sentinels, &credentials(login)?)?, infos(sentinels, &user)?];
                let like = nodes.into_iter().next().ok_or(StoreError::NoPrimary)?;
                for sentinel in &mut sentinels {
                    // A sentinel has no databases; that of the URL is the primary's.
                    let settings = sentinel.redis_settings().clone().set_db(0);
                    *sentinel = sentinel.clone().set_redis_settings(settings);
                }
                Whom::Sentinel { sentinels, primary: primary.clone(), like }
            }
        };
        Ok(Self { whom, certificates, request_timeout })
    }

    /// A connection, and the address of its node if there is one.
    pub async fn connect(&self) -> Result<(Wire, Option<ConnectionAddr>), StoreError> {
        let (mut wire, address) = match &self.whom {
            Whom::Single(info) => (self.node(info).await?, Some(info.addr().clone())),
            Whom::Sentinel { .. } => {
                let info = self.primary().await?;
                let mut wire = self.node(&info).await?;
                is_primary(&mut wire).await?;
                (wire, Some(info.addr().clone()))
            }
            Whom::Cluster(infos) => (self.cluster(infos).await?, None),
        };
        bounded(redis::cmd("PING").query_async::<()>(&mut wire)).await?;
        Ok((wire, address))
    }

    /// Hears a channel: at the node that a connection leads to, or at any node of a cluster, as these tell each other.
    pub async fn listen(&self, channel: &str) -> Result<PubSub, StoreError> {
        let mut infos = match &self.whom {
            Whom::Single(info) => vec![info.clone()],
            Whom::Sentinel { .. } => vec![self.primary().await?],
            Whom::Cluster(infos) => infos.clone(),
        };
        fastrand::shuffle(&mut infos);
        let mut failed = StoreError::Away;
        for info in &infos {
            let client = self.client(info)?;
            let hearing = async {
                let mut heard = client.get_async_pubsub().await?;
                heard.subscribe(channel).await?;
                Ok(heard)
            };
            match bounded(hearing).await {
                Ok(heard) => return Ok(heard),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Whether the sentinels name another node than this one; false where none of them says anything.
    pub async fn has_moved(&self, from: &ConnectionAddr) -> bool {
        match &self.whom {
            Whom::Sentinel { .. } => self.primary().await.is_ok_and(|info| info.addr() != from),
            Whom::Single(_) | Whom::Cluster(_) => false,
        }
    }

    async fn primary(&self) -> Result<ConnectionInfo, StoreError> {
        let Whom::Sentinel { sentinels, primary, like } = &self.whom else { return Err(StoreError::NoPrimary) };
        let mut failed = StoreError::NoPrimary;
        for sentinel in sentinels {
            match self.ask_sentinel(sentinel, primary).await {
                Ok(Some((host, port))) => {
                    let tls = matches!(like.addr(), ConnectionAddr::TcpTls { .. });
                    let address = match tls {
                        true => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
                        false => ConnectionAddr::Tcp(host, port),
                    };
                    return Ok(like.clone().set_addr(address));
                }
                Ok(None) => {}
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    async fn ask_sentinel(&self, info: &ConnectionInfo, name: &str) -> Result<Option<(String, u16)>, StoreError> {
        let mut sentinel = self.node(info).await?;
        let mut request = redis::cmd("SENTINEL");
        request.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        bounded(request.query_async(&mut sentinel)).await
    }

    async fn node(&self, info: &ConnectionInfo) -> Result<Wire, StoreError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(CONNECT_TIMEOUT.max(self.request_timeout)));
        let client = self.client(info)?;
        bounded(client.get_multiplexed_async_connection_with_config(&config)).await.map(Wire::Node)
    }

    fn client(&self, info: &ConnectionInfo) -> Result<Client, StoreError> {
        let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        let client = match &self.certificates {
            Some(certificates) if is_tls => Client::build_with_tls(info.clone(), certificates.clone()),
            _ => Client::open(info.clone()),
        };
        client.map_err(StoreError::Settings)
    }

    async fn cluster(&self, infos: &[ConnectionInfo]) -> Result<Wire, StoreError> {
        let (pause_min, pause_max) = CLUSTER_PAUSE_MS;
        let builder = ClusterClientBuilder::new(infos.iter().cloned())
            .connection_timeout(CONNECT_TIMEOUT)
            .response_timeout(self.request_timeout)
            .retries(CLUSTER_RETRIES)
            .min_retry_wait(pause_min)
            .max_retry_wait(pause_max);
        let builder = match &self.certificates {
            Some(certificates) => builder.certs(certificates.clone()),
            None => builder,
        };
        let client = builder.build().map_err(StoreError::Settings)?;
        bounded(client.get_async_connection()).await.map(Wire::Cluster)
    }
}

impl Wire {
    /// What identifies the processes behind a cluster, whose connection hides that one restarted; none where it would break.
    pub async fn processes(&mut self) -> Option<Vec<String>> {
        let Self::Cluster(cluster) = self else { return None };
        let mut request = redis::cmd("INFO");
        request.arg("server");
        let routing = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        let answer = bounded(cluster.route_command(request, routing)).await.ok()?;
        let texts: std::collections::BTreeMap<String, String> = redis::from_redis_value(answer).ok()?;
        let run_id = |text: &String| text.lines().find(|line| line.starts_with("run_id:")).map(str::to_owned);
        let mut ids: Vec<String> = texts.values().filter_map(run_id).collect();
        ids.sort();
        Some(ids)
    }
}

impl ConnectionLike for Wire {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Node(node) => node.req_packed_command(cmd),
            Self::Cluster(cluster) => cluster.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Node(node) => node.req_packed_commands(pipeline, offset, count),
            Self::Cluster(cluster) => cluster.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Node(node) => node.get_db(),
            Self::Cluster(cluster) => cluster.get_db(),
        }
    }
}

/// A sentinel that has not heard of a failover yet may name a node that became a replica. Who may not ask learns it from the
/// first write that is refused.
async fn is_primary(wire: &mut Wire) -> Result<(), StoreError> {
    match bounded(redis::cmd("ROLE").query_async::<Vec<Value>>(wire)).await {
        Ok(role) => match role.first() {
            Some(Value::BulkString(role)) if role == b"master" => Ok(()),
            _ => Err(StoreError::NotPrimary),
        },
        Err(StoreError::Failed(error)) if error.code() == Some("NOPERM") => Ok(()),
        Err(error) => Err(error),
    }
}

async fn bounded<T>(asking: impl Future<Output = RedisResult<T>>) -> Result<T, StoreError> {
    timeout(CONNECT_TIMEOUT, asking).await.map_err(|_| StoreError::Late)?.map_err(StoreError::Failed)
}

type Credentials = (Option<String>, Option<String>);

fn credentials(login: &Login) -> Result<Credentials, StoreError> {
    let password = match &login.password {
        None => None,
        Some(Password::Text(text)) => Some(text.0.clone()),
        Some(Password::File(path)) => {
            let bytes = file(path)?;
            let text = String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
            Some(text)
        }
    };
    Ok((login.username.clone(), password))
}

fn certificates(tls: &Tls) -> Result<Option<TlsCertificates>, StoreError> {
    if *tls == Tls::default() {
        return Ok(None);
    }
    let root_cert = tls.authority.as_deref().map(file).transpose()?;
    let client_tls = match &tls.client {
        Some(client) => {
            Some(ClientTlsConfig { client_cert: file(&client.certificate)?, client_key: file(&client.key)? })
        }
        None => None,
    };
    Ok(Some(TlsCertificates { client_tls, root_cert }))
}

fn file(path: &Path) -> Result<Vec<u8>, StoreError> {
    std::fs::read(path).map_err(|cause| StoreError::File(path.to_owned(), cause))
}

fn infos(urls: &[RedisUrl], login: &Credentials) -> Result<Vec<ConnectionInfo>, StoreError> {
    urls.iter().map(|url| info(url, login)).collect()
}

fn info(url: &RedisUrl, (username, password): &Credentials) -> Result<ConnectionInfo, StoreError> {
    let info = url.expose().into_connection_info().map_err(StoreError::Settings)?;
    let mut settings = info.redis_settings().clone();
    if let Some(username) = username {
        settings = settings.set_username(username);
    }
    if let Some(password) = password {
        settings = settings.set_password(password);
    }
    Ok(info.set_redis_settings(settings))
}
