//! The binary `outrigger-load`: parses the command line and runs the agent, one load, or a whole bench.
//!
//! Never here: what a load is or how it is measured.
//! Invariant: exit code 0 fine, 1 something failed or an answer was not right, 2 bad usage.

mod rows;

use std::fmt::Display;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use outrigger_load_tests::cost::committed::Committed;
use outrigger_load_tests::generate::Target;
use outrigger_load_tests::measure::bench::bench;
use outrigger_load_tests::measure::result::Bench;
use outrigger_load_tests::measure::sample::{Subject, sample};
use outrigger_load_tests::peers::Place;
use outrigger_load_tests::scenario::{Scenario, Suite};
use outrigger_load_tests::{agent, cost, plot, report};

// As in the proxy: many small buffers, and the harness must not be the limit.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Descriptors that a thousand idle callers need, here and in the peers.
const DESCRIPTORS: u64 = 16_384;

/// Measures MCP proxies: an echo agent, a load generator, and a bench of several proxies in one run.
#[derive(Debug, Parser)]
#[command(name = "outrigger-load", version)]
enum Args {
    /// Serve the echo agent on loopback
    Agent {
        #[arg(long, default_value = "echo-0")]
        name: String,
        /// 0 takes a free port
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Write the address there when it listens
        #[arg(long, value_name = "FILE")]
        port_file: Option<PathBuf>,
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
        threads: u16,
    },
    #[command(flatten)]
    Load(Load),
    #[command(flatten)]
    Rows(rows::Rows),
}

