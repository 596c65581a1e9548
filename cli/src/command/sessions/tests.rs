use serde_json::json;

use super::*;

#[test]
fn a_proxy_knows_once_it_runs_the_snapshot_or_a_later_one() {
    let proxies = json!({"items": [
        {"node": "a", "connected": true, "status": "SYNCED", "serial": 7},
        {"node": "b", "connected": true, "status": "STALE", "serial": 8},
        {"node": "c", "connected": true, "status": "STALE", "serial": 6},
        {"node": "d", "connected": true, "status": "STALE", "serial": null},
        {"node": "e", "connected": false, "status": "DISCONNECTED", "serial": 3},
    ]});
    let (waiting, away) = (vec!["c (STALE)".to_owned(), "d (STALE)".to_owned()], vec!["e".to_owned()]);
    assert_eq!(seen(&proxies, 7), Seen { knowing: 2, waiting, away });
}
