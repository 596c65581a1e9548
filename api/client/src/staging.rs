//! Stage, then commit: what arrived since the last accepted snapshot, kept beside it until a manifest makes it whole.
//!
//! In: the content of responses, then a manifest. Out: a [`Proposal`], or the field that is wrong.
//! Never here: nonces, streams, files, clocks.
//! What a manifest costs is the work of the kinds that changed: the next set shares all others with the committed one.
//! Invariant: nothing staged is ever seen outside before its manifest was verified and its owner accepted it.

use std::collections::BTreeMap;
use std::sync::Arc;

use outrigger_model::manifest::Manifest;
use outrigger_model::resource::{BadToken, ResourceKind, Token};
use outrigger_model::snapshot::Kinds;
use outrigger_wire::body::Body;
use outrigger_wire::error::{DecodeError, Wrong};
use outrigger_wire::kind::{MANIFEST, MANIFEST_TYPE_URL, SELF, kind_of, type_url};
use outrigger_wire::manifest;
use outrigger_wire::proto::discovery;
use outrigger_wire::resource::Resource;

use crate::change::{Change, Op};
use crate::committed::{Committed, HeldManifest};
use crate::holding::{Held, HeldKind};

/// The committed set and the changes on their way to the next one.
#[derive(Debug, Default)]
pub struct Staging {
    committed: Arc<Committed>,
    view: Arc<str>,
    staged: BTreeMap<ResourceKind, StagedKind>,
}

/// By name; `None` is a removal.
type StagedKind = BTreeMap<Arc<str>, Option<Staged>>;

#[derive(Debug)]
struct Staged {
    held: Held,
    resource: Resource,
}

/// A whole snapshot that awaits its owner's word.
#[derive(Debug)]
pub struct Proposal {
    pub next: Arc<Committed>,
    pub manifest: Manifest,
    pub changes: Vec<Change>,
}

impl Staging {
    /// The staging of a watcher whose needs make this view.
    pub fn new(view: &str) -> Self {
        Self { view: Arc::from(view), ..Self::default() }
    }

    /// What comes from now on is of this view.
    pub fn see(&mut self, view: &str) {
        self.view = Arc::from(view);
    }

    pub fn committed(&self) -> &Arc<Committed> {
        &self.committed
    }

    /// Takes the content of one response in, or nothing of it.
    pub fn stage(
        &mut self,
        kind: ResourceKind,
        resources: Vec<discovery::Resource>,
        removed: &[String],
    ) -> Result<(), DecodeError> {
        let staged = resources.into_iter().filter_map(|envelope| self.open(kind, envelope).transpose());
        let staged = staged.collect::<Result<Vec<_>, DecodeError>>()?;
        let of_kind = self.staged.entry(kind).or_default();
        of_kind.extend(removed.iter().map(|name| (Arc::from(name.as_str()), None)));
        of_kind.extend(staged.into_iter().map(|staged| (Arc::clone(&staged.held.body.name), Some(staged))));
        Ok(())
    }

    /// Takes in everything that [`Committed::message`] wrote, and proposes it.
    pub fn stage_message(&mut self, message: discovery::DeltaDiscoveryResponse) -> Result<Proposal, DecodeError> {
        let mut manifest = None;
        let view = Arc::from(message.system_version_info.as_str());
        for (at, envelope) in message.resources.into_iter().enumerate() {
            let url = envelope.resource.as_ref().map_or("", |any| any.type_url.as_str());
            if url == MANIFEST_TYPE_URL {
                manifest = Some(envelope);
            } else if let Some(kind) = kind_of(url) {
                self.stage(kind, vec![envelope], &[])?;
            } else {
                return Err(DecodeError::item("resources", at, Wrong::Type(url.chars().take(128).collect())));
            }
        }
        match manifest {
            Some(envelope) => self.propose_in(&view, envelope),
            None => Err(DecodeError::here(Wrong::Missing).inside_resource(MANIFEST, SELF)),
        }
    }

    /// Verifies that committed and staged together are what the manifest lists, and puts the snapshot together.
    pub fn propose(&self, envelope: discovery::Resource) -> Result<Proposal, DecodeError> {
        self.propose_in(&self.view, envelope)
    }

