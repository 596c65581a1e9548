use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;

use outrigger_model::resource::ResourceKind;

use super::*;
use crate::fixtures::{self, ModelControl, watcher};

/// What happens to a watcher.
#[derive(Debug, Clone)]
enum Event {
    Edit { pool: u8, weight: Option<u16> },
    StoreLost,
    Reconnect,
    Burst(Fate),
}

/// What becomes of one burst.
#[derive(Debug, Clone)]
enum Fate {
    Accepted,
    RefusedByOwner,
    /// One of its bodies cannot be read.
    Damaged(proptest::sample::Index),
    /// The stream breaks before that many responses arrived.
    Cut(proptest::sample::Index),
}

fn event() -> impl Strategy<Value = Event> {
    let fate = prop_oneof![
        4 => Just(Fate::Accepted),
        1 => Just(Fate::RefusedByOwner),
        1 => any::<proptest::sample::Index>().prop_map(Fate::Damaged),
        1 => any::<proptest::sample::Index>().prop_map(Fate::Cut),
    ];
    prop_oneof![
        6 => (0..4u8, proptest::option::of(1..4u16)).prop_map(|(pool, weight)| Event::Edit { pool, weight }),
        1 => Just(Event::StoreLost),
        1 => Just(Event::Reconnect),
        6 => fate.prop_map(Event::Burst),
    ]
}

fn connect(exchange: &mut Exchange, control: &mut ModelControl) {
    control.open(&exchange.open());
}

