//! Why a proxy does not start; each text says which setting, and what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use outrigger_identity::{ChannelError, MaterialError};

use crate::gateway::GatewayError;
use crate::handover::HandoverError;
use crate::session::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("`{key}`: cannot listen on {address}; {}", listen_hint(cause, address))]
    Listen {
        key: &'static str,
        address: SocketAddr,
        #[source]
        cause: io::Error,
    },
    #[error("`identity`: it cannot be used")]
    Identity(#[from] MaterialError),
    #[error("the listeners for calls do not start")]
    Gateway(#[from] GatewayError),
    #[error("`control.address`: no channel can be made")]
    Control(#[from] ChannelError),
    #[error("`sessions.redis`: it cannot be used")]
    Sessions(#[from] StoreError),
    #[error("`snapshot.file`: {} is in no folder that can be written; create the folder or choose another file", file.display())]
    SnapshotFolder {
        file: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("`handover.socket`: this process does not take over")]
    Handover(#[from] HandoverError),
    #[error("--upgrade: `handover.socket` is not set, so nobody can be asked for the listeners")]
    NoHandover,
    #[error("a listener does not start")]
    Serve(#[source] io::Error),
}

fn listen_hint(cause: &io::Error, address: &SocketAddr) -> String {
    match cause.kind() {
        io::ErrorKind::AddrInUse => {
            let port = address.port();
            format!(
                "another program has the port (`ss -ltnp 'sport = :{port}'` names it); end it or choose another port"
            )
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address; choose one of its own".to_owned(),
        io::ErrorKind::PermissionDenied => "the port needs a privilege; choose one above 1023".to_owned(),
        _ => "check the address".to_owned(),
    }
}
