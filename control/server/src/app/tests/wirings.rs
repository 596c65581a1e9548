//! Agents of mcp-mesh as watchers see them: who is named for a dependency, and what wakes whom.

use outrigger_model::resource::ResourceKind;
use outrigger_wire::proto::registry::Replica;
use outrigger_wire::watcher::Watcher as Node;

use super::mesh::{Proxy, Tokens, Watcher, channel, control, key, replica, soon};

/// A replica with one function, in a namespace.
fn agent(id: &str, namespace: &str, tool: &str) -> Replica {
    let base = replica(id);
    let registration =
        format!(r#"{{"agent_id":"{id}","name":"{}","namespace":"{namespace}","tools":[{tool}]}}"#, base.agent);
    Replica { namespace: namespace.to_owned(), registration, ..base }
}

fn greet(version: &str) -> String {
    format!(r#"{{"function_name":"greet","capability":"greeting","version":"{version}"}}"#)
}

#[tokio::test]
async fn a_change_of_the_provider_reaches_who_depends_on_it_and_nothing_else_does() {
    let control = control("store: memory").await;
    let mut provider = Proxy::connect(channel(&control, None), "prov").await.unwrap();
    assert_eq!(provider.report(vec![agent("prov-1", "default", &greet("1.0.0"))]).await, []);
    let needs = &["dependency=greeting @reach=ties"];
    let mut watcher = Watcher::connect(channel(&control, None), "caller-1", needs, Tokens::new()).await;
    let wiring = key(ResourceKind::Wiring, "dependency");
    watcher
        .apply_until(|held| held.contains_key(&wiring) && held.contains_key(&key(ResourceKind::Agent, "prov")))
        .await;
    assert!(watcher.tokens.contains_key(&key(ResourceKind::Route, "dependency")));
    let before = watcher.tokens[&wiring].clone();
    let mut other = Proxy::connect(channel(&control, None), "other").await.unwrap();
    let song = r#"{"function_name":"sing","capability":"song"}"#;
    assert_eq!(other.report(vec![agent("other-1", "default", song)]).await, []);
    let joined = watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "song"))).await;
    assert!(!joined.bodies.contains(&key(ResourceKind::Endpoints, "prov")), "{joined:?}");
    assert_eq!(watcher.tokens[&wiring], before, "it is not concerned");
    assert_eq!(provider.report(vec![agent("prov-1", "default", &greet("1.0.1"))]).await, []);
    let changed = watcher.apply_until(|held| held[&wiring] != before).await;
    assert!(!changed.bodies.contains(&key(ResourceKind::Endpoints, "prov")), "{changed:?}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn watchers_of_a_namespace_see_its_agents_only() {
    let control = control("store: memory").await;
    let mut proxy = Proxy::connect(channel(&control, None), "all").await.unwrap();
    let replicas = vec![agent("here-1", "default", &greet("1.0.0")), agent("there-1", "team-a", &greet("2.0.0"))];
    assert_eq!(proxy.report(replicas).await, []);
    let (here, there) = (key(ResourceKind::Agent, "here"), key(ResourceKind::Agent, "there"));
    let mut default = Watcher::open(&control, "caller-1").await;
    default.apply_until(|held| held.contains_key(&here)).await;
    let node = Node { namespace: "team-a".parse().unwrap(), ..Watcher::node("caller-2", &[]) };
    let mut team = Watcher::of(node, channel(&control, None), Tokens::new()).await;
    team.apply_until(|held| held.contains_key(&there)).await;
    assert!(!default.tokens.contains_key(&there) && !team.tokens.contains_key(&here));
    soon(control.stop()).await;
}

#[tokio::test]
async fn functions_that_would_require_each_other_in_a_circle_are_refused() {
    let control = control("store: memory").await;
    let mut proxy = Proxy::connect(channel(&control, None), "all").await.unwrap();
    let function = |name: &str, required: &str| {
        let need = format!(r#"{{"capability":"{required}","required":true}}"#);
        format!(r#"{{"function_name":"do_{name}","capability":"{name}","dependencies":[{need}]}}"#)
    };
    let a = || agent("a-1", "default", &function("one", "two"));
    assert_eq!(proxy.report(vec![a()]).await, []);
    let refused = proxy.report(vec![a(), agent("b-1", "default", &function("two", "one"))]).await;
    let [refused] = refused.as_slice() else { panic!("{refused:?}") };
    assert_eq!((refused.replica.as_str(), refused.field.as_str()), ("b-1", "replicas[1].registration"));
    assert_eq!(refused.detail, "required dependency cycle: two → one → two");
    soon(control.stop()).await;
}
