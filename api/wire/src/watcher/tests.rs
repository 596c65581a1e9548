use super::*;

fn watcher() -> Watcher {
    let needs = ["forecast=weather ^1.2 eu +fast -beta", "clock"];
    Watcher {
        node: NodeId::new("weather-1").unwrap(),
        role: Role::Proxy,
        needs: needs.iter().map(|need| need.parse().unwrap()).collect(),
        namespace: Namespace::default(),
        build: "0.1.0".into(),
        labels: Labels::parse([("track", "canary"), ("app.kubernetes.io/part-of", "")]).unwrap(),
        only_needs: false,
    }
}

#[test]
fn a_watcher_comes_back_as_it_was() {
    assert_eq!(decode(&encode(&watcher())).unwrap(), watcher());
    let without = Watcher { needs: vec![], role: Role::Observer, labels: Labels::default(), ..watcher() };
    assert_eq!(decode(&encode(&without)).unwrap(), without);
    let team = Watcher { namespace: "team-a".parse().unwrap(), ..watcher() };
    assert_eq!(decode(&encode(&team)).unwrap(), team);
    assert_ne!(team.view(), watcher().view());
    let narrow = Watcher { only_needs: true, ..watcher() };
    assert_eq!(decode(&encode(&narrow)).unwrap(), narrow);
    assert_ne!(narrow.view(), watcher().view());
}

#[test]
fn watchers_that_need_the_same_share_a_view() {
    let mut other = Watcher { node: NodeId::new("other").unwrap(), ..watcher() };
    other.needs.reverse();
    assert_eq!(watcher().view(), other.view());
    other.needs.pop();
    assert_ne!(watcher().view(), other.view());
}

#[test]
fn a_stock_client_without_metadata_has_no_needs() {
    let node = Node { id: "envoy-1".into(), ..Node::default() };
    assert_eq!(decode(&node).unwrap().needs, []);
}

#[test]
fn what_a_stock_client_calls_labels_is_its_own_business() {
    let node = Node { user_agent_name: "envoy".into(), ..encode(&watcher()) };
    assert_eq!(decode(&node).unwrap().labels, Labels::default());
}

#[test]
fn a_bad_watcher_is_refused_by_its_field() {
    let with_needs = |kind: Kind| {
        let fields = BTreeMap::from([("needs".to_owned(), Value { kind: Some(kind) })]);
        Node { metadata: Some(Struct { fields }), ..encode(&watcher()) }
    };
    let list = |items: Vec<Kind>| {
        let values = items.into_iter().map(|kind| Value { kind: Some(kind) }).collect();
        Kind::ListValue(ListValue { values })
    };
    let with_namespace = |kind: Kind| {
        let fields = BTreeMap::from([("namespace".to_owned(), Value { kind: Some(kind) })]);
        Node { metadata: Some(Struct { fields }), ..encode(&watcher()) }
    };
    let check = |node: Node, expected: &str| assert_eq!(decode(&node).unwrap_err().to_string(), expected);
    check(Node::default(), "node.id: node name is empty");
    check(with_namespace(Kind::BoolValue(true)), "node.metadata.namespace: it must be a text");
    check(with_namespace(Kind::StringValue(String::new())), "node.metadata.namespace: namespace name is empty");
    check(with_needs(Kind::BoolValue(true)), "node.metadata.needs: it must be a list of texts");
    check(with_needs(list(vec![Kind::BoolValue(true)])), "node.metadata.needs[0]: it must be a text");
    check(
        with_needs(list(vec![Kind::StringValue("clock".into()), Kind::StringValue(" ".into())])),
        "node.metadata.needs[1]: requirement is empty; write `name [range] [tag …]`",
    );
    let labelled = |labels: Kind| {
        let fields = BTreeMap::from([("labels".to_owned(), Value { kind: Some(labels) })]);
        Node { metadata: Some(Struct { fields }), ..encode(&watcher()) }
    };
    let label = |name: &str, kind: Kind| {
        Kind::StructValue(Struct { fields: BTreeMap::from([(name.to_owned(), Value { kind: Some(kind) })]) })
    };
    check(labelled(Kind::BoolValue(true)), "node.metadata.labels: it must be names with texts");
    check(labelled(label("track", Kind::NumberValue(1.0))), "node.metadata.labels: it must be a text");
    let bad = decode(&labelled(label("-", Kind::StringValue(String::new())))).unwrap_err().to_string();
    assert!(bad.starts_with("node.metadata.labels: label name `-` must be"), "{bad}");
    let many = vec![Kind::StringValue("clock".into()); 257];
    check(with_needs(list(many)), "node.metadata.needs: it holds 257 items, more than 256");
}

#[test]
fn what_a_watcher_runs_is_said_beside_what_it_needs() {
    let mut node = encode(&watcher());
    assert_eq!(holds(&node), None);
    let token = "0a1b2c3d.42-9f86d081884c".parse().unwrap();
    set_holds(&mut node, Some(token));
    assert_eq!((holds(&node), decode(&node).unwrap()), (Some(token), watcher()));
    set_holds(&mut node, None);
    assert_eq!(node, encode(&watcher()));
}
