use serde_json::json;

use super::told;

#[test]
fn a_call_is_told_with_all_that_decides_it() {
    let endpoints = json!([
        {"replica": "weather-1", "state": "up", "order": 2, "passed_over": "ejected", "ejected_for_ms": 900,
         "circuit": "closed", "in_flight": 0, "streams": 0, "latency_us": 0.0, "tier": 0, "zone": ""},
        {"replica": "weather-2", "state": "up", "order": 1, "passed_over": null, "circuit": "half_open",
         "in_flight": 1, "streams": 2, "latency_us": 1500.0, "tier": 0, "zone": "a"},
        {"replica": "weather-3", "state": "up", "order": null, "passed_over": "circuit open",
         "circuit": "open", "circuit_open_for_ms": 29_500, "in_flight": 0, "streams": 0, "tier": 1, "zone": "a"},
    ]);
    let answer = json!({
        "name": "weather", "method": "tools/call", "tool": "increment", "caller": "desk", "matched": "route", "row": 4,
        "affinity": "auto", "keys": [], "rung": "agent", "rung_means": "it goes where the calls of its caller go",
        "retries": {"class": "only if nothing was sent", "why": "no tool is named", "attempts": 3},
        "times": {"class": "call", "connect_ms": 1000, "limits": {"first_byte_ms": 300_000}},
        "branch": {"headers": ["x-env: test"], "callers": []},
        "rates": ["route `weather` takes at most 5 calls in 1s"],
        "pools": [{
            "pool": "weather", "agent": "weather", "balance": "least_request", "weight": 100, "chosen": true,
            "repetitions_left": 10, "inside": 0, "waiting": 0, "panic": false,
            "policy": {"concurrency": {"per_endpoint": null, "total": 9, "queue": 4}},
            "endpoints": endpoints,
        }],
    });
    assert_eq!(
        told(&answer, false),
        "tools/call increment → route weather, as desk calls it\n\
         row 4 of docs/calls.md; it carries no key; affinity auto; agent: it goes where the calls of its caller go\n\
         sent again: only if nothing was sent, because no tool is named; attempts 3, per try -, hedged after -\n\
         time class call: connect 1000ms, first byte 300s, idle -, total -\n\
         branch: calls with x-env: test\n\
         limit: route `weather` takes at most 5 calls in 1s\n\
         \n\
         pool weather (agent weather): least_request; repetitions left 10; inside 0 of 9, - an endpoint; waiting 0 of 4\n\
         ORDER  REPLICA    STATE  PASSED OVER   EJECTED  CIRCUIT       IN FLIGHT  STREAMS  ANSWERS IN  TIER  ZONE\n\
         2      weather-1  up     ejected       900ms    closed        0          0        -           0     -\n\
         1      weather-2  up     -             -        half-open     1          2        1.5ms       0     a\n\
         -      weather-3  up     circuit open  -        open for 30s  0          0        -           1     a"
    );
}
