//! The watch client: staging, manifest, ACK and NACK, last-good file.
