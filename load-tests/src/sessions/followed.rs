//! What it costs a calling proxy to follow a session: CPU per call in sessions, beside calls that nothing binds.
//!
//! In: [`Options`]. Out: a row.
//! Invariant: the kinds of calls take turns on one mesh in one run, in an order that is shuffled for each round.

use crate::echo::Era;
use crate::generate::book::Book;
use crate::generate::{Crew, Dress, saturate};
use crate::machine::about::{About, first_line};
use crate::machine::process::cpu;
use crate::outages::OutageError;
use crate::outages::mesh::{Mesh, OWN, Plan, SPREAD};
use crate::peers::Place;
use crate::row::Row;
use crate::stage::redis::Redis;
use crate::tally::Executed;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub rounds: usize,
    /// Of one kind in one round.
    pub calls: u64,
}

const CALLERS: usize = 64;

/// What holds a call at a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Session,
    Affinity,
    Nothing,
}

const KINDS: [Kind; 3] = [Kind::Session, Kind::Affinity, Kind::Nothing];

impl Kind {
    const fn text(self) -> &'static str {
        match self {
            Self::Session => "in a session",
            Self::Affinity => "by the caller's affinity",
            Self::Nothing => "balanced",
        }
    }

    fn dress(self) -> Dress {
        Dress { session: self == Self::Session, ..Dress::plain(Era::Legacy) }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Session | Self::Affinity => OWN,
            Self::Nothing => SPREAD,
        }
    }
}

/// CPU µs per call of one kind, a figure for each round, and calls that failed.
#[derive(Debug, Default)]
struct Cost {
    rounds: Vec<f64>,
    faults: u64,
}

pub async fn measure(place: &Place, options: Options, tell: &dyn Fn(String)) -> Result<Row, OutageError> {
    let version = first_line(&place.outrigger.display().to_string(), &["--version"], None);
    let Options { rounds, calls } = options;
    let says = format!("{rounds} times {calls} calls of each kind on {CALLERS} connections, as fast as answered");
    let mut row = Row::new(About::now(0, vec![version]), "sessions followed", says);
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(place, folder.path()).await?;
    let mesh = Mesh::start(place, &Plan { redis_url: Some(redis.url()), ..Plan::default() }).await?;
    let mut order = fastrand::Rng::with_seed(0);
    let mut kinds = KINDS.map(|kind| (kind, Cost::default()));
    for round in 1..=rounds {
        order.shuffle(&mut kinds);
        for (kind, cost) in &mut kinds {
            one(&mesh, *kind, calls, cost).await?;
            tell(format!("round {round}: {} {:.1} µs", kind.text(), cost.rounds.last().copied().unwrap_or_default()));
        }
    }
    let of = |wanted| kinds.iter().find(|(kind, _)| *kind == wanted).map(|(_, cost)| cost.median());
    let [session, affinity, nothing] = KINDS.map(|kind| of(kind).unwrap_or_default());
    row.figure(format!("CPU of a call {}", Kind::Session.text()), session, "µs");
    row.figure(format!("CPU of a call {}", Kind::Affinity.text()), affinity, "µs");
    row.figure(format!("CPU of a call {}", Kind::Nothing.text()), nothing, "µs");
    row.figure("in a session to by affinity", session / affinity, "×");
    row.figure("in a session to balanced", session / nothing, "×");
    row.at_most("faults", kinds.iter().map(|(_, cost)| cost.faults).sum::<u64>() as f64, "", 0.0);
    row.note(
        "CPU is that of the calling proxy, which speaks mTLS to the proxies of three replicas; medians over the rounds",
    );
    row.about.finish();
    Ok(row)
}

async fn one(mesh: &Mesh, kind: Kind, calls: u64, cost: &mut Cost) -> Result<(), OutageError> {
    let pid = mesh.caller.part.pid()?;
    let crew = Crew::hire(&mesh.target(kind.path()), &kind.dress(), CALLERS).await?;
    let warm = Book::new(CALLERS as u64 * 10);
    let (crew, _) = saturate::run(crew, &warm).await?;
    let book = Book::new(calls);
    let before = cpu(pid)?;
    let (crew, elapsed) = saturate::run(crew, &book).await?;
    let spent = cpu(pid)?.saturating_sub(before);
    crew.dismiss().await;
    cost.rounds.push(spent.as_secs_f64() * 1e6 / calls.max(1) as f64);
    // What the agents executed is asked for by rows about outages; here it is enough that each call was answered rightly.
    let tally = book.close(Executed::default(), elapsed).tally;
    cost.faults += tally.faults();
    Ok(())
}

impl Cost {
    fn median(&self) -> f64 {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(f64::total_cmp);
        rounds.get(rounds.len() / 2).copied().unwrap_or_default()
    }
}
