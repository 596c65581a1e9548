//! Resources as JSON, for people and scripts: whatever the protocol says is shown, in the order and by the names of its files.
//!
//! In: the name of a message, its bytes. Out: the text of one JSON object.
//! The form is that of protobuf with the names of the `.proto` files; 64-bit numbers are texts, because many readers of JSON
//! lose digits of them; bytes are lower-case hex, as digests are everywhere; what has its default is left out.
//! Never here: what may be shown to whom.
//! Invariant: equal bytes give equal text, and a field that is added to a `.proto` file is shown without a change here.

mod schema;
mod value;

pub use schema::Schema;
pub use value::BadBytes;

use outrigger_model::resource::ResourceKind;

use crate::kind::type_url;

impl Schema {
    /// One resource of a snapshot.
    pub fn resource(&self, kind: ResourceKind, bytes: &[u8]) -> Result<String, BadBytes> {
        let url = type_url(kind);
        self.message(url.rsplit_once('/').map_or(url, |(_, name)| name), bytes)
    }

    /// A message by its full name, such as `outrigger.snapshot.v1.Route`.
    pub fn message(&self, name: &str, bytes: &[u8]) -> Result<String, BadBytes> {
        let mut out = String::with_capacity(bytes.len() * 2);
        value::message(self, name, bytes, 0, &mut out)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
