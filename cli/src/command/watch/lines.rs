//! What is seen, as a line for people or for scripts.

use outrigger_client::{Change, Observed};
use outrigger_model::position::Position;
use outrigger_wire::resource::Resource;
use serde_json::json;

use crate::args::Lines;
use crate::shown;

pub fn line(lines: Lines, observed: &Observed) -> String {
    match observed {
        Observed::Changed { change, resource } => changed(lines, change, resource.as_deref()),
        Observed::Reset { epoch } => match lines {
            Lines::Text => {
                format!("RESET    {epoch}  control has another store, or no longer knows the way: it starts over")
            }
            Lines::Json => json!({"op": "reset", "epoch": epoch.to_string()}).to_string(),
        },
        Observed::Synced { epoch, serial, reason, .. } => {
            let place = Position { epoch: *epoch, serial: *serial };
            match lines {
                Lines::Text => format!("SYNCED   {place}  {reason}"),
                Lines::Json => json!({
                    "op": "synced", "serial": serial.0, "epoch": epoch.to_string(), "since": place.to_string(), "reason": reason,
                })
                .to_string(),
            }
        }
    }
}

fn changed(lines: Lines, change: &Change, resource: Option<&Resource>) -> String {
    let (op, kind, name) = (change.op.as_str(), change.kind.as_str(), &change.name);
    match lines {
        Lines::Text => {
            let rest = resource.map(shown::line).unwrap_or_default();
            format!("{:<8} {kind:<10}  {name}  {rest}", op.to_ascii_uppercase()).trim_end().to_owned()
        }
        Lines::Json => json!({
            "op": op, "kind": kind, "name": &**name, "token": change.token.to_string(),
            "resource": resource.map(shown::document),
        })
        .to_string(),
    }
}

#[cfg(test)]
mod tests;
