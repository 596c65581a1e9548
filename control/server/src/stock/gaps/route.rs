//! What a route says beyond what rows of a route configuration can.

use outrigger_model::key::OnLoss;
use outrigger_model::retries::Retries;
use outrigger_model::route::{Affinity, Route, Timeouts};
use outrigger_model::traffic::Priority;

use super::gap::Gap;
use crate::stock::view::{TOOL_ROWS_MAX, Table};

pub fn gaps(table: &Table<'_>, route: &Route) -> Vec<Gap> {
    let policy = &route.policy;
    let mut gaps = Gaps { route, found: Vec::new() };
    if policy.affinity == Affinity::Agent {
        gaps.add("affinity", "calls of one client are balanced, not kept together");
    }
    if policy.inspect {
        gaps.add("inspect", "bodies are not compared with heads by Envoy; agents have to");
    }
    if !policy.sessions.keys.is_empty() {
        gaps.add("sessions.keys", "only `Mcp-Session-Id` is followed; calls with other keys are balanced");
    }
    if policy.sessions.on_loss != OnLoss::default() {
        gaps.add("sessions.on_loss", "a session whose replica is gone is answered 404");
    }
    if !policy.rates.is_empty() {
        gaps.add("rates", "calls are not counted, and no quota is shared");
    }
    if (Timeouts { connect: Timeouts::default().connect, ..policy.timeouts }) != Timeouts::default() {
        gaps.add("timeouts", "only the time to connect is limited; calls and streams may take as long as they like");
    }
    retries(&mut gaps, &policy.retries);
    traffic(&mut gaps, table);
    gaps.found
}

struct Gaps<'r> {
    route: &'r Route,
    found: Vec<Gap>,
}

impl Gaps<'_> {
    fn add(&mut self, field: &str, says: &'static str) {
        self.found.push(Gap { at: format!("Route/{}.{field}", self.route.name), says });
    }
}

fn retries(gaps: &mut Gaps<'_>, retries: &Retries) {
    let usual = Retries::default();
    if !retries.tools.is_empty() {
        gaps.add(
            "retries.tools",
            "only calls of 2026-07-28 name their tool in the head; older ones are not sent again",
        );
    }
    if retries.tools.len() > TOOL_ROWS_MAX {
        gaps.add("retries.tools", "only the first 16 are told");
    }
    if retries.trust_hints {
        gaps.add("retries.trust_hints", "what tools say of themselves is not known to Envoy");
    }
    if retries.hedge_after.is_some() {
        gaps.add("retries.hedge_after", "no call is sent to a second replica while the first may still answer");
    }
    if retries.per_try.is_some() {
        gaps.add("retries.per_try", "it limits attempts of tools that are named as repeatable only");
    }
    if retries.budget != usual.budget {
        gaps.add(
            "retries.budget",
            "it is a part of the calls under way at one Envoy, and one for the pool: the largest of its routes",
        );
    }
}

fn traffic(gaps: &mut Gaps<'_>, table: &Table<'_>) {
    let route = gaps.route;
    let traffic = &route.policy.traffic;
    if traffic.branches.iter().any(|branch| !branch.when.callers.is_empty()) {
        gaps.add("traffic.match.callers", "Envoy does not know who calls; the branch is left out");
    }
    let agents = |pools: &mut dyn Iterator<Item = &outrigger_model::name::PoolName>| {
        let mut agents: Vec<_> = pools.filter_map(|pool| table.pool(pool)).map(|pool| &pool.agent).collect();
        agents.sort();
        agents.dedup();
        agents.len()
    };
    let shared = traffic.branches.iter().map(|branch| branch.shares.iter().filter(|share| share.weight > 0));
    let shared: Vec<Vec<_>> = shared.map(|shares| shares.map(|share| &share.pool).collect()).collect();
    let by_chance = !route.policy.affinity.follows_agent();
    let several = shared.iter().any(|pools| pools.len() > 1);
    let apart = shared.iter().any(|pools| agents(&mut pools.iter().copied()) > 1);
    if several && route.policy.affinity.follows_keys() && (by_chance || apart) {
        gaps.add("traffic.split", "who gets a call is drawn for each, so a session may be sent where it is not known");
    } else if apart && !by_chance {
        gaps.add("traffic.split", "who gets a call is drawn for each and not for each caller");
    }
    if let Some(mirror) = &traffic.mirror {
        match agents(&mut [&mirror.pool, &route.pool].into_iter()) {
            0 | 1 => gaps.add(
                "traffic.mirror",
                "only calls of tools of 2026-07-28 are copied, those that go on with a state too",
            ),
            _ => gaps.add("traffic.mirror", "it is another agent, which a copy cannot name; nothing is copied"),
        }
    }
    if traffic.faults.is_some() {
        gaps.add("traffic.faults", "no faults are made");
    }
    if traffic.priority != Priority::default() {
        gaps.add("traffic.priority", "all calls count alike where there is too much to do");
    }
    if !traffic.headers.set.is_empty() || !traffic.headers.add.is_empty() {
        gaps.add(
            "traffic.headers",
            "values are told only to clients that prove to be a proxy of the mesh; others take the field away",
        );
    }
}
