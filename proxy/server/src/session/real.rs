//! Real Redis processes for the tests of this room: one node, sentinels, a cluster, with users and with TLS.
//!
//! In: lines of configuration. Out: processes on free ports of loopback, and the settings that lead there.
//! Never here: what is tested. Invariant: they end with their values; a machine without redis-server fails the test and says so.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_config::Environment;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use redis::FromRedisValue;
use tempfile::TempDir;

use super::redis::Redis;
use super::sealer::Sealer;
use crate::config::{ProxyFile, Settings, Written};
use crate::lifecycle::Readiness;
use crate::telemetry::{Events, Metrics};

/// Another process may take a port between our looking and Redis's binding; then others are tried.
const ATTEMPTS: usize = 5;
pub(super) const DEADLINE: Duration = Duration::from_secs(20);
/// What a proxy needs; docs/operating.md says the same.
const RIGHTS: &str = "~session:* &session:!moved -@all +ping +select +getrange +set +del +pttl +eval +evalsha +script|load \
                      +publish +subscribe +info +cluster|slots";

pub(crate) struct Server {
    process: Child,
    pub port: u16,
    folder: TempDir,
    lines: String,
    is_sentinel: bool,
}

impl Server {
    pub fn start() -> Self {
        Self::with("")
    }

    /// A node with further lines of configuration; `PORT` in them is a free port beside its own.
    pub fn with(lines: &str) -> Self {
        Self::launch(lines, false)
    }

