//! Whether an offered version lies in the range that is asked for.
//!
//! Invariant: `*` takes every version; any other range takes a pre-release only if it names one itself (semver's rule).

use semver::{Version, VersionReq};

pub fn fits(range: &VersionReq, offered: &Version) -> bool {
    *range == VersionReq::STAR || range.matches(offered)
}
