//! One watcher's half of the delta protocol: what to send when a stream opens, and what to answer to each response.
//!
//! In: responses, and the owner's word on a snapshot. Out: requests, and snapshots to offer.
//! Source: `DeltaAggregatedResources` of the xDS v3 protocol, and its rule that an ACK of the manifest means "applied".
//! Never here: sockets, clocks, tasks.
//! Invariant: every response is answered once, with its own nonce; a stream starts from the committed set.

use outrigger_model::requirement::Dependency;
use outrigger_model::resource::ResourceKind;
use outrigger_wire::error::{DecodeError, Wrong};
use outrigger_wire::kind::{MANIFEST, MANIFEST_TYPE_URL, SELF, kind_of, type_url};
use outrigger_wire::proto::discovery::{DeltaDiscoveryRequest, DeltaDiscoveryResponse, Resource};
use outrigger_wire::proto::rpc;
use outrigger_wire::watcher::{self, Watcher};

use crate::staging::{Proposal, Staging};

/// gRPC `INVALID_ARGUMENT`.
const INVALID_ARGUMENT: i32 = 3;
/// Longest text of a NACK, in characters.
const REFUSAL_CHARS_MAX: usize = 1_024;

/// The state of one watcher; it outlives streams.
#[derive(Debug)]
pub struct Exchange {
    watcher: Watcher,
    staging: Staging,
    /// Control said on this stream that the committed set is its newest.
    is_confirmed: bool,
}

/// What to do about a response.
#[derive(Debug)]
pub enum Step {
    /// Nothing but an answer.
    Answer(DeltaDiscoveryRequest),
    /// Control said no more than that the committed snapshot is its newest.
    Current(DeltaDiscoveryRequest),
    /// It was refused; the text says where and why.
    Refuse(DeltaDiscoveryRequest, String),
    /// A whole snapshot: ask the owner, then call [`Exchange::accept`] or [`Exchange::refuse`].
    Offer(Offer),
}

/// A snapshot to offer, and the response that its answer belongs to.
#[derive(Debug)]
pub struct Offer {
    pub proposal: Proposal,
    nonce: String,
}

impl Exchange {
    pub fn new(watcher: Watcher) -> Self {
        let staging = Staging::new(&watcher.view());
        Self { watcher, staging, is_confirmed: false }
    }

    /// From the next stream on this is what the watcher depends on; what is committed stays in use until that stream brings more.
    pub fn need(&mut self, needs: Vec<Dependency>) {
        self.watcher.needs = needs;
        self.staging.see(&self.watcher.view());
    }

    pub fn staging(&self) -> &Staging {
        &self.staging
    }

    /// For what does not come from a stream: the last good file.
    pub fn staging_mut(&mut self) -> &mut Staging {
        &mut self.staging
    }

    /// The first requests of a new stream. What an earlier stream left staged is forgotten.
    ///
    /// Control answers the token of the manifest at once, with the name alone if that is its newest: within one round trip it is
    /// known whether the committed set is current, at the cost of a name. The node says which one runs, so that a control that is behind knows.
    pub fn open(&mut self) -> Vec<DeltaDiscoveryRequest> {
        self.staging.restore();
        self.is_confirmed = false;
        let committed = self.staging.committed();
        let manifest = committed.manifest.iter().map(|held| (SELF.to_owned(), held.envelope.version.clone())).collect();
        let kinds = ResourceKind::ALL.into_iter().map(|kind| (type_url(kind), committed.versions(kind)));
        let mut requests: Vec<_> = kinds
            .chain([(MANIFEST_TYPE_URL, manifest)])
            .map(|(url, versions)| DeltaDiscoveryRequest {
                type_url: url.to_owned(),
                resource_names_subscribe: vec!["*".to_owned()],
                initial_resource_versions: versions,
                ..DeltaDiscoveryRequest::default()
            })
            .collect();
        if let Some(first) = requests.first_mut() {
            let node = first.node.insert(watcher::encode(&self.watcher));
            watcher::set_holds(node, self.staging.runs());
        }
        requests
    }

