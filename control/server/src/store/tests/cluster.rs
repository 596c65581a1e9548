//! One real PostgreSQL for all tests of this process; each test has a schema of its own in it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::store::{Database, Look, PostgresStore, Seat};

/// It lives for as long as its standard input is open, which is as long as this struct or its process lives.
pub struct Cluster {
    folder: String,
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

static SHARED: OnceLock<Cluster> = OnceLock::new();
static SCHEMAS: AtomicU32 = AtomicU32::new(1);

impl Cluster {
    pub fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/postgres.sh");
        let mut child = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut cluster = Self { folder: String::new(), _child: child, input, output };
        let ready = cluster.line();
        cluster.folder = ready.strip_prefix("ready ").expect("PostgreSQL; tests/setup.sh installs it").to_owned();
        cluster
    }

    /// `freeze`, `thaw`, `kill` or `start`.
    pub fn tell(&mut self, command: &str) {
        writeln!(self.input, "{command}").unwrap();
        assert_eq!(self.line(), "done", "{command}");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn url(&self) -> String {
        let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
        format!("postgres://mesh@localhost/postgres?host={}&schema=t{number}", self.folder)
    }
}

/// A database that nobody else uses, as operators write it.
pub fn url() -> String {
    SHARED.get_or_init(Cluster::start).url()
}

pub fn database() -> Database {
    url().parse().unwrap()
}

/// A replica that leads.
pub async fn leading(database: &Database) -> (PostgresStore, Seat) {
    let store = PostgresStore::open(database).await.unwrap();
    let mut seat = store.seat();
    // Whoever had it before may have closed its connection a moment ago.
    let begun = Instant::now();
    loop {
        match seat.look("127.0.0.1:1").await.unwrap() {
            Look::Taken { term } => {
                store.reign(term);
                return (store, seat);
            }
            held => assert!(begun.elapsed() < Duration::from_secs(20), "{held:?}"),
        }
    }
}
