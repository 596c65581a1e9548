//! Publishes what another replica of control made, and makes what others need where this one leads.
//!
//! Invariant: a view keeps its watchers when the lead changes hands: the same view goes on with editions of another making.

use std::sync::{Arc, Weak};

use outrigger_control_core::rollout::lane::{Lane, Membership};
use outrigger_control_core::snapshot::build::Built;
use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_control_core::snapshot::scope::{Scope, ViewKey};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{error, warn};

use super::{Publisher, REQUESTS_MAX, ViewError, built};
use crate::publish::replicas::{self, Parked, VIEW_WITHIN, held};
use crate::publish::serving;
use crate::publish::view::{Published, View};
use crate::store::{Served, StoreError, Wake};
use crate::writer::Picture;

impl Publisher {
    pub(super) async fn wake(&mut self, wake: Wake) {
        match (self.term, wake) {
            (Some(_), Wake::Committed) => {}
            (Some(_), Wake::Wanted | Wake::Tick) => self.lend().await,
            (None, _) => self.catch_up().await,
        }
    }

    /// This control leads from now on, by what the store remembers of every view.
    pub(super) async fn begin(&mut self, term: u64, ledger: &Ledger) {
        self.catch_up().await;
        self.term = Some(term);
        self.ledger = ledger.clone();
        self.tried = Ledger::default();
        self.failed.clear();
        let Some(replicas) = &mut self.replicas else { return };
        replicas.written.clear();
        for Parked { scope, answer, .. } in std::mem::take(&mut replicas.parked) {
            drop(answer.send(self.view(scope).await));
        }
    }

    /// Only who leads serves the lane of a candidate.
    pub(super) fn leave_lanes(&mut self) {
        self.tried = Ledger::default();
        self.others.retain(|_, view| view.upgrade().is_some_and(|view| view.scope().lane() == Lane::Main));
        self.lanes.send_if_modified(|told| std::mem::take(told) != Membership::default());
    }

    /// Keeps up the views that only watchers of other replicas need.
    async fn lend(&mut self) {
        let Some(replicas) = &self.replicas else { return };
        let wanted = match replicas.store.wanted().await {
            Ok(wanted) => wanted,
            Err(error) => return self.failing(&error),
        };
        let mut lent = Vec::with_capacity(wanted.len());
        for one in &wanted {
            match replicas::scope(one) {
                Ok(Some(scope)) => match self.view(scope).await {
                    Ok(view) => lent.push(view),
                    Err(error) => warn!(view = %one.view, %error, "a view that another control needs cannot be made"),
                },
                Ok(None) | Err(_) => warn!(view = %one.view, "another control needs a view that makes no sense"),
            }
        }
        if let Some(replicas) = &mut self.replicas {
            replicas.lent = lent;
            replicas.is_failing = false;
        }
    }

    /// Takes over what the leader stored since.
    async fn catch_up(&mut self) {
        self.others.retain(|_, view| view.strong_count() > 0);
        let views: Vec<Arc<View>> = self.all();
        let Some(replicas) = &mut self.replicas else { return };
        let parked = replicas.parked.iter().map(|parked| parked.scope.clone());
        let watched = views.iter().map(|view| view.scope().clone()).filter(|scope| *scope.key() != ViewKey::base());
        let scopes: Vec<Scope> = watched.chain(parked).collect();
        let mut asked: Vec<_> = views.iter().map(|view| held(view.key(), Some(&view.newest().edition))).collect();
        asked.extend(replicas.parked.iter().map(|parked| held(parked.scope.key(), None)));
        let read = match replicas.ask(&scopes, false).await {
            Ok(()) => replicas.store.served(&asked).await,
            Err(error) => Err(error),
        };
        match read {
            Ok(served) => {
                replicas.is_failing = false;
                for one in served {
                    self.take(one);
                }
            }
            Err(error) => self.failing(&error),
        }
        self.give_up_late();
    }

