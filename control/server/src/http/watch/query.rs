//! What a reader asks for, and where it is.

use axum::http::{HeaderMap, header};
use outrigger_control_core::snapshot::scope::Scope;

use crate::http::problem::Problem;
use crate::watch::cursor::{Filter, Start};
use crate::watch::words::kinds;

use super::form::Form;

const HINT: &str = "write ?types=Route,Endpoints&bodies=true&needs=forecast=weather ^1.2, with a needs= for each need";
const LAST_EVENT_ID: &str = "last-event-id";

pub struct Asked {
    pub filter: Filter,
    pub scope: Scope,
    pub start: Start,
    pub form: Form,
}

pub fn read(pairs: &[(String, String)], headers: &HeaderMap) -> Result<Asked, Problem> {
    let bad = |detail: String| Problem::bad_query(detail, HINT);
    let (mut types, mut needs, mut since, mut bodies) = (Vec::new(), Vec::new(), None, false);
    for (key, value) in pairs {
        match key.as_str() {
            "types" => types.push(value.as_str()),
            "needs" => needs.push(value.as_str()),
            "since" => since = Some(value.as_str()),
            "bodies" => {
                bodies = value.parse().map_err(|_| bad(format!("bodies: `{value}` is neither true nor false")))?;
            }
            other => return Err(bad(format!("`{other}` is not known here"))),
        }
    }
    let filter = Filter { kinds: kinds(types).map_err(|unknown| bad(unknown.to_string()))?, bodies };
    let scope = Scope::parse(&needs).map_err(|wrong| bad(wrong.to_string()))?;
    // The header is what a reader was told last, `since` may be what its address has said from the beginning.
    let told = headers.get(LAST_EVENT_ID).map(|told| told.to_str().unwrap_or_default());
    let start = match told.or(since) {
        None | Some("") => Start::Nothing,
        Some(text) => text.parse().map_or(Start::Lost, Start::At),
    };
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let wants_lines = accepts.flat_map(|accept| accept.split(',')).any(|one| one.trim().starts_with(Form::LINES));
    Ok(Asked { filter, scope, start, form: if wants_lines { Form::Lines } else { Form::Events } })
}
