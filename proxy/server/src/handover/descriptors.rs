//! File descriptors over a Unix socket.
//!
//! Invariant: they travel with exactly one byte, so that nothing which reads ahead can lose them.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::listeners::COUNT;

const SPACE: usize = cmsg_space!(ScmRights(COUNT));

pub async fn send(stream: &UnixStream, descriptors: &[BorrowedFd<'_>; COUNT]) -> io::Result<()> {
    stream
        .async_io(Interest::WRITABLE, || {
            let mut space = [MaybeUninit::uninit(); SPACE];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let byte = [IoSlice::new(b"L")];
            sendmsg(stream, &byte, &mut control, SendFlags::NOSIGNAL).map(drop).map_err(io::Error::from)
        })
        .await
}

pub async fn receive(stream: &UnixStream) -> io::Result<[OwnedFd; COUNT]> {
    stream
        .async_io(Interest::READABLE, || {
            let mut space = [MaybeUninit::uninit(); SPACE];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut byte = [0];
            let mut buffer = [IoSliceMut::new(&mut byte)];
            recvmsg(stream, &mut buffer, &mut control, RecvFlags::CMSG_CLOEXEC)?;
            let rights = control.drain().filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(rights) => Some(rights),
                _ => None,
            });
            let all: Vec<OwnedFd> = rights.flatten().collect();
            all.try_into().map_err(|_| io::ErrorKind::UnexpectedEof.into())
        })
        .await
}
