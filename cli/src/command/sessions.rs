//! `outrigger sessions`: what operators do about sessions.

use crate::args::Sessions;
use crate::ask;
use crate::output::say;
use crate::problem::Problem;
use crate::render::cell::text;

pub async fn run(sessions: Sessions) -> Result<(), Problem> {
    match sessions {
        Sessions::RotateKey { at } => {
            let made = ask::post(&at.control, "/v1/session-keys").await?;
            let (key, seconds) = (text(&made, "key"), text(&made, "seals_in_seconds"));
            say(format!("key {key} is shared now and seals new session ids in {seconds} s"))
        }
    }
}
