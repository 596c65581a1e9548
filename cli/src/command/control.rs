//! `outrigger control`: runs the control service until it is told to stop; `outrigger control backup|restore`: copies its store, and brings a
//! copy back.

use outrigger_control::app::{Control, Declaration, Running};
use outrigger_control::store::backup::{BackupError, Summary, backup, restore};
use serde_json::json;
use tracing::{error, info};

use crate::args::{ControlService, Keep, Serve};
use crate::configuration;
use crate::descriptors;
use crate::logging::{self, Logging};
use crate::output;
use crate::ports;
use crate::problem::Problem;
use crate::runtime;
use crate::signals::{Hangups, Signals};

/// Control is never on the path of a call; two threads keep discovery and the store apart.
const THREADS: usize = 2;

pub fn run(ControlService { serve, keep }: ControlService) -> Result<(), Problem> {
    match keep {
        None => serve_on(serve),
        Some(keep) => runtime::block_on(keep_store(&serve, keep)),
    }
}

/// Copies the store, or brings a copy back.
async fn keep_store(serve: &Serve, keep: Keep) -> Result<(), Problem> {
    let settings = configuration::control(serve.file.as_deref())?;
    let failed = |what: &str, cause: BackupError| Problem::failed(what).because(cause);
    let (done, Summary { epoch, serial, replicas }) = match keep {
        Keep::Backup { to } => {
            let summary = backup(&settings.store, &to).await;
            ("copied", summary.map_err(|cause| failed("the store was not copied", cause))?)
        }
        Keep::Restore { from } => {
            let summary = restore(&settings.store, from.as_deref()).await;
            ("restored", summary.map_err(|cause| failed("the store was not restored", cause))?)
        }
    };
    output::say(format_args!("{done}: epoch {epoch}, serial {serial}, {replicas} replicas"))
}

fn serve_on(serve: Serve) -> Result<(), Problem> {
    let settings = configuration::control(serve.file.as_deref())?;
    let logging = logging::start(settings.log.level.as_str(), settings.log.format)?;
    descriptors::raise();
    runtime::server(THREADS)?.block_on(async {
        let mut signals = Signals::listen()?;
        let mut hangups = Hangups::listen()?;
        let mut running = Control::start(settings).await.map_err(unstarted)?;
        if let Some(file) = &serve.ports_file {
            ports::write(file, &json!({"grpc": running.grpc.to_string(), "http": running.http.to_string()}))?;
        }
        loop {
            tokio::select! {
                () = signals.next() => break,
                () = hangups.next() => match reload(&serve, &mut running, &logging).await {
                    Ok(Declaration { number, serial, is_intent_new }) => {
                        info!(intent = number, %serial, is_intent_new, "configuration taken");
                    },
                    Err(problem) => error!("{}", problem.report()),
                },
                () = running.ended() => return Err(Problem::failed("control ended by itself; its log says why")),
            }
        }
        signals.unless_again(running.stop()).await?;
        Ok(())
    })
}

/// Takes the file as it is now, or nothing of it.
async fn reload(serve: &Serve, running: &mut Running, logging: &Logging) -> Result<Declaration, Problem> {
    let settings = configuration::control(serve.file.as_deref())?;
    let level = settings.log.level;
    let refused = |cause| Problem::configuration("the changed configuration is refused").because(cause);
    let declaration = running.reload(settings).await.map_err(refused)?;
    logging.show(level.as_str())?;
    Ok(declaration)
}

/// Why control did not start, with what helps most often.
pub fn unstarted(cause: outrigger_control::app::StartError) -> Problem {
    Problem::failed("control cannot start")
        .because(cause)
        .next("if an address is busy: choose another under `listen:`, or port 0 with --ports-file")
}
