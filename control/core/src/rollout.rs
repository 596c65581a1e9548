//! A candidate intent that some proxies try before all others get it.
//!
//! `lane` says who tries it, `plan` how it is widened and what it has to bear, `compare` sums up what both groups report, `gate` judges that,
//! `course` is the rollout itself: where it stands, and what may become of it.
//! Never here: intents, views, clocks, stores.

pub mod lane;
pub mod plan;
pub mod compare;
pub mod gate;
pub mod course;
