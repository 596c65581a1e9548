//! How large what travels may be. Whatever exceeds a limit is refused with its field, never cut.

/// Most bytes of one encoded resource.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// Most endpoints of one pool; also the most replicas a mesh may have by default.
pub const ENDPOINTS_MAX: usize = 20_000;
/// Longest semantic version, in bytes.
pub const VERSION_BYTES_MAX: usize = 256;
/// Largest weight of an endpoint.
pub const WEIGHT_MAX: u16 = 1_000;
/// Longest reason of a manifest, in characters; a longer one is cut when it is sent.
pub const REASON_CHARS_MAX: usize = 512;
/// Most features that a manifest may need.
pub const FEATURES_MAX: usize = 64;
/// Most dependencies that one watcher may ask for.
pub const NEEDS_MAX: usize = 256;
/// Longest `trouble` text of a replica, in characters; a longer one is cut when it is sent.
pub const TROUBLE_CHARS_MAX: usize = 512;
/// Most replicas in one report.
pub const REPLICAS_MAX: usize = 1_000;
/// Most MCP revisions of one replica.
pub const REVISIONS_MAX: usize = 32;
/// Longest identity of a calling workload, in bytes (SPIFFE ID, section 2.3).
pub const CALLER_BYTES_MAX: usize = 2_048;
/// The longest length of time protobuf allows: 10,000 years.
pub const DURATION_SECONDS_MAX: u64 = 315_576_000_000;
/// The last second of the year 9999, protobuf's last.
pub const TIME_SECONDS_MAX: u64 = 253_402_300_799;
