//! Tells watchers what changed: delta discovery over our own resource types.
//!
//! `subscription` and `engine` decide, one stream each; `read` and `codec` are the door to the wire, `stream` reads and
//! writes, `behind` knows what to do about a watcher that is ahead, `serve` takes streams in, `protection` as many as can be served; `watchers` remembers who they are.

pub mod subscription;
pub mod engine;
pub mod codec;
pub mod admission;
pub mod protection;
pub mod read;
mod behind;
pub mod watchers;
pub mod stream;
pub mod serve;