    /// Takes one response.
    pub fn receive(&mut self, response: DeltaDiscoveryResponse) -> Step {
        let DeltaDiscoveryResponse { type_url: url, nonce, resources, removed_resources, .. } = response;
        if url == MANIFEST_TYPE_URL {
            return self.receive_manifest(resources, nonce);
        }
        let staged = match kind_of(&url) {
            Some(kind) => self.staging.stage(kind, resources, &removed_resources),
            None => Err(DecodeError::field("type_url", Wrong::Type(url.chars().take(128).collect()))),
        };
        match staged {
            Ok(()) => Step::Answer(ack(&url, nonce)),
            Err(bad) => refusal(&url, nonce, bad.to_string()),
        }
    }

    /// The owner applied the offer: it becomes the committed set.
    pub fn accept(&mut self, offer: Offer) -> DeltaDiscoveryRequest {
        self.staging.commit(offer.proposal.next);
        self.is_confirmed = true;
        ack(MANIFEST_TYPE_URL, offer.nonce)
    }

    /// The owner refused the offer: everything stays as it was.
    pub fn refuse(&mut self, offer: Offer, reason: &str) -> DeltaDiscoveryRequest {
        self.staging.restore();
        nack(MANIFEST_TYPE_URL, offer.nonce, reason)
    }

    fn receive_manifest(&mut self, resources: Vec<Resource>, nonce: String) -> Step {
        // A removal of the manifest says that there is no snapshot yet; what is committed stays in use.
        let Some(envelope) = resources.into_iter().next_back() else {
            return Step::Answer(ack(MANIFEST_TYPE_URL, nonce));
        };
        if envelope.name != SELF {
            let wrong = Wrong::Other { found: envelope.name, expected: SELF.to_owned() };
            let bad = DecodeError::field("name", wrong).inside_resource(MANIFEST, SELF);
            return refusal(MANIFEST_TYPE_URL, nonce, bad.to_string());
        }
        let committed = self.staging.committed().manifest.as_ref();
        if envelope.resource.is_none() && committed.is_some_and(|held| held.envelope.version == envelope.version) {
            let ack = ack(MANIFEST_TYPE_URL, nonce);
            return if std::mem::replace(&mut self.is_confirmed, true) {
                Step::Answer(ack)
            } else {
                Step::Current(ack)
            };
        }
        let held = committed.map(|held| (held.manifest.epoch, held.manifest.serial, held.manifest.digest));
        match self.staging.propose(envelope) {
            Ok(proposal) => {
                let manifest = &proposal.manifest;
                if held == Some((manifest.epoch, manifest.serial, manifest.digest)) {
                    self.staging.commit(proposal.next);
                    self.is_confirmed = true;
                    return Step::Current(ack(MANIFEST_TYPE_URL, nonce));
                }
                Step::Offer(Offer { proposal, nonce })
            }
            Err(bad) => {
                self.staging.restore();
                refusal(MANIFEST_TYPE_URL, nonce, bad.to_string())
            }
        }
    }
}

fn ack(url: &str, nonce: String) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest { type_url: url.to_owned(), response_nonce: nonce, ..DeltaDiscoveryRequest::default() }
}

fn nack(url: &str, nonce: String, reason: &str) -> DeltaDiscoveryRequest {
    let message = reason.chars().take(REFUSAL_CHARS_MAX).collect();
    let error_detail = Some(rpc::Status { code: INVALID_ARGUMENT, message });
    DeltaDiscoveryRequest { error_detail, ..ack(url, nonce) }
}

fn refusal(url: &str, nonce: String, reason: String) -> Step {
    Step::Refuse(nack(url, nonce, &reason), reason)
}

#[cfg(test)]
mod tests;
