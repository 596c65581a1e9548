//! What all proxies together have used of a quota in one window.
//!
//! In: how much one of them wants. Out: the request for it, which is answered with how much of that it gets, perhaps nothing.
//! Invariant: what is granted in one window is never more than the quota, for as long as Redis keeps its memory. Asks for no rights that
//! bindings do not need.

use outrigger_proxy_core::limit::ledger::Asking;
use redis::{Script, ScriptInvocation};

/// Kept for so long behind the end of its window: for proxies whose clocks are behind.
const KEPT_BEHIND_MS: u64 = 60_000;

/// In: the quota, what is wanted of it, how long the number is kept.
pub(super) const TAKE: &str = r"
local used = tonumber(redis.call('GETRANGE', KEYS[1], 0, 15)) or 0
local granted = math.min(tonumber(ARGV[2]), math.max(tonumber(ARGV[1]) - used, 0))
if granted > 0 then redis.call('SET', KEYS[1], string.format('%.0f', used + granted), 'PX', ARGV[3]) end
return granted
";

/// The request for a share. `unix_ms` is now.
pub(super) fn request<'s>(script: &'s Script, prefix: &str, asking: &Asking, unix_ms: u64) -> ScriptInvocation<'s> {
    let Asking { key, calls, want, ends_ms } = asking;
    let mut request = script.prepare_invoke();
    request.key(format!("{prefix}quota:{}:{ends_ms}", key.text())).arg(*calls).arg(*want);
    request.arg(ends_ms.saturating_sub(unix_ms).saturating_add(KEPT_BEHIND_MS));
    request
}