    fn propose_in(&self, view: &Arc<str>, envelope: discovery::Resource) -> Result<Proposal, DecodeError> {
        let in_manifest = |bad: DecodeError| bad.inside_resource(MANIFEST, SELF);
        let body = envelope.resource.as_ref();
        let body = body.ok_or_else(|| in_manifest(DecodeError::field("resource", Wrong::Missing)))?;
        let manifest = manifest::from_bytes(&body.value)?;
        // The serial of a view is that of its own last change, so those of two views say nothing of each other.
        if let Some(held) = self.committed.manifest.as_ref().filter(|_| self.committed.view == *view) {
            let (found, held) = (manifest.serial.0, &held.manifest);
            if held.epoch == manifest.epoch && found < held.serial.0 {
                let wrong = Wrong::Older { found, held: held.serial.0 };
                return Err(in_manifest(DecodeError::field("serial", wrong)));
            }
        }
        let (mut next, changes) = self.merge()?;
        manifest::verify(&manifest, &next.held.parts())?;
        next.view = Arc::clone(view);
        next.manifest = Some(HeldManifest { manifest: manifest.clone(), envelope });
        Ok(Proposal { next: Arc::new(next), manifest, changes })
    }

    /// The token of the committed manifest, if it is one of the own view.
    pub fn runs(&self) -> Option<Token> {
        let held = self.committed.manifest.as_ref().filter(|_| self.committed.view == self.view)?;
        Some(manifest::token(&held.manifest))
    }

    /// Makes a proposal the committed set.
    pub fn commit(&mut self, next: Arc<Committed>) {
        self.committed = next;
        self.staged.clear();
    }

    /// Forgets what is staged.
    pub fn restore(&mut self) {
        self.staged.clear();
    }

    fn merge(&self) -> Result<(Committed, Vec<Change>), DecodeError> {
        let before = &self.committed;
        let mut held = before.held.clone();
        let mut resources = before.snapshot.resources().clone();
        let mut changes = Vec::new();
        for (kind, staged) in &self.staged {
            held.edit(*kind, |held| changes.extend(merge_kind(*kind, staged, held, &mut resources)));
        }
        let snapshot = before.snapshot.next(resources).map_err(DecodeError::here)?;
        Ok((Committed { held, snapshot: Arc::new(snapshot), ..Committed::default() }, changes))
    }

    /// Reads one envelope. None: a refresh without a body of something that is held in that version.
    fn open(&self, kind: ResourceKind, envelope: discovery::Resource) -> Result<Option<Staged>, DecodeError> {
        let wrong = |bad: DecodeError| bad.inside_resource(kind.as_str(), &envelope.name);
        let token: Token =
            envelope.version.parse().map_err(|bad: BadToken| wrong(DecodeError::field("version", bad)))?;
        let Some(any) = envelope.resource else {
            let name = envelope.name.as_str();
            let held = match self.staged.get(&kind).and_then(|staged| staged.get(name)) {
                Some(staged) => staged.as_ref().map(|staged| &staged.held),
                None => self.committed.held.get(kind, name),
            };
            return match held {
                Some(held) if held.token == token => Ok(None),
                _ => Err(wrong(DecodeError::field("resource", Wrong::Missing))),
            };
        };
        if any.type_url != type_url(kind) {
            let found = any.type_url.chars().take(128).collect();
            let other = Wrong::Other { found, expected: type_url(kind).to_owned() };
            return Err(wrong(DecodeError::field("type_url", other).inside("resource")));
        }
        let body = Body::from_bytes(kind, &envelope.name, any.value.into());
        let resource = body.decode()?;
        Ok(Some(Staged { held: Held { token, body }, resource }))
    }
}

/// Puts what is staged of one kind into both forms of it; gives what differs in content.
fn merge_kind(kind: ResourceKind, staged: &StagedKind, held: &mut HeldKind, resources: &mut Kinds) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, staged) in staged {
        let mut change = |op, token| changes.push(Change { kind, name: Arc::clone(name), op, token });
        match staged {
            Some(staged) => {
                let old = held.insert(Arc::clone(name), staged.held.clone());
                match old.map(|old| old.body.digest == staged.held.body.digest) {
                    // Only its token is new.
                    Some(true) => continue,
                    Some(false) => change(Op::Changed, staged.held.token),
                    None => change(Op::Added, staged.held.token),
                }
                staged.resource.clone().put(resources);
            }
            None => {
                if let Some(old) = held.remove(name) {
                    change(Op::Removed, old.token);
                    Resource::take(kind, name, resources);
                }
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests;
