//! Where control is, for every command that asks it.

use clap::Args as Group;

use crate::http::Origin;

/// Where control answers operators.
#[derive(Debug, Group)]
pub struct ControlAt {
    /// Address of control's HTTP listener
    #[arg(long, value_name = "ADDRESS", env = "OUTRIGGER_CONTROL_HTTP", default_value = "127.0.0.1:8000")]
    pub control: Origin,
}
