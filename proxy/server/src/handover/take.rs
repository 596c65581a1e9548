//! The process that takes over.
//!
//! In: the path of the socket. Out: the listeners of the process that runs, the generations of its agents, its sessions.
//! Invariant: whatever fails before [`Taken::serving`] leaves the other process as it was.

use std::collections::HashMap;
use std::path::Path;

use outrigger_model::name::ReplicaId;
use outrigger_model::replica::Generation;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tracing::info;

use super::give::ALL;
use super::listeners::Listeners;
use super::luggage::Luggage;
use super::words::{self, FORM, Hello, Offer};
use super::{ANSWER_WITHIN, HandoverError, READY_WITHIN, descriptors};
use crate::lifecycle::Stop;

/// What the other process offered.
pub struct Taken {
    pub generations: HashMap<ReplicaId, Generation>,
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Taken {
    /// Asks the process at `path`, which must be that of `node`.
    pub async fn ask(path: &Path, node: &str, build: String) -> Result<(Self, Listeners), HandoverError> {
        let nobody = |cause| HandoverError::Nobody { path: path.to_owned(), cause };
        let mut stream = UnixStream::connect(path).await.map_err(nobody)?;
        words::say_value(&mut stream, &Hello { form: FORM, build }).await?;
        let descriptors = tokio::time::timeout(ANSWER_WITHIN, descriptors::receive(&stream)).await;
        let listeners = Listeners::from_descriptors(descriptors.map_err(|_| HandoverError::Silent)??);
        let (reader, writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        let offer: Offer = words::value(&mut reader, ANSWER_WITHIN).await?;
        if offer.form != FORM {
            return Err(HandoverError::Unexpected(format!("form {}", offer.form)));
        }
        if offer.node != node {
            return Err(HandoverError::OtherNode { theirs: offer.node, ours: node.to_owned() });
        }
        let generations = offer.replicas.into_iter();
        let generations = generations
            .filter_map(|offered| Some((ReplicaId::new(&offered.replica).ok()?, Generation(offered.generation))));
        Ok((Self { generations: generations.collect(), reader, writer }, listeners))
    }

    /// There is a world to serve: takes in what the other process knows of sessions, which reports no more from now on.
    pub async fn ready(&mut self, luggage: &Luggage) -> Result<(), HandoverError> {
        words::say(&mut self.writer, words::READY).await?;
        let mut taken = 0_usize;
        loop {
            match words::next(&mut self.reader, ANSWER_WITHIN).await? {
                Some(line) if line == ALL => break,
                Some(line) => taken += usize::from(luggage.unpack(&line)),
                None => return Err(HandoverError::Unexpected("nothing".to_owned())),
            }
        }
        info!(taken, "what the other process knows of sessions is known here");
        Ok(())
    }

    /// Calls are accepted here: the other process ends its own.
    pub async fn serving(&mut self) -> Result<(), HandoverError> {
        words::say(&mut self.writer, words::SERVING).await
    }

    /// Takes in what the other process still learns, until it has ended.
    pub async fn follow(mut self, luggage: Luggage, stop: Stop) {
        let following = async {
            // It ends with the other process, or because that one says nothing for too long, and both is fine: a session that is
            // unknown is asked after.
            while let Ok(Some(line)) = words::next(&mut self.reader, READY_WITHIN * 60).await {
                luggage.unpack(&line);
            }
        };
        stop.run_until_cancelled(following).await;
        stop.cancelled().await;
    }
}