    fn take(&mut self, served: Served) {
        if served.epoch != self.base.newest().edition.epoch {
            // Another store in place of ours: the writer notices, and control ends.
            return;
        }
        let key = served.view.clone();
        let view = self.all().into_iter().find(|view| *view.key() == key);
        let before = view.as_ref().map(|view| view.newest());
        let edition = match serving::edition(before.as_ref().map(|before| &*before.edition), served) {
            Ok(edition) => Arc::new(edition),
            Err(bad) => {
                return error!(view = %key, %bad, "the stored snapshot cannot be served; the last good one stays");
            }
        };
        self.metrics.publish_editions.inc();
        let picture = self.writer.picture();
        match view {
            Some(view) => {
                let before = before.map(|before| before.built).unwrap_or_default();
                let built = built(&picture, view.scope()).map_or(before, Arc::new);
                let intent = picture.head(view.scope()).number;
                view.publish(Published { edition, built, intent });
            }
            None => self.hand_out(&key, &edition, &picture),
        }
        self.count(&picture);
    }

    /// A view that somebody waits for is there.
    fn hand_out(&mut self, key: &ViewKey, edition: &Arc<crate::publish::edition::Edition>, picture: &Picture) {
        let Some(replicas) = &mut self.replicas else { return };
        let (ready, waiting) =
            std::mem::take(&mut replicas.parked).into_iter().partition(|parked| parked.scope.key() == key);
        replicas.parked = waiting;
        let ready: Vec<Parked> = ready;
        let Some(scope) = ready.first().map(|parked| parked.scope.clone()) else { return };
        let built: Built = built(picture, &scope).unwrap_or_default();
        let intent = picture.head(&scope).number;
        let published = Published { edition: Arc::clone(edition), built: Arc::new(built), intent };
        let remembers = !scope.has_keys();
        let view = View::new(scope, published);
        let view = Arc::new(if remembers { view.remembering(None) } else { view });
        self.others.insert(key.clone(), Arc::downgrade(&view));
        for parked in ready {
            // Whoever asked may have gone.
            drop(parked.answer.send(Ok(Arc::clone(&view))));
        }
    }

    /// Has a watcher wait until the leader has made its view.
    pub(super) async fn park(&mut self, scope: Scope, answer: oneshot::Sender<Result<Arc<View>, ViewError>>) {
        if let Some(view) = self.others.get(scope.key()).and_then(Weak::upgrade) {
            return drop(answer.send(Ok(view)));
        }
        let Some(replicas) = &mut self.replicas else { return };
        if replicas.parked.len() >= REQUESTS_MAX {
            return drop(answer.send(Err(ViewError::Many)));
        }
        let until = Instant::now() + VIEW_WITHIN;
        let asked = replicas.ask(std::slice::from_ref(&scope), true).await;
        replicas.parked.push(Parked { scope, until, answer });
        match asked {
            // The leader may have it already.
            Ok(()) => self.catch_up().await,
            Err(error) => self.failing(&error),
        }
    }

    fn give_up_late(&mut self) {
        let Some(replicas) = &mut self.replicas else { return };
        let now = Instant::now();
        let (late, waiting) = std::mem::take(&mut replicas.parked).into_iter().partition(|parked| parked.until <= now);
        replicas.parked = waiting;
        let late: Vec<Parked> = late;
        for parked in late {
            drop(parked.answer.send(Err(ViewError::Late)));
        }
    }

    /// Shows operators what a picture says, beside the editions that the leader made.
    pub(super) fn show(&self, picture: &Picture) {
        for view in self.all() {
            let Published { edition, built: before, intent } = view.newest();
            let number = picture.head(view.scope()).number;
            if let Ok(now) = built(picture, view.scope())
                && (now != *before || number != intent)
            {
                view.publish(Published { edition, built: Arc::new(now), intent: number });
            }
        }
        self.count(picture);
    }

    fn failing(&mut self, cause: &StoreError) {
        if let Some(replicas) = &mut self.replicas
            && !std::mem::replace(&mut replicas.is_failing, true)
        {
            warn!(error = %cause, "the store cannot be read; what was read last is served on");
        }
    }
}
