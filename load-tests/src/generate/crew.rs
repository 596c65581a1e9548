//! Callers that are ready to call: connected, and with a session each where the dress asks for one.
//!
//! In: a target, a dress, how many. Out: a [`Crew`], which a plan of load then puts to work.
//! Invariant: what preparing costs is in no figure; one call of a caller is under way at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use tokio::task::JoinSet;

use super::book::Book;
use super::connection::{CallError, Connection};
use super::dress::{Dress, Opened, Target, Wardrobe};
use super::exchange::{Call, exchange};
use super::pace::PaceError;
use crate::echo::SESSION_HEADER;

#[derive(Debug, thiserror::Error)]
pub enum CrewError {
    #[error("caller cannot begin")]
    Call(#[from] CallError),
    #[error("`initialize` is answered with HTTP {0}")]
    Status(u16),
    #[error("`initialize` is answered without a session id")]
    NoSession,
    #[error("calls cannot be paced")]
    Pace(#[from] PaceError),
    #[error("caller ended badly")]
    Ended(#[from] tokio::task::JoinError),
}

#[derive(Debug)]
pub struct Caller {
    pub connection: Connection,
    pub session: Option<Opened>,
}

pub struct Crew {
    pub wardrobe: Arc<Wardrobe>,
    pub callers: Vec<Caller>,
}

impl Crew {
    pub async fn hire(target: &Target, dress: &Dress, count: usize) -> Result<Self, CrewError> {
        let wardrobe = Arc::new(Wardrobe::new(target, dress));
        let mut callers = Vec::with_capacity(count);
        for number in 0..count as u64 {
            let mut connection = Connection::open(target.address).await?;
            let session = match dress.session {
                true => Some(open(&wardrobe, &mut connection, number).await?.0),
                false => None,
            };
            callers.push(Caller { connection, session });
        }
        Ok(Self { wardrobe, callers })
    }

    /// Puts every caller to `work`, and gives back the crew and the time until the last was done.
    pub async fn work<F>(self, work: impl Fn(Arc<Wardrobe>, Caller) -> F) -> Result<(Self, Duration), CrewError>
    where
        F: Future<Output = Caller> + Send + 'static,
    {
        let started = Instant::now();
        let mut under_way = JoinSet::new();
        for caller in self.callers {
            under_way.spawn(work(Arc::clone(&self.wardrobe), caller));
        }
        let mut callers = Vec::new();
        while let Some(caller) = under_way.join_next().await {
            callers.push(caller?);
        }
        Ok((Self { wardrobe: self.wardrobe, callers }, started.elapsed()))
    }

    /// Ends the sessions, so that no peer is left with them.
    pub async fn dismiss(self) {
        for mut caller in self.callers {
            if let Some(session) = &caller.session {
                end(&self.wardrobe, &mut caller.connection, session).await;
            }
        }
    }
}

impl Caller {
    /// Makes one call and settles it.
    pub async fn call(&mut self, wardrobe: &Wardrobe, book: &Book, number: u64) {
        let session = self.session.as_ref();
        let request = wardrobe.call(number, session);
        let home = session.map(|session| session.home.as_str());
        let call = Call { number, ask: wardrobe.dress.mix.ask(number), home };
        exchange(&mut self.connection, request, call, book).await;
    }
}

/// Opens session `number`: `initialize`, and the notification that it is taken up. Also the time to the first byte.
pub async fn open(
    wardrobe: &Wardrobe,
    connection: &mut Connection,
    number: u64,
) -> Result<(Opened, Duration), CrewError> {
    let uri = wardrobe.uri(number).clone();
    let began = Instant::now();
    let response = connection.send(wardrobe.initialize(&uri)).await?;
    let first_byte = began.elapsed();
    if !response.status().is_success() {
        return Err(CrewError::Status(response.status().as_u16()));
    }
    let id = response.headers().get(SESSION_HEADER).cloned().ok_or(CrewError::NoSession)?;
    let body = response.into_body().collect().await.map_err(CallError::from)?.to_bytes();
    let home = home(&body).ok_or(CrewError::NoSession)?;
    let opened = Opened { id, home, uri };
    let response = connection.send(wardrobe.initialized(&opened)).await?;
    response.into_body().collect().await.map_err(CallError::from)?;
    Ok((opened, first_byte))
}

/// Ends a session; one that cannot be ended is forgotten by its peer in time.
pub async fn end(wardrobe: &Wardrobe, connection: &mut Connection, session: &Opened) {
    if let Ok(response) = connection.send(wardrobe.end(session)).await {
        drop(response.into_body().collect().await);
    }
}

fn home(body: &[u8]) -> Option<String> {
    let message: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(message.pointer("/result/serverInfo/name")?.as_str()?.to_owned())
}
