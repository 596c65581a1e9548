//! Answers operators: plans, publishes, rolls back, and reads the history.
//!
//! In: documents, numbers, who asks and why. Out: an answer, or a [`Refusal`].
//! Never here: HTTP and gRPC; each has its door.
//! Invariant: who is told a serial finds what was published in that snapshot.

use std::sync::Arc;
use std::time::Duration;

use outrigger_control_core::intent::history::{BadSignature, Signature};
use outrigger_control_core::intent::record::IntentRecord;
use outrigger_control_core::plan::finding::{Finding, Severity};
use outrigger_control_core::port::Store;
use outrigger_model::resource::Serial;
use tokio::sync::Semaphore;
use tracing::warn;

use crate::config::document::{Document, DocumentError};
use crate::discovery::watchers::Watchers;
use crate::publish::publisher::Views;
use crate::store::{AnyStore, StoreError};
use crate::writer::{Declaration, NotLeading, NotPublished, Wanted, Writer};

use super::difference::{Difference, differences};
use super::plan::{Plan, Scene, plan};

/// Longest page of the history.
pub const PAGE_MAX: u32 = 100;
/// A document may be a megabyte, so not all of a page are in memory at once.
const READ_AT_ONCE: u32 = 10;
/// A plan builds every view; others wait for it.
const PLANS_AT_ONCE: usize = 1;
/// What is stored becomes a snapshot within a quarter of a second.
const PUBLISHED_WITHIN: Duration = Duration::from_secs(5);

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    writer: Writer,
    store: AnyStore,
    views: Views,
    watchers: Watchers,
    plans: Arc<Semaphore>,
}

/// A document as it is sent.
#[derive(Clone)]
pub enum Sent {
    /// YAML or JSON, as people write it.
    Text(String),
    /// JSON of a program, in which a `$` stands for itself.
    Literal(String),
}

/// Who wants a change, and which intent they saw run.
#[derive(Debug, Clone)]
pub struct Asked {
    pub author: String,
    pub reason: String,
    pub expected: u64,
}

/// What was published.
#[derive(Debug, Clone)]
pub struct Published {
    pub number: u64,
    /// A proxy that runs this snapshot, or a later one, goes by it.
    pub serial: Serial,
    /// False where it ran already.
    pub is_new: bool,
    /// What is odd about it.
    pub findings: Vec<Finding>,
}

/// Why nothing was done, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Signature(#[from] BadSignature),
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Findings(Vec<Finding>),
    #[error("intent {current} runs and not {expected}: somebody changed it meanwhile")]
    Moved { current: u64, expected: u64 },
    #[error("there is no intent {0}")]
    NoIntent(u64),
    #[error("intent {0} is the first; there is none before it to go back to")]
    NoneBefore(u64),
    #[error("the store does not take what is written, and what runs must be stored; nothing was changed")]
    NotStored,
    #[error(transparent)]
    NotLeading(#[from] NotLeading),
    #[error("the store does not answer, and intents are kept there only")]
    Unread,
    #[error("intent {0} is stored and runs, and no snapshot with it could be made in time")]
    Unpublished(u64),
    #[error("control is stopping")]
    Stopping,
}

impl From<NotPublished> for Refusal {
    fn from(refused: NotPublished) -> Self {
        match refused {
            NotPublished::Moved { current, expected } => Self::Moved { current, expected },
            NotPublished::Storing => Self::NotStored,
            NotPublished::NotLeading(not_leading) => Self::NotLeading(not_leading),
            NotPublished::Stopped => Self::Stopping,
        }
    }
}

impl Sent {
    fn read(&self) -> Result<Document, DocumentError> {
        match self {
            Self::Text(text) => Document::read(text),
            Self::Literal(json) => Document::literal(json),
        }
    }
}

impl Desk {
    pub fn new(writer: Writer, store: AnyStore, views: Views, watchers: Watchers) -> Self {
        Self { writer, store, views, watchers, plans: Arc::new(Semaphore::new(PLANS_AT_ONCE)) }
    }

    /// The number of the intent that runs.
    pub fn current(&self) -> u64 {
        self.writer.picture().main.number
    }

    /// What a document would do; one that is none is a plan with one finding.
    pub async fn plan(&self, sent: &Sent) -> Result<Plan, Refusal> {
        match sent.read() {
            Ok(document) => self.plan_of(Arc::new(document)).await,
            Err(bad) => Ok(Plan::refused(self.current(), bad.finding())),
        }
    }

    pub async fn publish(&self, sent: &Sent, asked: Asked) -> Result<Published, Refusal> {
        let document = sent.read().map_err(|bad| Refusal::Findings(vec![bad.finding()]))?;
        self.put_in_force(document, asked, None).await
    }

