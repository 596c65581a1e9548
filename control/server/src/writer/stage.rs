//! Where everybody sees what the writer shows.

use std::sync::Arc;

use outrigger_control_core::rollout::course::Rollout;
use tokio::sync::watch;

use super::message::Storing;
use super::picture::Picture;
use super::reign::Reign;

#[derive(Debug, Clone)]
pub struct Stage {
    pub show: watch::Sender<Arc<Picture>>,
    pub tell: watch::Sender<Storing>,
    pub reign: watch::Sender<Reign>,
    /// The newest rollout, whoever moves it.
    pub rollouts: watch::Sender<Option<Arc<Rollout>>>,
}
