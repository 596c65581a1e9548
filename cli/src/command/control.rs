//! `outrigger control`: runs the control service until it is told to stop.

use outrigger_control::app::Control;
use serde_json::json;

use crate::args::Serve;
use crate::configuration;
use crate::logging;
use crate::ports;
use crate::problem::Problem;
use crate::runtime;
use crate::signals::Signals;

/// Control is never on the path of a call; two threads keep discovery and the store apart.
const THREADS: usize = 2;

pub fn run(serve: Serve) -> Result<(), Problem> {
    let settings = configuration::control(serve.file.as_deref())?;
    logging::start(settings.log.level.as_str(), settings.log.format)?;
    runtime::server(THREADS)?.block_on(async {
        let mut signals = Signals::listen()?;
        let running = Control::start(settings).await.map_err(unstarted)?;
        if let Some(file) = &serve.ports_file {
            ports::write(file, &json!({"grpc": running.grpc.to_string(), "http": running.http.to_string()}))?;
        }
        tokio::select! {
            () = signals.next() => {}
            () = running.ended() => return Err(Problem::failed("control ended by itself; its log says why")),
        }
        signals.unless_again(running.stop()).await?;
        Ok(())
    })
}

/// Why control did not start, with what helps most often.
pub fn unstarted(cause: outrigger_control::app::StartError) -> Problem {
    Problem::failed("control cannot start")
        .because(cause)
        .next("if an address is busy: choose another under `listen:`, or port 0 with --ports-file")
}
