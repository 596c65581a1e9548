//! Sessions as members of a crowd have them: where one lives, and what its replica must answer.
//!
//! In: a line to one proxy. Out: whether the answer came from the replica that has what is asked for.
//! Never here: which proxy is asked; that is `crowd`.
//! Invariant: a count is wrong whenever a call ran elsewhere, twice or not at all.

use anyhow::Result;

use crate::crowd::{Habit, Heard, Line};
use crate::mcp::{self, Session};
use crate::peers::Sdk;

/// Sessions of a revision that has them, each with a count of its own.
#[derive(Clone)]
pub struct Sessions {
    pub sdk: Sdk,
}

pub struct Counting {
    pub session: Session,
    pub place: Place,
}

/// Where something lives, as its answers say.
#[derive(Debug, Default)]
pub struct Place {
    pub replica: Option<String>,
    pub count: u64,
}

impl Habit for Sessions {
    type Member = Counting;

    async fn arrive(&self, line: &mut Line, _: usize) -> Result<Counting> {
        Ok(Counting { session: Session::open(&line.url).await?, place: Place::default() })
    }

    async fn step(&self, member: &mut Counting, line: &mut Line) -> Result<Heard> {
        let body = mcp::tool_call(7, self.sdk.tool()).to_string();
        let text = mcp::text_of(&line.post(&member.session.headers(), body).await?)?;
        member.place.hear(self.sdk, &text)
    }
}

impl Place {
    /// The next answer must be of the same replica and, where the agent counts, one further.
    pub fn hear(&mut self, sdk: Sdk, text: &str) -> Result<Heard> {
        let replica = sdk.replica_in(text)?;
        let is_home = self.replica.as_ref().is_none_or(|home| *home == replica);
        self.count += 1;
        let is_next = sdk == Sdk::Everything || text.ends_with(&format!(" counts {}", self.count));
        if is_home && is_next {
            self.replica = Some(replica);
            return Ok(Heard::Right);
        }
        let home = self.replica.as_deref().unwrap_or("anyone");
        Ok(Heard::Misrouted(format!("`{text}` where {home} had to count {}", self.count)))
    }
}
