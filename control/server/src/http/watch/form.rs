//! What readers are told, as server-sent events or as lines of JSON.
//!
//! Invariant: a piece has an `id` only where a reader that was told everything before it may go on from there.

use outrigger_wire::json::{BadBytes, Schema};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::publish::step::Touch;
use crate::watch::cursor::{Say, body};
use crate::watch::words::origin;
use outrigger_model::position::Position;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Events,
    Lines,
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(flatten)]
    data: &'a Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    epoch: String,
    serial: u64,
    digest: String,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<ChangeItem<'a>>>,
}

#[derive(Serialize)]
struct ChangeItem<'a> {
    r#type: &'static str,
    name: &'a str,
    op: &'static str,
    token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
}

impl Form {
    pub const LINES: &'static str = "application/x-ndjson";

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Events => "text/event-stream",
            Self::Lines => Self::LINES,
        }
    }

    pub fn say(self, say: &Say, bodies: bool, schema: &Schema) -> Result<String, BadBytes> {
        let edition = &say.edition;
        let reason = origin(edition).map(|(reason, _)| reason).unwrap_or_default();
        let id = Position { epoch: edition.epoch, serial: edition.serial }.to_string();
        let data = |changes| Data {
            epoch: edition.epoch.to_string(),
            serial: edition.serial.0,
            digest: edition.digest.to_string(),
            reason: &reason,
            changes,
        };
        let mut text = String::new();
        if say.is_reset {
            self.write("reset", None, &data(None), &mut text);
        }
        if !say.changes.is_empty() {
            let items = say.changes.iter().map(|touch| item(say, touch, bodies, schema));
            let items = items.collect::<Result<Vec<_>, BadBytes>>()?;
            self.write("changes", Some(&id).filter(|_| say.is_synced), &data(Some(items)), &mut text);
        }
        if say.is_synced {
            self.write("synced", Some(&id), &data(None), &mut text);
        }
        Ok(text)
    }

    /// `moved`: where the reader is by now, without having been told anything.
    pub fn sign_of_life(self, moved: Option<Position>) -> String {
        match (self, moved) {
            (Self::Lines, _) => "\n".to_owned(),
            (Self::Events, None) => ":\n\n".to_owned(),
            // An event without data is not shown to a reader, and its id counts.
            (Self::Events, Some(position)) => format!(":\nid: {position}\n\n"),
        }
    }

    fn write(self, event: &'static str, id: Option<&String>, data: &Data<'_>, text: &mut String) {
        // Texts, numbers and values that are JSON already: nothing of it can fail.
        match self {
            Self::Events => {
                let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
                let data = serde_json::to_string(data).unwrap_or_default();
                text.push_str(&format!("{id}event: {event}\ndata: {data}\n\n"));
            }
            Self::Lines => {
                text.push_str(&serde_json::to_string(&Line { event, id: id.cloned(), data }).unwrap_or_default());
                text.push('\n');
            }
        }
    }
}

fn item<'a>(say: &Say, touch: &'a Touch, bodies: bool, schema: &Schema) -> Result<ChangeItem<'a>, BadBytes> {
    let body = body(&say.edition, touch).filter(|_| bodies);
    let body = body.map(|bytes| schema.resource(touch.kind, bytes)).transpose()?;
    Ok(ChangeItem {
        r#type: touch.kind.as_str(),
        name: &touch.name,
        op: touch.op.as_str(),
        token: touch.token.to_string(),
        body: body.and_then(|text| RawValue::from_string(text).ok()),
    })
}
