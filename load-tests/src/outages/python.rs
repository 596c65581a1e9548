//! A call to a Python agent on a kept connection, directly and through a proxy.
//!
//! In: [`Options`]. Out: a row: for each SDK and each way to listen the median both ways.
//! Some Python servers leave Nagle's algorithm on: the end of an answer then waits until the client's kernel acknowledges its
//! beginning, which it delays by 40 ms. A proxy with its own kernel settings may spare its caller that.
//! Invariant: both ways call the same process, one call at a time, in turn; every answer must be the right one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt as _;

use super::error::OutageError;
use crate::echo::{Era, SESSION_HEADER};
use crate::generate::connection::Connection;
use crate::generate::dress::{Opened, Wardrobe};
use crate::generate::figures::Times;
use crate::generate::{Dress, Target};
use crate::machine::about::{About, first_line};
use crate::peers::Place;
use crate::peers::place::free_address;
use crate::row::Row;
use crate::stage::control::Control;
use crate::stage::part::{Part, Script, StageError, until};
use crate::stage::proxy::{Proxy, Shape};

#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Calls each way, in each of the rounds.
    pub calls: usize,
    pub rounds: usize,
}

const CASES: [(&str, &str); 4] = [("mcp", "server"), ("mcp", "socket"), ("fastmcp", "server"), ("fastmcp", "socket")];
/// Python takes a while to import an SDK.
const READY_MAX: Duration = Duration::from_secs(60);
/// Above it a call stalled: the kernel's delayed acknowledgement is 40 ms.
const STALL_US: f64 = 30_000.0;

pub async fn measure(place: &Place, options: Options, tell: &dyn Fn(String)) -> Result<Row, OutageError> {
    let python = place.home.join("../tests/.peers/python/bin/python");
    if !python.exists() {
        return Err(StageError::Missing("a Python with the SDKs".to_owned(), "run tests/setup.sh").into());
    }
    let versions = vec![
        first_line(&place.outrigger.display().to_string(), &["--version"], None),
        first_line(&python.display().to_string(), &["--version"], None),
        sdks(&python),
    ];
    let says = format!("{} sequential calls each way on one kept connection", options.calls * options.rounds);
    let mut row = Row::new(About::now(0, versions), "outages python", says);
    for (sdk, listen) in CASES {
        let (direct, proxied) = one(place, &python, options, sdk, listen).await?;
        let (direct, proxied) = (direct.quantile_us(0.5), proxied.quantile_us(0.5));
        let name = format!("{sdk}, port opened by {}", if listen == "server" { "uvicorn" } else { "the program" });
        tell(format!("{name}: direct {direct:.0} us, through the proxy {proxied:.0} us"));
        row.figure(format!("{name}: direct, p50"), direct, "µs");
        let what = format!("{name}: through the proxy, p50");
        if direct >= STALL_US {
            row.at_most(what, proxied, "µs", direct);
            row.note(format!("{name}: stalls when called directly"));
        } else {
            row.figure(what, proxied, "µs");
        }
    }
    row.note("a target is set only where the agent stalls: without a stall a proxy can only add");
    row.about.finish();
    Ok(row)
}

fn sdks(python: &Path) -> String {
    let code = "import importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in ('mcp', 'fastmcp', 'uvicorn')), sep=' · ')";
    first_line(&python.display().to_string(), &["-c", code], None)
}