fn deliver(exchange: &mut Exchange, control: &mut ModelControl, fate: &Fate) -> Result<(), TestCaseError> {
    let mut burst = control.burst();
    let count = burst.len();
    match fate {
        Fate::Damaged(at) => {
            let damaged = &mut burst[at.index(count)];
            if let Some(any) = damaged.resources.first_mut().and_then(|first| first.resource.as_mut()) {
                any.value = vec![0xff; 7];
            }
        }
        Fate::Cut(at) => burst.truncate(at.index(count)),
        Fate::Accepted | Fate::RefusedByOwner => {}
    }
    for response in burst {
        let (url, nonce) = (response.type_url.clone(), response.nonce.clone());
        let request = match exchange.receive(response) {
            Step::Answer(request) | Step::Current(request) | Step::Refuse(request, _) => request,
            Step::Offer(offer) if matches!(fate, Fate::RefusedByOwner) => exchange.refuse(offer, "Route/x.pool: no"),
            Step::Offer(offer) => exchange.accept(offer),
        };
        prop_assert_eq!((&request.type_url, &request.response_nonce), (&url, &nonce), "each response is answered");
        if url == MANIFEST_TYPE_URL && request.error_detail.is_none() {
            control.acknowledged();
        }
    }
    if matches!(fate, Fate::Cut(_)) {
        connect(exchange, control);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_history_ends_with_the_set_that_control_publishes(events in vec(event(), 0..40)) {
        let (mut exchange, mut control) = (Exchange::new(watcher()), ModelControl::new());
        connect(&mut exchange, &mut control);
        for event in events.iter().chain([&Event::Burst(Fate::Accepted)]) {
            let before = exchange.staging().committed().clone();
            let published = (control.epoch, control.serial, control.resources.clone());
            match event {
                Event::Edit { pool, weight: Some(weight) } => {
                    control.publish(|mesh| fixtures::add(mesh, &format!("pool-{pool}"), *weight));
                }
                Event::Edit { pool, weight: None } => {
                    control.publish(|mesh| fixtures::remove(mesh, &format!("pool-{pool}")));
                }
                Event::StoreLost => control.lose_store(),
                Event::Reconnect => connect(&mut exchange, &mut control),
                Event::Burst(fate) => deliver(&mut exchange, &mut control, fate)?,
            }
            let after = exchange.staging().committed();
            let now = after.manifest.as_ref().map(|held| (held.manifest.epoch, held.manifest.serial));
            let whole = now == Some((published.0, published.1)) && *after.snapshot.resources() == published.2;
            let unchanged = after.snapshot == before.snapshot && after.manifest == before.manifest;
            prop_assert!(whole || unchanged, "a snapshot is taken whole or not at all");
        }
        let committed = exchange.staging().committed();
        prop_assert_eq!(committed.snapshot.resources(), &control.resources);
        prop_assert_eq!(committed.manifest.as_ref().unwrap().manifest.clone(), control.manifest());
    }
}

fn synced() -> (Exchange, ModelControl) {
    let (mut exchange, mut control) = (Exchange::new(watcher()), ModelControl::new());
    control.publish(|mesh| fixtures::add(mesh, "weather", 100));
    connect(&mut exchange, &mut control);
    deliver(&mut exchange, &mut control, &Fate::Accepted).unwrap();
    (exchange, control)
}

#[test]
fn a_stream_opens_with_the_node_and_every_kind_and_the_committed_tokens() {
    let (mut exchange, control) = synced();
    let requests = exchange.open();
    let kinds: Vec<_> = requests.iter().map(|request| request.type_url.rsplit('.').next().unwrap()).collect();
    let expected = [
        "Settings",
        "Keyring",
        "Revocations",
        "Agent",
        "Capability",
        "Pool",
        "Endpoints",
        "Route",
        "Wiring",
        "Manifest",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(watcher::decode(requests[0].node.as_ref().unwrap()).unwrap(), watcher());
    assert!(requests.iter().skip(1).all(|request| request.node.is_none()));
    assert!(requests.iter().all(|request| request.resource_names_subscribe == ["*"]));
    assert_eq!(requests[5].initial_resource_versions.keys().collect::<Vec<_>>(), ["weather"]);
    assert_eq!(requests[ResourceKind::ALL.len()].initial_resource_versions.len(), 1, "the manifest too");
    assert_eq!(control.serial.0, 2);
}

#[test]
fn what_was_staged_or_refused_is_not_reported_on_reconnect() {
    let (mut exchange, mut control) = synced();
    let before = exchange.open();
    control.publish(|mesh| fixtures::add(mesh, "clock", 100));
    for response in control.burst().into_iter().take(2) {
        assert!(matches!(exchange.receive(response), Step::Answer(_)));
    }
    assert_eq!(exchange.open(), before);
    deliver(&mut exchange, &mut control, &Fate::RefusedByOwner).unwrap();
    assert_eq!(exchange.open(), before);
}

#[test]
fn a_nack_carries_the_path_of_the_field() {
    let (mut exchange, mut control) = synced();
    control.publish(|mesh| fixtures::add(mesh, "weather", 7));
    let mut burst = control.burst();
    burst[0].resources[0].resource.as_mut().unwrap().value = vec![];
    let Step::Refuse(request, reason) = exchange.receive(burst.remove(0)) else { panic!("taken") };
    assert_eq!(reason, "Endpoints/weather.pool: pool name is empty");
    assert_eq!(request.error_detail.unwrap(), rpc::Status { code: 3, message: reason });
    let Step::Refuse(_, reason) = exchange.receive(burst.remove(0)) else { panic!("taken") };
    assert!(reason.starts_with("Manifest/self.parts[6]: the set held does not match"), "{reason}");
}

#[test]
fn the_owners_refusal_travels_cut_to_a_bound() {
    let (mut exchange, mut control) = synced();
    control.publish(|mesh| fixtures::add(mesh, "weather", 7));
    let step = control.burst().into_iter().map(|response| exchange.receive(response)).last();
    let Some(Step::Offer(offer)) = step else { panic!("{step:?}") };
    let request = exchange.refuse(offer, &"x".repeat(5_000));
    assert_eq!(request.error_detail.unwrap().message.len(), 1_024);
}

#[test]
fn a_refresh_of_the_applied_manifest_is_acknowledged_and_of_any_other_is_not() {
    let (mut exchange, control) = synced();
    let refresh = |version: &str| DeltaDiscoveryResponse {
        type_url: MANIFEST_TYPE_URL.into(),
        resources: vec![Resource { name: "self".into(), version: version.into(), ..Resource::default() }],
        nonce: "n".into(),
        ..DeltaDiscoveryResponse::default()
    };
    let version = outrigger_wire::manifest::token(&control.manifest()).to_string();
    assert!(matches!(exchange.receive(refresh(&version)), Step::Answer(_)));
    let Step::Refuse(_, reason) = exchange.receive(refresh("00000009.9-000000000000")) else { panic!("taken") };
    assert_eq!(reason, "Manifest/self.resource: it is missing");
}

#[test]
fn an_older_serial_of_the_same_epoch_is_refused_and_another_epoch_is_taken() {
    let (mut exchange, mut control) = synced();
    control.serial = outrigger_model::resource::Serial(0);
    control.publish(|mesh| fixtures::add(mesh, "clock", 1));
    let reasons: Vec<_> = control.burst().into_iter().map(|response| exchange.receive(response)).collect();
    let Some(Step::Refuse(_, reason)) = reasons.last() else { panic!("{reasons:?}") };
    assert_eq!(reason, "Manifest/self.serial: serial 1 of the same epoch is older than 2, which is applied");
    control.lose_store();
    connect(&mut exchange, &mut control);
    deliver(&mut exchange, &mut control, &Fate::Accepted).unwrap();
    assert_eq!(exchange.staging().committed().snapshot.resources(), &control.resources);
}

#[test]
fn an_older_serial_is_taken_if_the_watcher_needs_something_else_than_its_file_did() {
    let (exchange, mut control) = synced();
    let mut other = Exchange::new(Watcher { needs: vec![], ..watcher() });
    let proposal = other.staging_mut().stage_message(exchange.staging().committed().message()).unwrap();
    other.staging_mut().commit(proposal.next);
    control.serial = outrigger_model::resource::Serial(0);
    control.publish(|mesh| fixtures::add(mesh, "clock", 1));
    connect(&mut other, &mut control);
    deliver(&mut other, &mut control, &Fate::Accepted).unwrap();
    assert_eq!(other.staging().committed().manifest.as_ref().unwrap().manifest.serial.0, 1);
}

#[test]
fn the_same_manifest_again_is_acknowledged_without_asking_the_owner() {
    let (mut exchange, mut control) = synced();
    connect(&mut exchange, &mut control);
    let burst = control.burst();
    assert_eq!(burst.len(), 1, "equal tokens are not sent again");
    for response in burst {
        assert!(matches!(exchange.receive(response), Step::Current(_)));
    }
}

#[test]
fn a_manifest_that_is_held_is_reported_and_its_name_alone_says_that_it_is_current() {
    let (mut exchange, control) = synced();
    let version = outrigger_wire::manifest::token(&control.manifest()).to_string();
    let requests = exchange.open();
    assert_eq!(requests.last().unwrap().initial_resource_versions, [("self".to_owned(), version.clone())].into());
    let named = |nonce: &str, version: &str| DeltaDiscoveryResponse {
        type_url: MANIFEST_TYPE_URL.into(),
        nonce: nonce.into(),
        resources: vec![Resource { name: "self".into(), version: version.into(), ..Resource::default() }],
        ..DeltaDiscoveryResponse::default()
    };
    assert!(matches!(exchange.receive(named("1", &version)), Step::Current(_)));
    assert!(matches!(exchange.receive(named("2", &version)), Step::Answer(_)), "it is known by now");
    exchange.open();
    assert!(
        matches!(exchange.receive(named("1", "00000001.1-000000000000")), Step::Refuse(..)),
        "another one has no body"
    );
}

#[test]
fn a_type_nobody_asked_for_is_refused_and_harms_nothing() {
    let (mut exchange, mut control) = synced();
    let foreign = DeltaDiscoveryResponse { type_url: "x/envoy.Cluster".into(), ..DeltaDiscoveryResponse::default() };
    let Step::Refuse(_, reason) = exchange.receive(foreign) else { panic!("taken") };
    assert_eq!(reason, "type_url: `x/envoy.Cluster` is not a resource type that this build knows");
    control.publish(|mesh| fixtures::remove(mesh, "weather"));
    deliver(&mut exchange, &mut control, &Fate::Accepted).unwrap();
    assert_eq!(exchange.staging().committed().snapshot.resources(), &control.resources);
}

#[test]
fn control_without_a_snapshot_leaves_what_is_in_use() {
    let (mut exchange, control) = synced();
    let response = DeltaDiscoveryResponse {
        type_url: MANIFEST_TYPE_URL.into(),
        removed_resources: vec!["self".into()],
        ..DeltaDiscoveryResponse::default()
    };
    assert!(matches!(exchange.receive(response), Step::Answer(_)));
    assert_eq!(exchange.staging().committed().snapshot.resources(), &control.resources);
}
