//! Callers that are ready to call: connected, and with a session each where the dress asks for one.
//!
//! In: a target, a dress, how many. Out: a [`Crew`], which a plan of load then puts to work.
//! Invariant: what preparing costs is in no figure; one call of a caller is under way at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderValue;
use http_body_util::BodyExt as _;
use tokio::task::JoinSet;

use super::connection::{ANSWER_MAX, CallError, Connection};
use super::dress::{Dress, Target, Wardrobe};
use super::figures::Figures;
use super::pace::PaceError;
use crate::echo::SESSION_HEADER;
use crate::tally::{Back, Executed, Ledger};

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

/// A session, and the replica that holds it.
#[derive(Debug, Clone)]
pub struct Opened {
    pub id: HeaderValue,
    pub home: String,
}

#[derive(Debug)]
pub struct Caller {
    pub connection: Connection,
    pub session: Option<Opened>,
}

/// The account that all callers of a run write to; they share one thread, so nobody waits for it.
#[derive(Debug, Clone)]
pub struct Book(Arc<Mutex<(Ledger, Figures)>>);

impl Book {
    pub fn new(numbers: u64) -> Self {
        Self(Arc::new(Mutex::new((Ledger::new(numbers), Figures::default()))))
    }

    pub fn write<T>(&self, entry: impl FnOnce(&mut Ledger, &mut Figures) -> T) -> T {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (ledger, figures) = &mut *book;
        entry(ledger, figures)
    }

    /// Closes the account. `units` is what CPU time is divided by.
    pub fn close(self, executed: Executed, elapsed: Duration) -> Figures {
        let (ledger, figures) =
            self.write(|ledger, figures| (std::mem::replace(ledger, Ledger::new(0)), std::mem::take(figures)));
        Figures { tally: ledger.close(executed), elapsed, ..figures }
    }
}

pub struct Crew {
    pub wardrobe: Arc<Wardrobe>,
    pub callers: Vec<Caller>,
}

impl Crew {
    pub async fn hire(target: &Target, dress: &Dress, count: usize) -> Result<Self, CrewError> {
        let wardrobe = Arc::new(Wardrobe::new(target, dress));
        let mut callers = Vec::with_capacity(count);
        for _ in 0..count {
            let mut connection = Connection::open(target.address).await?;
            let session = if dress.session { Some(open(&wardrobe, &mut connection).await?) } else { None };
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
                end(&self.wardrobe, &mut caller.connection, &session.id).await;
            }
        }
    }
}

impl Caller {
    /// Makes one call and settles it.
    pub async fn call(&mut self, wardrobe: &Wardrobe, book: &Book, number: u64) {
        let request = wardrobe.call(number, self.session.as_ref().map(|session| &session.id));
        let back = self.ask(request).await;
        let home = self.session.as_ref().map(|session| session.home.as_str());
        book.write(|ledger, _| match &back {
            Ok((status, bytes)) if (200..300).contains(status) => ledger.settle(number, home, Back::Answer(bytes)),
            Ok((status, _)) => ledger.settle(number, home, Back::Refused(*status)),
            Err(_) => ledger.settle(number, home, Back::Lost),
        });
    }

    async fn ask(
        &mut self,
        request: http::Request<http_body_util::Full<bytes::Bytes>>,
    ) -> Result<(u16, bytes::Bytes), CallError> {
        let response = self.connection.send(request).await?;
        let status = response.status().as_u16();
        let body = tokio::time::timeout(ANSWER_MAX, response.into_body().collect());
        let body = body.await.map_err(|_| CallError::Slow)??;
        Ok((status, body.to_bytes()))
    }
}

/// Opens a session: `initialize`, and the notification that it is taken up.
pub async fn open(wardrobe: &Wardrobe, connection: &mut Connection) -> Result<Opened, CrewError> {
    let response = connection.send(wardrobe.initialize()).await?;
    if !response.status().is_success() {
        return Err(CrewError::Status(response.status().as_u16()));
    }
    let id = response.headers().get(SESSION_HEADER).cloned().ok_or(CrewError::NoSession)?;
    let body = response.into_body().collect().await.map_err(CallError::from)?.to_bytes();
    let home = home(&body).ok_or(CrewError::NoSession)?;
    let response = connection.send(wardrobe.initialized(&id)).await?;
    response.into_body().collect().await.map_err(CallError::from)?;
    Ok(Opened { id, home })
}

/// Ends a session; one that cannot be ended is forgotten by its peer in time.
pub async fn end(wardrobe: &Wardrobe, connection: &mut Connection, session: &HeaderValue) {
    if let Ok(response) = connection.send(wardrobe.end(session)).await {
        drop(response.into_body().collect().await);
    }
}

fn home(body: &[u8]) -> Option<String> {
    let message: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(message.pointer("/result/serverInfo/name")?.as_str()?.to_owned())
}
