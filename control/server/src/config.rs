//! What operators write in `control.yaml`, and what control runs by.
//!
//! In: a file as `outrigger-config` read it. Out: [`settings::Settings`], or the key that is wrong and what to do.

pub mod streams;
pub mod rates;
mod retries;
pub mod traffic;
pub mod pools;
pub mod file;
mod sessions;
pub mod declared;
pub mod document;
pub mod settings;