    /// A document that could be published as it is.
    pub async fn publishable(&self, sent: &Sent) -> Result<Document, Refusal> {
        let document = sent.read().map_err(|bad| Refusal::Findings(vec![bad.finding()]))?;
        self.check(&document).await?;
        Ok(document)
    }

    /// Goes back to an intent; without a number to the one before the one that runs.
    pub async fn roll_back(&self, to: Option<u64>, asked: Asked) -> Result<Published, Refusal> {
        let to = match to {
            Some(to) => to,
            None => {
                let current = self.record(self.current()).await?;
                current.parent.ok_or(Refusal::NoneBefore(current.number))?
            }
        };
        let record = self.record(to).await?;
        let document = Document::literal(&record.document);
        let document = document.map_err(|bad| Refusal::Findings(vec![bad.finding()]))?;
        self.put_in_force(document, asked, Some(record)).await
    }

    /// Newest first, each without its document.
    pub async fn history(&self, before: Option<u64>, limit: u32) -> Result<Vec<IntentRecord>, Refusal> {
        let limit = limit.min(PAGE_MAX);
        let (mut records, mut before) = (Vec::new(), before);
        while let Some(left) = limit.checked_sub(u32::try_from(records.len()).unwrap_or(limit)).filter(|left| *left > 0)
        {
            let page = self.store.intents(before, left.min(READ_AT_ONCE)).await.map_err(unread)?;
            let Some(last) = page.last() else { break };
            before = Some(last.number);
            records.extend(page.into_iter().map(|record| IntentRecord { document: String::new(), ..record }));
        }
        Ok(records)
    }

    pub async fn record(&self, number: u64) -> Result<IntentRecord, Refusal> {
        self.store.intent(number).await.map_err(unread)?.ok_or(Refusal::NoIntent(number))
    }

    pub async fn diff(&self, before: u64, after: u64) -> Result<Vec<Difference>, Refusal> {
        let (before, after) = (self.record(before).await?, self.record(after).await?);
        differences(&before.document, &after.document).ok_or_else(|| {
            warn!(before = before.number, after = after.number, "a stored document is not JSON");
            Refusal::Unread
        })
    }

    async fn plan_of(&self, document: Arc<Document>) -> Result<Plan, Refusal> {
        let _turn = self.plans.acquire().await.map_err(|_| Refusal::Stopping)?;
        let (picture, views) = (self.writer.picture(), self.views.all().await);
        let scene = Scene { picture, views, watchers: self.watchers.list() };
        // Builds every view, which takes a while in a large mesh.
        let planned = tokio::task::spawn_blocking(move || plan(&scene, &document)).await;
        planned.map_err(|error| {
            warn!(%error, "a plan was not finished");
            Refusal::Stopping
        })
    }

    async fn put_in_force(
        &self,
        document: Document,
        asked: Asked,
        back_to: Option<IntentRecord>,
    ) -> Result<Published, Refusal> {
        let Asked { author, reason, expected } = asked;
        let signature = Signature::new(&author, &reason)?;
        let current = self.current();
        if current != expected {
            return Err(Refusal::Moved { current, expected });
        }
        let findings = self.check(&document).await?;
        let wanted = Wanted { signature, expected, document, back_to };
        let Declaration { number, is_intent_new, .. } = self.writer.publish(wanted).await?;
        let serial = self.published(number).await?;
        Ok(Published { number, serial, is_new: is_intent_new, findings })
    }

    /// What is odd about a document that can be published.
    async fn check(&self, document: &Document) -> Result<Vec<Finding>, Refusal> {
        let plan = self.plan_of(Arc::new(document.clone())).await?;
        if plan.is_good() {
            return Ok(plan.findings);
        }
        let errors = plan.findings.into_iter().filter(|finding| finding.severity() == Severity::Error);
        Err(Refusal::Findings(errors.collect()))
    }

    /// The first snapshot that goes by an intent, once there is one.
    async fn published(&self, number: u64) -> Result<Serial, Refusal> {
        let mut editions = self.views.base().follow();
        let goes_by_it = editions.wait_for(|newest| newest.intent >= number);
        match tokio::time::timeout(PUBLISHED_WITHIN, goes_by_it).await {
            Ok(Ok(newest)) => Ok(newest.edition.serial),
            Ok(Err(_)) => Err(Refusal::Stopping),
            Err(_) => Err(Refusal::Unpublished(number)),
        }
    }
}

fn unread(error: StoreError) -> Refusal {
    warn!(%error, "intents could not be read");
    Refusal::Unread
}
