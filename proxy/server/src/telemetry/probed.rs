//! The labels of what probes of the own agents found.

use std::fmt::{self, Write as _};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// What one look at an own agent found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Probed {
    Well,
    /// Its port is closed.
    Closed,
    /// It did not answer in time.
    Late,
    /// It answered that it is not well, or in a way that is not understood.
    Ill,
}

impl Probed {
    pub const ALL: [Self; 4] = [Self::Well, Self::Closed, Self::Late, Self::Ill];
}

impl EncodeLabelValue for Probed {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Well => "well",
            Self::Closed => "closed",
            Self::Late => "late",
            Self::Ill => "ill",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ProbeLabels {
    pub agent: String,
    pub replica: String,
    pub result: Probed,
}
