//! `outrigger proxy`: runs one proxy until it is told to stop.

use outrigger_proxy::app::{Ports, Proxy, StartError};
use serde_json::{Value, json};

use crate::args::Beside;
use crate::configuration;
use crate::logging;
use crate::ports;
use crate::problem::Problem;
use crate::runtime;
use crate::signals::Signals;

pub fn run(Beside { serve, upgrade }: Beside) -> Result<(), Problem> {
    let settings = configuration::proxy(serve.file.as_deref())?;
    logging::start(settings.log.level.as_str(), settings.log.format)?;
    runtime::server(settings.threads)?.block_on(async {
        let mut signals = Signals::listen()?;
        let started = if upgrade { Proxy::take_over(settings).await } else { Proxy::start(settings).await };
        let mut running = started.map_err(unstarted)?;
        if let Some(file) = &serve.ports_file {
            ports::write(file, &shown(&running.ports))?;
        }
        let mut taken = running.taken();
        tokio::select! {
            () = signals.next() => signals.unless_again(running.stop()).await,
            () = taken.over() => signals.unless_again(running.retire()).await,
            part = running.ended() => Err(Problem::failed(format!("the proxy's {part} ended by itself; its log says why"))),
        }
    })
}

/// Why a proxy did not start, with what helps most often.
pub fn unstarted(cause: StartError) -> Problem {
    Problem::failed("the proxy cannot start")
        .because(cause)
        .next("if an address is busy: choose another under `listen:`, or port 0 with --ports-file")
}

/// The ports file.
pub fn shown(ports: &Ports) -> Value {
    json!({
        "outbound": ports.outbound.to_string(), "inbound": ports.inbound.to_string(),
        "admin": ports.admin.to_string(), "health": ports.health.to_string(),
    })
}
