//! Where what is seen comes from: the stream that proxies use, or the one that can begin in the middle.

use outrigger_client::{Follower, Observed, Observer, Status};
use tokio::sync::watch;
use tonic::transport::Channel;

pub enum Source<C> {
    Observer { observer: Observer, status: watch::Receiver<Status> },
    Follower { follower: Box<Follower<C>>, trouble: watch::Receiver<Option<String>> },
}

pub enum Next {
    Observed(Observed),
    /// Why nothing comes at the moment, or none: it does again.
    Trouble(Option<String>),
    Ended,
}

impl<C> From<Observer> for Source<C> {
    fn from(observer: Observer) -> Self {
        Self::Observer { status: observer.status(), observer }
    }
}

impl<C: Fn() -> Channel> From<Follower<C>> for Source<C> {
    fn from(follower: Follower<C>) -> Self {
        Self::Follower { trouble: follower.trouble(), follower: Box::new(follower) }
    }
}

impl<C: Fn() -> Channel> Source<C> {
    pub async fn next(&mut self) -> Next {
        match self {
            Self::Observer { observer, status } => tokio::select! {
                observed = observer.next() => observed.map_or(Next::Ended, Next::Observed),
                Ok(()) = status.changed() => Next::Trouble(status.borrow_and_update().last_error.clone()),
            },
            Self::Follower { follower, trouble } => tokio::select! {
                observed = follower.next() => Next::Observed(observed),
                Ok(()) = trouble.changed() => Next::Trouble(trouble.borrow_and_update().clone()),
            },
        }
    }

    pub async fn stop(self) {
        if let Self::Observer { observer, .. } = self {
            observer.stop().await;
        }
    }
}
