//! The control service: registration, snapshots, discovery, store.
