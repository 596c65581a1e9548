use serde_json::json;

use super::told;

#[test]
fn the_decision_names_the_winner_and_why_the_others_lost() {
    let answer = json!({
        "intent": 4, "serial": 57, "requirement": "forecast ^1.2", "winner": "weather", "pool": "weather",
        "sessions": {
            "route": "forecast", "affinity": "auto", "keys": ["session", "task", "state", "header x-cart"],
            "on_replica_loss": "404", "session_mode": "stored",
        },
        "candidates": [
            {"agent": "weather", "version": "1.2.0", "verdict": "chosen", "reason": "", "replicas": [{"id": "weather-1", "state": "healthy"}]},
            {"agent": "old", "version": "1.1.0", "verdict": "lost", "reason": "version 1.1.0 is not within ^1.2", "replicas": []},
        ],
    });
    assert_eq!(
        told(&answer, false),
        "forecast ^1.2 → agent weather, pool weather\n\
         route forecast: keys session, task, state, header x-cart; affinity auto; on_replica_loss 404; session_mode stored\n\
         decided by intent 4, snapshot 57\n\
         AGENT    VERSION  VERDICT  REPLICAS           WHY\n\
         weather  1.2.0    chosen   weather-1 healthy  -\n\
         old      1.1.0    lost     -                  version 1.1.0 is not within ^1.2"
    );
}

#[test]
fn a_capability_that_nobody_offers_says_so() {
    let answer = json!({"requirement": "tea", "winner": null, "candidates": []});
    assert_eq!(told(&answer, false), "tea → nobody\nno agent offers it");
}

#[test]
fn stages_are_shown_to_who_wants_to_see_more() {
    let answer = json!({
        "requirement": "greeting @reach=ties", "winner": "a", "ties": ["b"], "pool": null,
        "candidates": [{"agent": "a", "namespace": "default", "function": "greet", "version": "1.0.0", "verdict": "chosen", "replicas": []}],
        "stages": [
            {"stage": "health", "considered": 3, "kept": ["a-1:greet", "b-1:hi"],
             "evicted": [{"id": "c-1:greet", "reason": "Unhealthy", "detail": "its replica is unhealthy"}]},
            {"stage": "tiebreaker", "considered": 2, "kept": ["a-1:greet", "b-1:hi"], "evicted": []},
        ],
    });
    let (narrow, wide) = (told(&answer, false), told(&answer, true));
    assert!(
        narrow.starts_with("greeting @reach=ties → agent a, as good: b\nAGENT") && !narrow.contains("STAGE"),
        "{narrow}"
    );
    let stages = "STAGE       KEPT              EVICTED\n\
                  health      a-1:greet,b-1:hi  c-1:greet Unhealthy\n\
                  tiebreaker  a-1:greet,b-1:hi  -";
    assert!(wide.ends_with(stages), "{wide}");
}
