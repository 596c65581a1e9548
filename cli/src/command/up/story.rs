//! The report of `outrigger up`.
//!
//! In: addresses and what was found. Out: text; an agent is told of in one line, its replicas only if there is something to say.

use std::net::SocketAddr;
use std::time::Duration;

use outrigger_proxy::app::Ports;

use crate::args::Up;
use crate::command::up::credentials::Credentials;
use crate::command::up::view::{Agent, View};
use crate::render::table::aligned;
use crate::target::Target;

/// Most tool names in one line.
const TOOLS_SHOWN_MAX: usize = 6;

/// Where everything listens.
pub struct Place {
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    pub ports: Ports,
}

/// What stands before anything was discovered.
pub fn head(place: &Place, targets: &[Target]) -> String {
    let Place { grpc, http, ports } = place;
    let mut text = format!("✓ control  grpc {grpc}   http {http}   store memory\n✓ proxy  ");
    for target in targets {
        text.push_str(&format!("  http://{}/{}/mcp\n         ", ports.outbound, target.name));
    }
    if targets.len() > 1 {
        text.push_str(&format!("  http://{}/mcp   all of them as one server\n         ", ports.outbound));
    }
    text.push_str(&format!("  admin http://{}   metrics http://{}/metrics", ports.admin, ports.health));
    text
}

/// What was discovered of each agent.
pub fn agents(view: &View) -> String {
    let mut text = aligned(&view.agents.iter().map(agent).collect::<Vec<_>>());
    for agent in view.agents.iter().filter(|agent| agent.replicas.len() > 1 || agent.healthy() == 0) {
        for replica in agent.replicas.values() {
            text.push_str(&format!("\n    {}", replica.told()));
        }
    }
    text
}

/// Where state is, and what to try.
pub fn foot(up: &Up, place: &Place, view: &View, credentials: &Credentials) -> String {
    let sessions = match &up.redis_url {
        Some(_) => "sessions in Redis (REDIS_URL), and in memory while it is away",
        None => "sessions in memory (REDIS_URL unset)",
    };
    let serial = view.serial.map_or_else(|| "none yet".to_owned(), |serial| serial.to_string());
    let name = view.agents.first().map_or("NAME", |agent| &agent.name);
    let (at_proxy, at_control) = (flag("--outbound", place.ports.outbound, 17001), flag("--control", place.http, 8000));
    let grpc = flag("--grpc", place.grpc, 17010);
    let mut text = format!(
        "  {sessions} · mTLS on, with an authority that goes when this ends · snapshot {serial}\n\
         \x20 next: outrigger call {name}{at_proxy}   lists its tools\n\
         \x20       outrigger get agents{at_control}   outrigger explain {name}{at_control}\n\
         \x20       outrigger watch --identity {}{grpc}\n",
        credentials.operator().display()
    );
    if !view.is_complete() {
        text.push_str("  what does not answer yet is asked again every second and joins when it does\n");
    }
    text.push_str("  Ctrl-C stops all");
    text
}

/// The flag that names an address, if it is not where the command looks by itself.
fn flag(name: &str, address: SocketAddr, usual: u16) -> String {
    match address.ip().is_loopback() && address.port() == usual {
        true => String::new(),
        false => format!(" {name} {address}"),
    }
}

fn agent(agent: &Agent) -> Vec<String> {
    let (healthy, all) = (agent.healthy(), agent.replicas.len());
    let mark = if healthy > 0 { '✓' } else { '✗' };
    let ready = agent.replicas.values().filter_map(|replica| replica.ready_after).min();
    vec![
        format!("{mark} {}", agent.name),
        format!("{healthy}/{all} healthy"),
        revisions(&agent.revisions),
        tools(&agent.tools),
        ready.map_or_else(|| "not ready".to_owned(), |after| format!("ready in {}", shown(after))),
    ]
}

/// The newest ones: they are what a client and the agent will agree on.
fn revisions(known: &[String]) -> String {
    let mut newest: Vec<&str> = known.iter().map(String::as_str).collect();
    // Dates of this form sort as text.
    newest.sort_unstable_by(|one, other| other.cmp(one));
    match newest.as_slice() {
        [] => "revision unknown".to_owned(),
        [first, second, _, ..] => format!("{first}, {second}, …"),
        few => few.join(", "),
    }
}

fn tools(names: &[String]) -> String {
    let shown = names.iter().take(TOOLS_SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => "no tools seen".to_owned(),
        1 => format!("1 tool: {shown}"),
        all if all > TOOLS_SHOWN_MAX => format!("{all} tools: {shown}, …"),
        all => format!("{all} tools: {shown}"),
    }
}

fn shown(after: Duration) -> String {
    if after < Duration::from_secs(10) { format!("{} ms", after.as_millis()) } else { format!("{} s", after.as_secs()) }
}

#[cfg(test)]
mod tests;
