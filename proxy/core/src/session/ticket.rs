//! A session id that says itself where its session lives, sealed so that only proxies of the mesh can read or make one.
//!
//! In: the place of a session, whose it is and when it began; or an id as a caller sent it. Out: the id; or the binding that it stands for.
//! Form: `o1.<key>.<sealed>`; the agent is part of the seal and not of the text, so an id is of use with one agent only.
//! Never here: whether the replica is there; a binding of an id is judged like any other.
//! Invariant: whatever is not exactly an id that a proxy of this mesh made is [`Unfit`], and callers are told one thing for all of it.

use std::sync::Arc;

use outrigger_model::digest::Digest;
use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_model::secret::Keyring;

use crate::mcp::facts::Caller;
use crate::mcp::headers::SESSION_ID_BYTES_MAX;
use crate::session::bind::Binding;
use crate::session::key::{KeyKind, SessionKey};
use crate::session::seal::{self, Chance, Purpose};
use crate::session::tenure::{Held, Over};
use crate::world::table::World;

const PREFIX: &str = "o1.";
/// Of what is inside; a later form gets another number.
const FORM: u8 = 1;

/// Why an id, or the binding that it stood for, is not followed. For operators: callers are not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unfit {
    /// Made up, altered, of another agent, or of a key that is not in the ring any more.
    Unreadable,
    /// Its session is over by age.
    Expired,
    /// Another workload opened the session.
    OtherCaller,
    /// An operator ended it.
    Revoked,
}

/// Who presents an id, to whom and when.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    pub world: &'a World,
    pub agent: &'a AgentName,
    pub caller: &'a Caller,
    /// Of the id.
    pub key: SessionKey,
    /// Now, in seconds since 1970.
    pub unix: u64,
}

/// Whether it looks like an id of ours; nothing is proven by that.
pub fn is_sealed(id: &[u8]) -> bool {
    id.starts_with(PREFIX.as_bytes())
}

/// The id for a session that the replica knows as `binding.upstream`. None if there is no key, or if it would be too long.
pub fn write(ring: &Keyring, binding: &Binding, ends: u64, chance: Chance) -> Option<Arc<[u8]>> {
    let upstream = binding.upstream.as_deref()?;
    let replica = binding.replica.as_str().as_bytes();
    let mut plain = vec![FORM];
    plain.extend_from_slice(&binding.generation.0.to_be_bytes());
    plain.extend_from_slice(&binding.created.to_be_bytes());
    plain.extend_from_slice(&ends.to_be_bytes());
    plain.extend_from_slice(Digest::of(binding.caller.as_str().as_bytes()).as_bytes());
    plain.push(u8::try_from(replica.len()).ok()?);
    plain.extend_from_slice(replica);
    plain.extend_from_slice(upstream);
    if PREFIX.len() + seal::text_len(ring, plain.len())? > SESSION_ID_BYTES_MAX {
        return None;
    }
    let sealed = seal::seal(ring, Purpose::Id, binding.agent.as_str().as_bytes(), &plain, chance)?;
    Some(Arc::from(format!("{PREFIX}{sealed}").into_bytes()))
}

/// The binding that an id stands for, if it is of this caller and its time is not over. `rings` are tried in their order.
pub fn open<'r>(
    rings: impl IntoIterator<Item = &'r Keyring>,
    id: &[u8],
    presented: Presented<'_>,
) -> Result<Binding, Unfit> {
    let Presented { agent, caller, unix, .. } = presented;
    let sealed = id.strip_prefix(PREFIX.as_bytes()).ok_or(Unfit::Unreadable)?;
    let place = agent.as_str().as_bytes();
    let mut opened = rings.into_iter().filter_map(|ring| seal::open(ring, Purpose::Id, place, sealed));
    let plain = opened.next().ok_or(Unfit::Unreadable)?;
    let (binding, ends, whose) = read(&plain, agent, caller).ok_or(Unfit::Unreadable)?;
    if whose != Digest::of(caller.as_str().as_bytes()) {
        return Err(Unfit::OtherCaller);
    }
    if unix >= ends {
        return Err(Unfit::Expired);
    }
    judge(&binding, presented).map(|()| binding)
}

/// Whether what is remembered of an id still counts.
pub fn judge(binding: &Binding, presented: Presented<'_>) -> Result<(), Unfit> {
    let Presented { world, agent, caller, key, unix } = presented;
    if binding.caller != *caller {
        return Err(Unfit::OtherCaller);
    }
    let held = Held { name: Some(key.name()), kind: KeyKind::Session, began: Some(binding.created) };
    match held.over(world, agent, Some(caller), unix) {
        None => Ok(()),
        Some(Over::Revoked) => Err(Unfit::Revoked),
        Some(Over::Aged) => Err(Unfit::Expired),
    }
}

/// What is inside, with when it ends and the digest of its caller. A seal that opens was made by a proxy, perhaps a newer one.
fn read(plain: &[u8], agent: &AgentName, caller: &Caller) -> Option<(Binding, u64, Digest)> {
    let ([form], rest) = plain.split_first_chunk()?;
    if *form != FORM {
        return None;
    }
    let (generation, rest) = rest.split_first_chunk()?;
    let (created, rest) = rest.split_first_chunk()?;
    let (ends, rest) = rest.split_first_chunk()?;
    let (whose, rest) = rest.split_first_chunk::<32>()?;
    let ([replica_len], rest) = rest.split_first_chunk()?;
    let (replica, upstream) = rest.split_at_checked(usize::from(*replica_len))?;
    let created = u64::from_be_bytes(*created);
    let binding = Binding {
        kind: KeyKind::Session,
        agent: agent.clone(),
        replica: ReplicaId::new(std::str::from_utf8(replica).ok()?).ok()?,
        generation: Generation(u64::from_be_bytes(*generation)),
        moves: 0,
        caller: caller.clone(),
        created,
        last_seen: created,
        upstream: Some(Arc::from(upstream)),
        opening: None,
    };
    Some((binding, u64::from_be_bytes(*ends), Digest::from_bytes(whose)?))
}

impl Unfit {
    pub const ALL: [Self; 4] = [Self::Unreadable, Self::Expired, Self::OtherCaller, Self::Revoked];

    /// For metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Expired => "expired",
            Self::OtherCaller => "other_caller",
            Self::Revoked => "revoked",
        }
    }
}

#[cfg(test)]
mod tests;