    fn launch(lines: &str, is_sentinel: bool) -> Self {
        for _ in 0..ATTEMPTS {
            let folder = tempfile::tempdir().expect("folder");
            let (port, beside) = (free_port(), free_port());
            let lines = lines.replace("PORT", &beside.to_string());
            let process = spawn(folder.path(), port, &lines, is_sentinel);
            let mut server = Self { process, port, folder, lines, is_sentinel };
            if server.answers() {
                return server;
            }
        }
        panic!("redis-server does not start with: {lines}");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// As when the machine takes it away.
    pub fn kill(&mut self) {
        self.process.kill().expect("kill");
        self.process.wait().expect("wait");
    }

    /// Where it was, with nothing in it.
    pub fn start_again(&mut self) {
        self.process = spawn(self.folder.path(), self.port, &self.lines, self.is_sentinel);
        assert!(self.answers(), "it does not come back");
    }

    /// One command, without waiting for anything but its answer.
    pub fn ask<T: FromRedisValue>(&self, words: &str) -> T {
        self.try_ask(words).unwrap_or_else(|error| panic!("{words}: {error}"))
    }

    pub fn try_ask<T: FromRedisValue>(&self, words: &str) -> redis::RedisResult<T> {
        ask(self.port, words)
    }

    fn answers(&mut self) -> bool {
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return false;
            }
            // One that asks for a password answers with an error.
            match ask::<String>(self.port, "PING") {
                Ok(_) => return true,
                Err(error) if !error.is_io_error() => return true,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Three nodes without replicas.
pub(super) fn cluster() -> Vec<Server> {
    let lines = "cluster-enabled yes\ncluster-node-timeout 1000\ncluster-port PORT\n";
    let nodes: Vec<Server> = (0..3).map(|_| Server::with(lines)).collect();
    for (at, (node, slots)) in nodes.iter().zip(["0 5461", "5462 10922", "10923 16383"]).enumerate() {
        node.ask::<()>(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
        node.ask::<()>(&format!("CLUSTER SET-CONFIG-EPOCH {}", at + 1));
    }
    for (node, other) in nodes.iter().zip(nodes.iter().skip(1)) {
        let bus = other.lines.trim().rsplit(' ').next().expect("a port");
        node.ask::<()>(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", other.port));
    }
    for node in &nodes {
        until("the cluster joins", || {
            let info: String = node.ask("CLUSTER INFO");
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        });
    }
    nodes
}

/// A primary, its replica, and one sentinel that decides alone.
pub(super) struct Watched {
    _primary: Server,
    pub replica: Server,
    pub sentinel: Server,
}

pub(super) fn watched() -> Watched {
    let primary = Server::start();
    let replica = Server::with(&format!("replicaof 127.0.0.1 {}\nrepl-diskless-sync-delay 0\n", primary.port));
    let sentinel = Server::launch(
        &format!(
            "sentinel monitor main 127.0.0.1 {} 1\nsentinel down-after-milliseconds main 300\nsentinel failover-timeout main 1000\n",
            primary.port
        ),
        true,
    );
    until("the sentinel knows the replica", || {
        let info: String = sentinel.ask("INFO sentinel");
        info.contains("slaves=1") && info.contains("status=ok")
    });
    Watched { _primary: primary, replica, sentinel }
}

/// A node that speaks TLS, to those who show a certificate, on the second port.
pub(super) struct Sealed {
    _server: Server,
    pub folder: TempDir,
    pub port: String,
}

pub(super) fn with_tls() -> Sealed {
    let folder = tempfile::tempdir().expect("folder");
    let ca_key = KeyPair::generate().expect("key");
    let mut parameters = CertificateParams::new(Vec::new()).expect("parameters");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = parameters.self_signed(&ca_key).expect("certificate");
    let issuer = Issuer::new(parameters, ca_key);
    let put = |name: &str, text: String| std::fs::write(folder.path().join(name), text).expect("file");
    put("ca.pem", ca.pem());
    for name in ["server", "proxy"] {
        let key = KeyPair::generate().expect("key");
        let mut leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
        // With the name of its issuer it would pass for self-signed.
        leaf.distinguished_name.push(DnType::CommonName, name);
        put(&format!("{name}.pem"), leaf.signed_by(&key, &issuer).expect("certificate").pem());
        put(&format!("{name}.key"), key.serialize_pem());
    }
    let mut lines = "tls-port PORT\ntls-auth-clients yes\n".to_owned();
    for (key, file) in [("ca-cert", "ca.pem"), ("cert", "server.pem"), ("key", "server.key")] {
        writeln!(lines, "tls-{key}-file {}", folder.path().join(file).display()).expect("written");
    }
    let server = Server::with(&lines);
    let port = server.lines.lines().next().and_then(|line| line.rsplit(' ').next()).expect("a port").to_owned();
    Sealed { _server: server, folder, port }
}

/// Only the user `desk` with the password `hunter2` is let in, and has what a proxy needs.
pub(crate) fn with_user() -> Server {
    Server::with(&format!("user default off\nuser desk on >hunter2 {RIGHTS}\n"))
}

/// The store that these keys under `sessions` describe, with what it tells.
pub(crate) struct Told<Store = Redis> {
    pub redis: Store,
    pub readiness: Readiness,
    pub events: Arc<Events>,
    pub metrics: Metrics,
}

pub(crate) fn store_at(keys: &str, folder: &Path) -> Told {
    store_within(keys, folder, Duration::from_secs(2))
}

pub(crate) fn store_within(keys: &str, folder: &Path, request_timeout: Duration) -> Told {
    let text = format!("sessions: {{{keys}}}");
    let file: ProxyFile = outrigger_config::load_str(&text, &Environment::default()).expect("a file");
    let written = Written { file, folder: folder.to_owned(), host_name: "here".into(), redis_url: None };
    let settings = Settings::try_from(written).expect("settings").sessions;
    let metrics = Metrics::default();
    let (events, readiness) = (Arc::new(Events::new(metrics.clone())), Readiness::default());
    let redis = settings.redis.expect("redis");
    let redis = Redis::start(&redis, &settings.key_prefix, request_timeout, Sealer::default(), &events, &readiness)
        .expect("started");
    Told { redis, readiness, events, metrics }
}

/// The same, once it is connected.
pub(crate) async fn connected(keys: &str, folder: &Path) -> Redis {
    let told = store_at(keys, folder);
    let deadline = Instant::now() + DEADLINE;
    while !told.redis.is_connected() {
        assert!(Instant::now() < deadline, "never connected: {:?}", told.readiness.report());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    told.redis
}

/// Waits for a condition that tasks of this runtime bring about.
pub(crate) async fn becomes(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "never {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits for a condition that other processes bring about.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn spawn(folder: &Path, port: u16, lines: &str, is_sentinel: bool) -> Child {
    let path: PathBuf = folder.join("redis.conf");
    let kind = if is_sentinel { "" } else { "save \"\"\nappendonly no\n" };
    let text = format!("port {port}\nbind 127.0.0.1\ndir {}\n{kind}{lines}", folder.display());
    std::fs::write(&path, text).expect("configuration");
    let mut command = Command::new("redis-server");
    command.arg(&path);
    if is_sentinel {
        command.arg("--sentinel");
    }
    command.stdout(Stdio::null()).spawn().expect("redis-server is not installed; run tests/setup.sh")
}

fn ask<T: FromRedisValue>(port: u16, words: &str) -> redis::RedisResult<T> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}/"))?;
    let mut connection = client.get_connection_with_timeout(Duration::from_secs(5))?;
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next().unwrap_or_default());
    for word in words {
        command.arg(word);
    }
    command.query(&mut connection)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address").port()
}
