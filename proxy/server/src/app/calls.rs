//! The two listeners for calls.

use std::net::TcpListener;
use std::time::Duration;

/// Bound sockets for calls.
pub(super) struct Calls {
    pub outbound: TcpListener,
    pub inbound: TcpListener,
}

impl Calls {
    pub(super) async fn stop(self, _grace: Duration) {
        drop((self.outbound, self.inbound));
    }
}
