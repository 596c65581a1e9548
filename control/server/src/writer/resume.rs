//! What becomes of a rollout that was under way when control ended.
//!
//! In: the rollout that the store held, and the intent that came into force with this start, if one did. Out: what is tried from now on.
//! Invariant: a restart promotes nothing and widens nothing: the step is begun anew, or everybody is back on the intent that runs.

use std::time::SystemTime;

use outrigger_control_core::rollout::course::Rollout;
use outrigger_model::resource::Serial;

use crate::config::document::Document;

/// A rollout, and what its candidate says while it lasts.
#[derive(Debug, Default)]
pub struct Resumed {
    pub rollout: Option<Rollout>,
    pub document: Option<Document>,
    /// Whether it ended by this start.
    pub has_ended: bool,
}

/// `next` is the first serial after what was shown before.
pub fn resume(rollout: Option<Rollout>, follows: Option<u64>, next: Serial, now: SystemTime) -> Resumed {
    let Some(mut rollout) = rollout else { return Resumed::default() };
    if rollout.is_over() {
        return Resumed { rollout: Some(rollout), ..Resumed::default() };
    }
    let document = match follows {
        Some(number) => Err(format!("intent {number} came into force meanwhile")),
        None => Document::literal(&rollout.candidate.document)
            .map_err(|bad| format!("this build cannot read its candidate: {}", bad.finding())),
    };
    match document {
        Ok(document) => {
            rollout.resume(now);
            Resumed { rollout: Some(rollout), document: Some(document), has_ended: false }
        }
        Err(why) => {
            rollout.abort(why, next);
            Resumed { rollout: Some(rollout), document: None, has_ended: true }
        }
    }
}
