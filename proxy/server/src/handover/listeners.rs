//! The four listening sockets of a proxy.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

/// Bound sockets that nobody serves yet, or the same ones once more.
#[derive(Debug)]
pub struct Listeners {
    pub outbound: TcpListener,
    pub inbound: TcpListener,
    pub admin: TcpListener,
    pub health: TcpListener,
}

/// So many descriptors travel.
pub const COUNT: usize = 4;

impl Listeners {
    /// Further handles on the same sockets: they listen until the last handle is gone.
    pub fn again(&self) -> io::Result<Self> {
        Ok(Self {
            outbound: self.outbound.try_clone()?,
            inbound: self.inbound.try_clone()?,
            admin: self.admin.try_clone()?,
            health: self.health.try_clone()?,
        })
    }

    /// In the order in which they travel.
    pub(super) fn descriptors(&self) -> [BorrowedFd<'_>; COUNT] {
        [self.outbound.as_fd(), self.inbound.as_fd(), self.admin.as_fd(), self.health.as_fd()]
    }

    pub(super) fn from_descriptors([outbound, inbound, admin, health]: [OwnedFd; COUNT]) -> Self {
        let listener = TcpListener::from;
        Self {
            outbound: listener(outbound),
            inbound: listener(inbound),
            admin: listener(admin),
            health: listener(health),
        }
    }
}
