//! The answer to one request of a client, while it comes.
//!
//! In: messages. Out: one JSON body if the answer is all there is, else a stream of events.
//! Invariant: at most [`WAITING_MAX`] events wait; a client that reads slowly slows its own call and no other.

use std::task::{Context, Poll};

use http::StatusCode;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::events::event;
use super::message::Message;

const WAITING_MAX: usize = 32;
/// When to come again, in seconds, if the target did not say it.
const LATER: &str = "1";

/// What comes next in an answer.
#[derive(Debug)]
pub enum Item {
    Event(String),
    /// The last one.
    End {
        status: StatusCode,
        text: String,
        /// What the target said of when to come again.
        later: Option<String>,
    },
}

/// Where the answer to one request is written.
#[derive(Debug, Clone)]
pub struct Outlet {
    items: mpsc::Sender<Item>,
    /// Several requests share one stream; none of their answers is the last word.
    shared: bool,
}

/// The client does not listen any more.
#[derive(Debug, thiserror::Error)]
#[error("nobody listens any more")]
pub struct Gone;

/// What the gateway writes to the caller.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

#[derive(Debug)]
pub enum Body {
    Empty,
    Json(String),
    Events(Stream),
}

/// Events as they come; dropping it ends what makes them.
#[derive(Debug)]
pub struct Stream {
    first: Option<String>,
    items: mpsc::Receiver<Item>,
    work: Option<AbortOnDropHandle<()>>,
    drain: Drain,
    /// What is said behind all items.
    last: Option<String>,
}

/// What becomes of a stream when the listener drains.
#[derive(Debug)]
enum Drain {
    GoesOn,
    /// Nothing on it has a result to come; the last event, if the revision wants one.
    Ends(Option<String>),
    Ended,
}

impl Outlet {
    pub fn new() -> (Self, mpsc::Receiver<Item>) {
        let (items, receiver) = mpsc::channel(WAITING_MAX);
        (Self { items, shared: false }, receiver)
    }

    pub fn shared(&self) -> Self {
        Self { items: self.items.clone(), shared: true }
    }

    /// For a stream that nobody waits on: what does not fit is dropped, so it is wider.
    pub fn wide() -> (Self, mpsc::Receiver<Item>) {
        let (items, receiver) = mpsc::channel(8 * WAITING_MAX);
        (Self { items, shared: true }, receiver)
    }

    pub fn is_open(&self) -> bool {
        !self.items.is_closed()
    }

    /// Sends without waiting; whether there was room.
    pub fn offer(&self, message: &Message) -> bool {
        self.items.try_send(Item::Event(message.write())).is_ok()
    }

    pub async fn event(&self, message: &Message) -> Result<(), Gone> {
        self.items.send(Item::Event(message.write())).await.map_err(|_| Gone)
    }

    pub async fn end(&self, status: StatusCode, message: &Message) -> Result<(), Gone> {
        self.end_later(status, message, None).await
    }

    /// The same, with what a target said of when to come again.
    pub async fn end_later(&self, status: StatusCode, message: &Message, later: Option<String>) -> Result<(), Gone> {
        let text = message.write();
        let item = if self.shared { Item::Event(text) } else { Item::End { status, text, later } };
        self.items.send(item).await.map_err(|_| Gone)
    }

    /// Ends when nobody listens any more.
    pub async fn closed(&self) {
        self.items.closed().await;
    }
}

impl Answer {
    pub const fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }

    pub fn json(status: StatusCode, message: &Message) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(message.write()) }
    }

    pub fn stream(items: mpsc::Receiver<Item>, work: Option<AbortOnDropHandle<()>>) -> Self {
        let body = Body::Events(Stream { first: None, items, work, drain: Drain::GoesOn, last: None });
        Self { status: StatusCode::OK, headers: Vec::new(), body }
    }

    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Lets a stream end when the listener drains, with `last` if that is given.
    pub fn ending_at_drain(mut self, last: Option<&Message>) -> Self {
        if let Body::Events(stream) = &mut self.body {
            stream.drain = Drain::Ends(last.map(Message::write));
        }
        self
    }

    /// Waits for the first item: the end makes a JSON body, anything else a stream.
    pub async fn of(mut items: mpsc::Receiver<Item>, work: AbortOnDropHandle<()>) -> Self {
        match items.recv().await {
            Some(Item::End { status, text, later }) => {
                let answer = Self { status, headers: Vec::new(), body: Body::Json(text) };
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    return answer.with("retry-after", later.unwrap_or_else(|| LATER.to_owned()));
                }
                answer
            }
            Some(Item::Event(first)) => {
                let body = Body::Events(Stream {
                    first: Some(first),
                    items,
                    work: Some(work),
                    drain: Drain::GoesOn,
                    last: None,
                });
                Self { status: StatusCode::OK, headers: Vec::new(), body }
            }
            None => Self::stream(items, None),
        }
    }
}

impl Stream {
    /// The listener drains: what has no result to come says what waits already, then its last word, and ends what makes it.
    pub fn drain(&mut self) {
        if let Drain::Ends(last) = &mut self.drain {
            let last = last.take();
            self.drain = Drain::Ended;
            self.items.close();
            self.work = None;
            self.last = last;
        }
    }

    pub const fn is_drained(&self) -> bool {
        matches!(self.drain, Drain::Ended)
    }

    /// The bytes of the next event; none at the end.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(event(&first)));
        }
        self.items.poll_recv(cx).map(|item| match item {
            Some(Item::Event(text)) => Some(event(&text)),
            Some(Item::End { text, .. }) => {
                (self.drain, self.last) = (Drain::GoesOn, None);
                Some(event(&text))
            }
            None => self.last.take().map(|text| event(&text)),
        })
    }
}
