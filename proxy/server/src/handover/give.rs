//! The process that runs, and may be taken over from.
//!
//! In: its listeners, agents, sessions, registration. Out: all of that given to who asks at the socket; word that it was.
//! Invariant: one asks at a time, and is of the same user; if it fails before it serves, everything goes on as before.

use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::io::BufReader;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use super::listeners::Listeners;
use super::luggage::{Luggage, Packed};
use super::words::{self, FORM, Hello, Offer, ReplicaOffer};
use super::{ANSWER_WITHIN, HandoverError, READY_WITHIN, descriptors};
use crate::health::local::LocalReplicas;
use crate::lifecycle::Stop;
use crate::registration::report::Registration;

/// How often sessions that calls still open here are told to the process that took over.
const MORE_EVERY: Duration = Duration::from_millis(200);
/// The end of the luggage that is taken before anything is served.
pub(super) const ALL: &str = "all";

/// What is given.
pub struct Giver {
    pub node: String,
    /// Gone once this process has stopped listening for another reason.
    pub listeners: Weak<Listeners>,
    pub agents: watch::Receiver<LocalReplicas>,
    pub luggage: Luggage,
    pub registration: Option<Registration>,
    /// Set when another process serves.
    pub taken: watch::Sender<bool>,
}

type Lines = (BufReader<OwnedReadHalf>, OwnedWriteHalf);

impl Giver {
    pub async fn serve(self, socket: UnixListener, stop: Stop) {
        let given = stop.run_until_cancelled(async {
            loop {
                let asked = match socket.accept().await {
                    Ok((stream, _)) => self.give(stream).await,
                    Err(error) => Err(HandoverError::Broke(error)),
                };
                match asked {
                    Ok(given) => return given,
                    Err(error) => {
                        tell(&error);
                        sleep(MORE_EVERY).await;
                    }
                }
            }
        });
        let Some((lines, packed)) = given.await else { return };
        info!("another process serves from the same sockets");
        // It ends with the stop of this process.
        self.send_more(lines, packed, &stop).await;
        stop.cancelled().await;
    }

    async fn give(&self, stream: UnixStream) -> Result<(OwnedWriteHalf, Packed), HandoverError> {
        // What is at our own path was made by our own user; a superuser may do the same.
        let own = std::fs::metadata("/proc/self")?.uid();
        let asks = stream.peer_cred()?.uid();
        if asks != own && asks != 0 {
            return Err(HandoverError::Stranger);
        }
        let listeners = self.listeners.upgrade().ok_or(HandoverError::Silent)?;
        let (mut reader, mut writer) = self.offer(stream, &listeners).await?;
        drop(listeners);
        words::expect(&mut reader, words::READY, READY_WITHIN).await?;
        // From here on the other process speaks for the node.
        if let Some(registration) = &self.registration {
            registration.hush();
        }
        let given = self.complete(&mut reader, &mut writer).await;
        match given {
            Ok(packed) => {
                self.taken.send_replace(true);
                Ok((writer, packed))
            }
            Err(error) => {
                if let Some(registration) = &self.registration {
                    registration.resume();
                }
                Err(error)
            }
        }
    }

    async fn offer(&self, stream: UnixStream, listeners: &Arc<Listeners>) -> Result<Lines, HandoverError> {
        let (reader, writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        let hello: Hello = words::value(&mut reader, ANSWER_WITHIN).await?;
        if hello.form != FORM {
            return Err(HandoverError::Unexpected(format!("form {}", hello.form)));
        }
        info!(build = hello.build, "another process asks to take over");
        descriptors::send(writer.as_ref(), &listeners.descriptors()).await?;
        let mut lines = (reader, writer);
        words::say_value(&mut lines.1, &self.offered()).await?;
        Ok(lines)
    }

    fn offered(&self) -> Offer {
        let serving = self.agents.borrow();
        let replicas = serving
            .iter()
            .filter(|replica| replica.serving)
            .map(|replica| ReplicaOffer { replica: replica.id.to_string(), generation: replica.generation.0 });
        Offer { form: FORM, node: self.node.clone(), replicas: replicas.collect() }
    }

    async fn complete(
        &self,
        reader: &mut BufReader<OwnedReadHalf>,
        writer: &mut OwnedWriteHalf,
    ) -> Result<Packed, HandoverError> {
        let mut packed = Packed::default();
        for line in self.luggage.pack(&mut packed) {
            words::say(writer, &line).await?;
        }
        words::say(writer, ALL).await?;
        words::expect(reader, words::SERVING, ANSWER_WITHIN).await?;
        Ok(packed)
    }

    /// Until this process ends, or the other one is gone.
    async fn send_more(&self, mut writer: OwnedWriteHalf, mut packed: Packed, stop: &Stop) {
        loop {
            for line in self.luggage.pack(&mut packed) {
                if words::say(&mut writer, &line).await.is_err() {
                    return;
                }
            }
            if stop.is_cancelled() {
                return;
            }
            // What was learned last goes with the last round.
            let _ = stop.run_until_cancelled(sleep(MORE_EVERY)).await;
        }
    }
}

fn tell(error: &HandoverError) {
    warn!(error = error as &dyn std::error::Error, "a process that was to take over did not; this one goes on");
}