#[derive(Debug, Subcommand)]
enum Load {
    /// Put one scenario's load on one address
    Generate {
        scenario: PathBuf,
        /// Where calls go
        #[arg(long)]
        address: SocketAddr,
        #[arg(long, default_value = "/mcp")]
        path: String,
        /// The echo agents behind it, to ask them what they executed
        #[arg(long)]
        agent: Vec<SocketAddr>,
    },
    /// Measure scenarios, every peer of them in turn
    Bench {
        /// Scenario files; those of the suite if none is named
        scenarios: Vec<PathBuf>,
        /// Which scenarios of `load-tests/scenarios`; `full` includes `quick`
        #[arg(long, value_parser = ["quick", "full"], default_value = "quick")]
        suite: String,
        /// Where the result goes, as JSON; the tables go beside it with the ending `md`
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The binary to measure; beside this one if not given
        #[arg(long, value_name = "FILE", env = "OUTRIGGER_BIN")]
        outrigger: Option<PathBuf>,
    },
    /// Count what one call costs the proxy: instructions and allocations, under valgrind
    Cost(Cost),
    /// Print the tables of a result
    Show {
        result: PathBuf,
        /// Draw its pictures into this folder as well, as SVG
        #[arg(long, value_name = "DIR")]
        plots: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
struct Cost {
    /// Compare with the committed figures, and fail where one is exceeded
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Write the committed figures anew
    #[arg(long)]
    write: bool,
    /// Show so many functions of each, by their own instructions
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    top: usize,
    /// The binary to count; beside this one if not given
    #[arg(long, value_name = "FILE", env = "OUTRIGGER_BIN")]
    outrigger: Option<PathBuf>,
}

/// What to do about a figure that is not as committed.
const NOT_AS_COMMITTED: &str = "where it goes: outrigger-load cost --top 30, before the change and after it\n\
                                if it is meant: outrigger-load cost --write, and commit load-tests/regression/cost.yaml";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let done = match Args::parse() {
        Args::Agent { name, port, port_file, threads } => serve(&name, port, port_file.as_deref(), threads),
        Args::Load(load) => run(load),
        Args::Rows(rows) => {
            raise_descriptors();
            rows::run(rows, one_thread(), &|text| say(text), &|line| note(line))
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            note(format!("outrigger-load: {}", with_causes(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

fn serve(name: &str, port: u16, port_file: Option<&Path>, threads: u16) -> Result<bool, Failure> {
    raise_descriptors();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(usize::from(threads)).enable_all().build()?;
    runtime.block_on(async {
        let agent = agent::start(port, name).await?;
        say(format!("{name} listens on http://{}/mcp", agent.address))?;
        if let Some(file) = port_file {
            std::fs::write(file, agent.address.to_string())?;
        }
        asked_to_end().await?;
        Ok(true)
    })
}

async fn asked_to_end() -> std::io::Result<()> {
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = term.recv() => Ok(()),
        done = tokio::signal::ctrl_c() => done,
    }
}

fn run(load: Load) -> Result<bool, Failure> {
    raise_descriptors();
    match load {
        Load::Show { result, plots } => {
            let bench: Bench = serde_json::from_str(&std::fs::read_to_string(result)?)?;
            say(report::markdown(&bench))?;
            if let Some(folder) = plots {
                draw(&bench, &folder)?;
            }
            Ok(true)
        }
        Load::Cost(asked) => cost(&asked),
        Load::Generate { scenario, address, path, agent } => {
            let scenario = Scenario::read(&scenario)?;
            let target = Target::new(address, &path);
            let subject =
                Subject { target: &target, proxies: &[], agents: &agent, agent_pids: &[], beside: &[], changes: None };
            let (round, tally) = one_thread()?.block_on(sample(&subject, &scenario))?;
            say(serde_json::to_string_pretty(&serde_json::json!({ "round": round, "tally": tally }))?)?;
            Ok(tally.is_clean())
        }
        Load::Bench { scenarios, suite, out, seed, outrigger } => {
            let place = placed(outrigger)?;
            let suite = if suite == "full" { Suite::Full } else { Suite::Quick };
            let scenarios = match scenarios.is_empty() {
                true => shipped(&place.home, suite)?,
                false => scenarios.iter().map(|file| Scenario::read(file)).collect::<Result<_, _>>()?,
            };
            let tell = |line: String| note(line);
            let result = one_thread()?.block_on(unless_ended(bench(&place, &scenarios, seed, &tell)))?;
            let tables = report::markdown(&result);
            if let Some(out) = out {
                if let Some(folder) = out.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                std::fs::write(&out, serde_json::to_string_pretty(&result)?)?;
                std::fs::write(out.with_extension("md"), &tables)?;
            }
            say(tables)?;
            Ok(true)
        }
    }
}

fn cost(asked: &Cost) -> Result<bool, Failure> {
    let place = placed(asked.outrigger.clone())?;
    let home = place.home.join("regression");
    let file = home.join("cost.yaml");
    let committed = if asked.check { Some(Committed::read(&file)?) } else { None };
    let tell = |line: String| note(line);
    let runtime = one_thread()?;
    let counted = runtime.block_on(unless_ended(cost::count::all(&place, &tell)))?;
    say(cost::table::markdown(&counted, asked.top))?;
    if !asked.check && !asked.write {
        return Ok(true);
    }
    let scenario = home.join("ratio.yaml");
    let ratio = runtime.block_on(unless_ended(cost::ratio::ratio(&place, &scenario, &tell)))?;
    say(format!("CPU per call: {ratio:.2} times nginx's"))?;
    let Some(committed) = committed else {
        std::fs::write(&file, Committed::new(&counted, ratio).text())?;
        note(format!("{} is written", file.display()));
        return Ok(true);
    };
    let findings = cost::judge::judge(&committed, &counted, ratio);
    for finding in &findings {
        note(format!("{}: {}", if finding.fails { "FAILED" } else { "note" }, finding.says));
    }
    if !findings.is_empty() {
        note(NOT_AS_COMMITTED);
    }
    Ok(findings.iter().all(|finding| !finding.fails))
}

/// Where everything is, with this process on its core.
fn placed(outrigger: Option<PathBuf>) -> Result<Place, Failure> {
    let place = Place::find(outrigger)?;
    if !place.cores.take_mine() {
        note("cannot pin to a core (is taskset there?); figures will be noisier");
    }
    Ok(place)
}

/// Work that is dropped, and its children ended with it, when this process is asked to end.
async fn unless_ended<T, E: std::error::Error + 'static>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => Ok(done?),
        asked = asked_to_end() => asked.map_err(Failure::from).and(Err("ended before its time".into())),
    }
}

fn draw(bench: &Bench, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for picture in plot::pictures(bench) {
        std::fs::write(folder.join(picture.file), picture.svg)?;
    }
    Ok(())
}

/// One thread: the generator's work is small, and a second thread would share its core with the agent.
fn one_thread() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// The scenarios of a suite, in the order of their numbers; those without a number last.
fn shipped(home: &Path, suite: Suite) -> Result<Vec<Scenario>, Failure> {
    let entries = std::fs::read_dir(home.join("scenarios"))?;
    let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(|file| (number(file), file.clone()));
    let scenarios = files.iter().map(|file| Scenario::read(file)).collect::<Result<Vec<_>, _>>()?;
    Ok(scenarios.into_iter().filter(|scenario| scenario.suite <= suite).collect())
}

fn number(file: &Path) -> u32 {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.split('-').next().and_then(|text| text.parse().ok()).unwrap_or(u32::MAX)
}

/// As far as the machine allows; the children inherit it.
fn raise_descriptors() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // What is missing shows as calls that are lost.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS.min(hard), hard);
    }
}

fn say(text: impl Display) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

fn note(text: impl Display) {
    // Without a stderr there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
