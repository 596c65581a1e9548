//! One key of session ids as a row, with a hash over the whole row.
//!
//! In: a [`HeldKey`], or a row as it was read. Out: the other; none for a row that cannot be believed.
//! Invariant: no text of any kind shows the secret, and a row that is not believed is not kept for people to look at.

use outrigger_control_core::keyring::HeldKey;
use outrigger_model::digest::Digest;
use outrigger_model::secret::{SealKey, Secret};

use super::number::signed;

#[derive(sqlx::FromRow)]
pub struct KeyRow {
    pub id: i64,
    pub secret: Vec<u8>,
    pub made_at: i64,
    pub seals_since: Option<i64>,
    pub hash: Vec<u8>,
}

impl KeyRow {
    pub fn of(held: &HeldKey) -> Self {
        let HeldKey { key: SealKey { id, secret, made }, seals_since } = held;
        let mut row = Self {
            id: i64::from(*id),
            secret: secret.expose().to_vec(),
            made_at: signed(*made),
            seals_since: seals_since.map(signed),
            hash: Vec::new(),
        };
        row.hash = row.digest().as_bytes().to_vec();
        row
    }

    pub fn held(self) -> Option<HeldKey> {
        if self.digest().as_bytes().as_slice() != self.hash {
            return None;
        }
        let secret = Secret::new(self.secret.try_into().ok()?);
        let key = SealKey { id: u32::try_from(self.id).ok()?, secret, made: u64::try_from(self.made_at).ok()? };
        let seals_since = self.seals_since.map(u64::try_from).transpose().ok()?;
        Some(HeldKey { key, seals_since })
    }

    fn digest(&self) -> Digest {
        let Self { id, secret, made_at, seals_since, hash: _ } = self;
        let since = seals_since.map(i64::to_be_bytes);
        let since = since.as_ref().map_or(&[][..], |bytes| bytes);
        Digest::of_parts([&id.to_be_bytes()[..], secret, &made_at.to_be_bytes(), since])
    }
}
