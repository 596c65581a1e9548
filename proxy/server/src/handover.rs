//! How one process of a proxy takes over from another: the listening sockets, and what its calls have to know.
//!
//! In: the parts of a running proxy, or the path of its socket. Out: the same listeners in another process, sessions included.
//! Never here: starting and stopping a proxy; `app` does both.
//! Invariant: until the new process has said that it serves, the old one accepts as before and can go on for good.
//!
//! The talk, in lines over a Unix socket of the proxy: `hello`; the four listeners as file descriptors, and an offer; `ready`, when the new
//! process has a world; luggage; `serving`, when it accepts; more luggage, for as long as the old one ends its calls.

pub mod listeners;
pub mod words;
mod descriptors;
pub mod luggage;
pub mod place;
pub mod give;
pub mod take;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// The longest wait for the next thing that the other side says at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The longest time from the offer until the new process has a world. Until then nothing has changed.
pub const READY_WITHIN: Duration = Duration::from_secs(60);

/// Why nothing was handed over; what was served before is served still.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    #[error("no proxy answers at {}; start one without --upgrade", path.display())]
    Nobody {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("a proxy answers at {} already; start with --upgrade to take over from it, or stop it", .0.display())]
    Taken(PathBuf),
    #[error("the socket {} cannot be made; its folder must be there and writable, and the path short", path.display())]
    Socket {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("the proxy that runs is node `{theirs}`, this one is `{ours}`; give both the same `node` and `agents`")]
    OtherNode { theirs: String, ours: String },
    #[error("the other process said `{0}`, which is not what comes next; stop it and start this one without --upgrade")]
    Unexpected(String),
    #[error("the other process did not go on in time")]
    Silent,
    #[error("the talk with the other process broke off")]
    Broke(#[from] io::Error),
    #[error("the other process is served by another user")]
    Stranger,
    #[error("there is no world to serve after {} s; the process that runs goes on", READY_WITHIN.as_secs())]
    NoWorld,
}