async fn one(
    place: &Place,
    python: &Path,
    options: Options,
    sdk: &str,
    listen: &str,
) -> Result<(Times, Times), OutageError> {
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    let address = free_address()?;
    let program: PathBuf = place.home.join("python/agent.py");
    let arguments = [program.display().to_string(), sdk.to_owned(), listen.to_owned(), address.port().to_string()];
    let script = Script {
        name: sdk.to_owned(),
        program: python.to_owned(),
        arguments: arguments.to_vec(),
        folder: at.to_owned(),
        core: place.cores.agent,
    };
    let mut agent = Part::start(script)?;
    let direct = Target::new(address, "/mcp");
    let ready = async || Client::open(&direct).await.is_ok();
    if let Err(error) = until("the Python agent answers", READY_MAX, ready).await {
        agent.must_live()?;
        return Err(error.into());
    }
    let control = Control::start(place, at, place.cores.agent, "store: memory\n").await?;
    let shape = Shape { node: "py".to_owned(), agents: vec![("py-0".to_owned(), address)], ..Shape::default() };
    let proxy = Proxy::start(place, at, place.cores.proxy, control.grpc, &shape).await?;
    let proxied = Target::new(proxy.outbound, "/echo/mcp");
    until("the proxy carries calls", READY_MAX, async || Client::open(&proxied).await.is_ok()).await?;

    let mut clients = [Client::open(&direct).await?, Client::open(&proxied).await?];
    let mut times = [Times::default(), Times::default()];
    for _ in 0..options.rounds {
        for (client, times) in clients.iter_mut().zip(&mut times) {
            for _ in 0..options.calls {
                times.record(client.call().await?);
            }
        }
    }
    let [direct, proxied] = times;
    Ok((direct, proxied))
}

/// A client of the legacy era with a session, that takes JSON and events.
struct Client {
    connection: Connection,
    wardrobe: Wardrobe,
    session: Opened,
    number: u64,
}

impl Client {
    async fn open(target: &Target) -> Result<Self, OutageError> {
        let wardrobe = Wardrobe::new(target, &Dress::plain(Era::Legacy));
        let mut connection = Connection::open(target.address).await?;
        let uri = wardrobe.uri(0).clone();
        let (status, session, _) = send(&mut connection, wardrobe.initialize(&uri)).await?;
        let id = session.filter(|_| status == 200).ok_or_else(|| wrong(target.address, status))?;
        let session = Opened { id, home: String::new(), uri };
        let (status, _, _) = send(&mut connection, wardrobe.initialized(&session)).await?;
        if !(200..300).contains(&status) {
            return Err(wrong(target.address, status));
        }
        Ok(Self { connection, wardrobe, session, number: 0 })
    }

    /// How long one call took.
    async fn call(&mut self) -> Result<Duration, OutageError> {
        self.number += 1;
        let request = self.wardrobe.call(self.number, Some(&self.session));
        let began = Instant::now();
        let (status, _, body) = send(&mut self.connection, request).await?;
        let took = began.elapsed();
        let answer = message(&body).and_then(|answer| serde_json::from_slice::<serde_json::Value>(answer).ok());
        let says = |path| answer.as_ref().and_then(|answer| answer.pointer(path)?.as_u64());
        if [says("/id"), says("/result/structuredContent/number")] == [Some(self.number); 2] {
            return Ok(took);
        }
        let said: String = String::from_utf8_lossy(&body).chars().take(200).collect();
        Err(OutageError::Wrong(format!("a call is answered with {status} {said}")))
    }
}

fn wrong(address: SocketAddr, status: u16) -> OutageError {
    OutageError::Wrong(format!("{address} answers with {status} to the opening of a session"))
}

async fn send(
    connection: &mut Connection,
    request: http::Request<http_body_util::Full<Bytes>>,
) -> Result<(u16, Option<http::HeaderValue>, Bytes), OutageError> {
    use crate::generate::connection::CallError;
    let response = connection.send(request).await?;
    let (status, session) = (response.status().as_u16(), response.headers().get(SESSION_HEADER).cloned());
    let body = response.into_body().collect().await.map_err(CallError::from)?.to_bytes();
    Ok((status, session, body))
}

/// The answer itself, of a body that is JSON or a stream of events.
fn message(body: &[u8]) -> Option<&[u8]> {
    if body.starts_with(b"{") {
        return Some(body);
    }
    let lines = body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.filter_map(|line| line.strip_prefix(b"data: ")).rfind(|data| data.starts_with(b"{"))
}

#[cfg(test)]
mod tests;
