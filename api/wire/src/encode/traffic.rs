//! What happens to calls beside being sent to their pool → protobuf.

use outrigger_model::traffic::{Branch, Faults, HeaderEdits, Mirror, Priority, Share, Traffic};

use super::field;
use crate::proto::snapshot as wire;
use crate::proto::snapshot::traffic as part;

pub fn traffic(traffic: &Traffic) -> wire::Traffic {
    let Traffic { branches, mirror, faults, headers, priority } = traffic;
    let priority = match priority {
        Priority::Low => part::Priority::Low,
        Priority::Normal => part::Priority::Normal,
        Priority::High => part::Priority::High,
    };
    wire::Traffic {
        branches: branches.iter().map(branch).collect(),
        mirror: mirror.as_ref().map(mirrored),
        faults: faults.as_ref().map(faulty),
        headers: Some(edits(headers)),
        priority: priority.into(),
    }
}

fn branch(branch: &Branch) -> part::Branch {
    part::Branch {
        headers: headers(&branch.when.headers),
        callers: branch.when.callers.clone(),
        shares: branch.shares.iter().map(share).collect(),
    }
}

fn share(share: &Share) -> part::Share {
    part::Share { pool: share.pool.to_string(), weight: share.weight.into() }
}

fn mirrored(mirror: &Mirror) -> part::Mirror {
    part::Mirror { pool: mirror.pool.to_string(), percent: mirror.percent.into() }
}

fn faulty(faults: &Faults) -> part::Faults {
    part::Faults {
        percent: faults.percent.into(),
        delay: faults.delay.map(field::duration),
        status: faults.status.map(u32::from),
    }
}

fn edits(edits: &HeaderEdits) -> part::HeaderEdits {
    part::HeaderEdits { remove: edits.remove.clone(), set: headers(&edits.set), add: headers(&edits.add) }
}

fn headers(headers: &[(String, String)]) -> Vec<part::Header> {
    headers.iter().map(|(name, value)| part::Header { name: name.clone(), value: value.clone() }).collect()
}
