//! Which control is reported to: one, for as long as it leads.
//!
//! In: why a stream ended. Out: a channel for the next one.
//! Invariant: a control that follows is left for the one it names, if that is one of ours; else for the next.

use std::fmt;

use outrigger_client::Addresses;
use outrigger_wire::report::LEADER;
use tonic::transport::Channel;

use super::stream::StreamError;

pub struct Controls {
    addresses: Addresses,
    /// Makes a channel that connects when it is used.
    connect: Box<dyn Fn(&str) -> Channel + Send + Sync>,
}

impl Controls {
    pub fn new(addresses: Addresses, connect: impl Fn(&str) -> Channel + Send + Sync + 'static) -> Self {
        Self { addresses, connect: Box::new(connect) }
    }

    pub(super) fn channel(&self) -> Channel {
        (self.connect)(self.addresses.current())
    }

    /// The stream ended.
    pub(super) fn failed(&mut self, why: &StreamError) {
        let leader = match why {
            StreamError::Refused(status) => status.metadata().get(LEADER).and_then(|leader| leader.to_str().ok()),
            StreamError::Silent(_) | StreamError::Ended => None,
        };
        match leader {
            Some(leader) => self.addresses.go_to(leader),
            None => self.addresses.next(),
        }
    }
}

impl fmt::Debug for Controls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Controls({:?})", self.addresses)
    }
}
