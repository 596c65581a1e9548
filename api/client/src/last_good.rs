//! The last good snapshot on disk: one file that is either whole or refused, and the one before it.
//!
//! Form: magic, format, epoch, serial, digest, length, a `DeltaDiscoveryResponse` of all resources and the manifest,
//! then the SHA-256 of everything before it. All numbers are big-endian.
//! Invariants: a file that was cut, changed or is not ours is refused; a crash at any moment leaves a whole file
//! behind; a broken file never takes the place of the previous good one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use outrigger_model::digest::Digest;
use outrigger_model::resource::{Epoch, Serial};
use outrigger_wire::proto::discovery::DeltaDiscoveryResponse;
use prost::Message;

use crate::committed::Committed;

const MAGIC: &[u8; 8] = b"OUTRIGGR";
const FORMAT: u32 = 1;
/// Magic, format, epoch, serial, digest, length.
const HEAD_BYTES: usize = 8 + 4 + 4 + 8 + 32 + 8;
const DIGEST_BYTES: usize = 32;
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    pub epoch: Epoch,
    pub serial: Serial,
    /// Of the snapshot, as its manifest says.
    pub digest: Digest,
    pub message: DeltaDiscoveryResponse,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Replaced,
    /// The file is newer, and of the same epoch and view.
    Kept,
}

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{path} cannot be {verb}")]
    Io {
        path: PathBuf,
        verb: &'static str,
        #[source]
        cause: io::Error,
    },
    #[error("there is no snapshot in it: {0}")]
    Broken(Broken),
}

/// Why bytes are not an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("it is not a snapshot file")]
    Foreign,
    #[error("format {0} is not one that this build reads")]
    Format(u32),
    #[error("it is cut off")]
    Cut,
    #[error("it is larger than {FILE_BYTES_MAX} bytes")]
    Large,
    #[error("its checksum does not match its content")]
    Checksum,
    #[error("its content is not a set of resources")]
    Content,
}

impl Image {
    /// The image of an accepted snapshot; none before the first.
    pub fn of(committed: &Committed) -> Option<Self> {
        let manifest = &committed.manifest.as_ref()?.manifest;
        let message = committed.message();
        Some(Self { epoch: manifest.epoch, serial: manifest.serial, digest: manifest.digest, message })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let content = self.message.encode_to_vec();
        let mut bytes = Vec::with_capacity(HEAD_BYTES + content.len() + DIGEST_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_be_bytes());
        bytes.extend_from_slice(&self.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&self.serial.0.to_be_bytes());
        bytes.extend_from_slice(self.digest.as_bytes());
        bytes.extend_from_slice(&(content.len() as u64).to_be_bytes());
        bytes.extend_from_slice(&content);
        let checksum = Digest::of(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Broken> {
        let mut rest = bytes;
        if take::<8>(&mut rest)? != *MAGIC {
            return Err(Broken::Foreign);
        }
        let format = u32::from_be_bytes(take(&mut rest)?);
        if format != FORMAT {
            return Err(Broken::Format(format));
        }
        let epoch = Epoch(u32::from_be_bytes(take(&mut rest)?));
        let serial = Serial(u64::from_be_bytes(take(&mut rest)?));
        let digest = Digest::from_bytes(&take::<32>(&mut rest)?).ok_or(Broken::Cut)?;
        let length = usize::try_from(u64::from_be_bytes(take(&mut rest)?)).map_err(|_| Broken::Cut)?;
        let (content, checksum) = rest.split_at_checked(length).ok_or(Broken::Cut)?;
        let covered = bytes.len().checked_sub(DIGEST_BYTES).and_then(|end| bytes.get(..end)).ok_or(Broken::Cut)?;
        if checksum != Digest::of(covered).as_bytes() {
            return Err(if checksum.len() < DIGEST_BYTES { Broken::Cut } else { Broken::Checksum });
        }
        let message = DeltaDiscoveryResponse::decode(content).map_err(|_| Broken::Content)?;
        Ok(Self { epoch, serial, digest, message })
    }
}

/// Reads one file; none if there is none.
pub fn read(path: &Path) -> Result<Option<Image>, FileError> {
    let failed = |cause| FileError::Io { path: path.to_owned(), verb: "read", cause };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed(cause)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(FileError::Broken(Broken::Large));
    }
    Image::from_bytes(&bytes).map(Some).map_err(FileError::Broken)
}

/// Puts an image in place of the file, and the file, if it is good, in place of the previous one.
///
/// The new file is complete on disk before anything is renamed, and the renames before this returns.
pub fn write(path: &Path, image: &Image) -> Result<Written, FileError> {
    let current = read(path).ok().flatten();
    if let Some(current) = &current
        && current.epoch == image.epoch
        && current.message.system_version_info == image.message.system_version_info
        && current.serial > image.serial
    {
        return Ok(Written::Kept);
    }
    let failed = |verb| move |cause| FileError::Io { path: path.to_owned(), verb, cause };
    let fresh = beside(path, "new");
    match fs::remove_file(&fresh) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {}
        done => done.map_err(failed("replaced"))?,
    }
    // Created with its final mode: the addresses of the mesh are nobody else's business, not even for a moment.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
    let mut file = file.map_err(failed("created"))?;
    file.write_all(&image.to_bytes()).map_err(failed("written"))?;
    file.sync_all().map_err(failed("synced"))?;
    if current.is_some() {
        fs::rename(path, previous(path)).map_err(failed("kept as the previous one"))?;
    }
    fs::rename(&fresh, path).map_err(failed("replaced"))?;
    // A rename survives a power cut only once the folder is on disk.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("synced with its folder"))?;
    Ok(Written::Replaced)
}

/// Where the file before the last one is: `snapshot.bin` → `snapshot.prev.bin`.
pub fn previous(path: &Path) -> PathBuf {
    beside(path, "prev")
}

fn beside(path: &Path, word: &str) -> PathBuf {
    let extension = match path.extension() {
        Some(extension) => format!("{word}.{}", extension.to_string_lossy()),
        None => word.to_owned(),
    };
    path.with_extension(extension)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Broken> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(Broken::Cut)?;
    *rest = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests;
