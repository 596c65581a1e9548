//! `outrigger up`: a whole mesh in this process, in front of servers that are already running.
//!
//! In: names and URLs. Out: one local address per agent, and a report of what was found.
//! Invariant: what was started is stopped, in order: first the proxy with the calls in it, then control.

pub mod credentials;
pub mod settings;
pub mod view;
pub mod story;

use std::time::Duration;

use outrigger_config::log::LogFormat;
use outrigger_control::app::Control;
use outrigger_proxy::app::Proxy;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};

use crate::args::Up;
use crate::command::{control, proxy};
use crate::http::Origin;
use crate::logging;
use crate::output::say;
use crate::ports;
use crate::problem::Problem;
use crate::runtime;
use crate::signals::Signals;
use crate::target::Target;

use credentials::Credentials;
use view::View;

/// How long agents may take until the first report; those that are later are told of when they come.
const DISCOVERY_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Calls are served by the proxy's threads; these run control beside it.
const THREADS: usize = 2;

pub fn run(up: Up) -> Result<(), Problem> {
    refuse_twins(&up.targets)?;
    // People read the report; of the log they want what is odd and not told there.
    logging::start("warn,outrigger_proxy::health::probe=error", LogFormat::Text)?;
    runtime::server(THREADS)?.block_on(mesh(up))
}

async fn mesh(up: Up) -> Result<(), Problem> {
    let mut signals = Signals::listen()?;
    let credentials = Credentials::make()?;
    let running = Control::start(settings::control(&up, &credentials)?).await;
    let control = running.map_err(|cause| busy(control::unstarted(cause), "--grpc ADDRESS and --http ADDRESS"))?;
    let started = match settings::proxy(&up, &credentials, control.grpc) {
        Ok(settings) => Proxy::start(settings)
            .await
            .map_err(|cause| busy(proxy::unstarted(cause), "--outbound ADDRESS, --admin ADDRESS and --health ADDRESS")),
        Err(problem) => Err(problem),
    };
    let mut proxy = match started {
        Ok(proxy) => proxy,
        Err(problem) => {
            control.stop().await;
            return Err(problem);
        }
    };
    let place = story::Place { grpc: control.grpc, http: control.http, ports: proxy.ports };
    let told = tokio::select! {
        told = tell(&up, &place, &credentials) => told,
        () = signals.next() => Ok(()),
        () = control.ended() => Err(Problem::failed("control ended by itself; its log is above")),
        part = proxy.ended() => Err(Problem::failed(format!("the proxy's {part} ended by itself; its log is above"))),
    };
    let stopped = signals.unless_again(async {
        say("\nstopping: no new calls, those in flight are finished")?;
        proxy.stop().await;
        say("✓ proxy    stopped, agents withdrawn")?;
        control.stop().await;
        say("✓ control  stopped")
    });
    stopped.await?.and(told)
}

/// Reports what stands, then every change, for ever.
async fn tell(up: &Up, place: &story::Place, credentials: &Credentials) -> Result<(), Problem> {
    if let Some(file) = &up.ports_file {
        let mut all = proxy::shown(&place.ports);
        if let Value::Object(fields) = &mut all {
            fields.insert("grpc".to_owned(), json!(place.grpc.to_string()));
            fields.insert("http".to_owned(), json!(place.http.to_string()));
        }
        ports::write(file, &all)?;
    }
    say(story::head(place, &up.targets))?;
    let control = Origin::from(place.http);
    let started = Instant::now();
    let mut clock = tokio::time::interval(LOOK_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut view = View::new(&up.targets);
    let mut reported = false;
    loop {
        clock.tick().await;
        // Control is in this process; a question that fails is asked again a moment later.
        if let Ok(seen) = view::look(&control).await {
            let changes = view.update(seen, started.elapsed());
            if reported {
                changes.iter().try_for_each(say)?;
            }
        }
        if !reported && (view.is_complete() || started.elapsed() >= DISCOVERY_WITHIN) {
            say(story::agents(&view))?;
            say(story::foot(up, place, &view, credentials))?;
            reported = true;
        }
    }
}

/// One agent named twice would be two sets of replicas with the same ids.
fn refuse_twins(targets: &[Target]) -> Result<(), Problem> {
    let twin =
        targets.iter().enumerate().find(|(at, target)| targets.iter().take(*at).any(|other| other.name == target.name));
    twin.map_or(Ok(()), |(_, twin)| {
        let example =
            format!("write its replicas in one: {}=http://127.0.0.1:8081/mcp,http://127.0.0.1:8082/mcp", twin.name);
        Err(Problem::usage(format!("`{}` is named twice", twin.name)).next(example))
    })
}

fn busy(problem: Problem, flags: &str) -> Problem {
    problem.next(format!("if an address is busy, choose others with {flags}; port 0 takes a free one"))
}
