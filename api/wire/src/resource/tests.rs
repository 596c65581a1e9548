use outrigger_model::route::{Limits, TimeClass};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::body::{Bodies, Body};
use crate::proto::snapshot as wire;
use crate::strategies;

proptest! {
    // Values are large; more cases find nothing that a hundred do not.
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn every_resource_comes_back_as_it_was(resources in strategies::resources()) {
        for resource in all(&resources) {
            let bytes = resource.encode();
            let back = Resource::decode(resource.kind(), resource.name(), &bytes).unwrap();
            prop_assert_eq!(&back, &resource);
            prop_assert_eq!(back.encode(), bytes, "equal resources are equal bytes");
            prop_assert_eq!(find(resource.kind(), resource.name(), &resources), Some(resource));
        }
        prop_assert_eq!(Bodies::of(&resources).decode().unwrap(), resources);
    }

    #[test]
    fn any_bytes_are_a_resource_or_an_error_that_names_it(bytes in any::<Vec<u8>>()) {
        for kind in ResourceKind::ALL {
            if let Err(bad) = Resource::decode(kind, "weather", &bytes) {
                let expected = format!("{kind}/weather");
                prop_assert!(bad.to_string().starts_with(&expected), "{}", bad);
            }
        }
    }

    #[test]
    fn one_flipped_bit_is_never_a_panic(
        resources in strategies::resources(), at in any::<proptest::sample::Index>(), bit in 0..8u8,
    ) {
        for resource in all(&resources) {
            let mut bytes = resource.encode();
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
                let _ = Resource::decode(resource.kind(), resource.name(), &bytes);
            }
        }
    }

    #[test]
    fn what_is_put_into_a_set_can_be_taken_out(resources in strategies::resources()) {
        let mut emptied = resources.clone();
        for resource in all(&resources) {
            Resource::take(resource.kind(), resource.name(), &mut emptied);
        }
        prop_assert_eq!(emptied, Kinds::default());
    }
}

fn refused(kind: ResourceKind, name: &str, message: &impl Message, expected: &str) {
    let bad = Resource::decode(kind, name, &message.encode_to_vec()).unwrap_err();
    assert_eq!(bad.to_string(), expected);
}

#[test]
fn a_bad_capability_is_refused_by_its_field() {
    let tool = |name: &str| wire::Tool { name: name.into(), schema_digest: vec![0; 32], ..wire::Tool::default() };
    let good = wire::Capability {
        name: "forecast".into(),
        semver: "1.2.0".into(),
        tags: vec!["eu".into()],
        tools: vec![tool("a"), tool("b")],
        session_required: true,
        calls: None,
    };
    assert!(Resource::decode(ResourceKind::Capability, "forecast", &good.encode_to_vec()).is_ok());
    let check = |change: &dyn Fn(&mut wire::Capability), expected: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        refused(ResourceKind::Capability, "forecast", &bad, expected);
    };
    check(&|bad| bad.name = "other".into(), "Capability/forecast.name: `other` is not `forecast`");
    check(&|bad| bad.name.clear(), "Capability/forecast.name: capability name is empty");
    check(
        &|bad| bad.semver = "one".into(),
        "Capability/forecast.semver: `one` is not a semantic version: unexpected character 'o' while parsing major version number",
    );
    check(&|bad| bad.semver = "1".repeat(300), "Capability/forecast.semver: it holds 300 bytes, more than 256");
    check(
        &|bad| bad.tags.push("-no".into()),
        "Capability/forecast.tags: tag `-no` must be 1 to 63 characters of letters, digits, `.`, `_`, `:`, `/`, `=` and `-`",
    );
    check(
        &|bad| bad.tools[1].schema_digest = vec![1],
        "Capability/forecast.tools[1].schema_digest: 1 bytes are not a SHA-256 digest",
    );
    check(&|bad| bad.tools[0].name.clear(), "Capability/forecast.tools[0].name: it is missing");
    check(&|bad| bad.tools[1].name = "a".into(), "Capability/forecast.tools: `a` is in it twice");
    check(
        &|bad| bad.tools[1].name = "a".repeat(257),
        "Capability/forecast.tools[1].name: it holds 257 bytes, more than 256",
    );
    check(
        &|bad| bad.tools = (0..4_097).map(|at| tool(&at.to_string())).collect(),
        "Capability/forecast.tools: it holds 4097 items, more than 4096",
    );
}

#[test]
fn bad_endpoints_are_refused_by_their_field() {
    let endpoint = |replica: &str| wire::endpoints::Endpoint {
        replica: replica.into(),
        address: "10.0.0.5:17006".into(),
        identity: String::new(),
        generation: 1,
        weight: 100,
        tier: 0,
        zone: String::new(),
        tool: String::new(),
        state: wire::endpoints::State::Up.into(),
    };
    let good =
        wire::Endpoints { pool: "weather".into(), endpoints: vec![endpoint("weather-1"), endpoint("weather-2")] };
    assert!(Resource::decode(ResourceKind::Endpoints, "weather", &good.encode_to_vec()).is_ok());
    let check = |change: &dyn Fn(&mut wire::Endpoints), expected: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        refused(ResourceKind::Endpoints, "weather", &bad, expected);
    };
    check(&|bad| bad.pool = "other".into(), "Endpoints/weather.pool: `other` is not `weather`");
    check(
        &|bad| bad.endpoints[1].address = "nowhere".into(),
        "Endpoints/weather.endpoints[1].address: `nowhere` is not an address of the form ip:port",
    );
    check(&|bad| bad.endpoints[1].state = 0, "Endpoints/weather.endpoints[1].state: it is missing");
    check(
        &|bad| bad.endpoints[1].state = 77,
        "Endpoints/weather.endpoints[1].state: 77 is not a value that this build knows",
    );
    check(&|bad| bad.endpoints[0].weight = 0, "Endpoints/weather.endpoints[0].weight: 0 is not within 1 to 1000");
    check(
        &|bad| bad.endpoints[0].weight = 70_000,
        "Endpoints/weather.endpoints[0].weight: 70000 is not within 1 to 1000",
    );
    check(
        &|bad| bad.endpoints[1].replica = "weather-1".into(),
        "Endpoints/weather.endpoints: `weather-1` is in it twice",
    );
    check(
        &|bad| bad.endpoints[0].identity = "spiffe://UPPER/control".into(),
        "Endpoints/weather.endpoints[0].identity: trust domain `UPPER` must be 1 to 255 characters of a-z, 0-9, `.`, `-` and `_`",
    );
}

#[test]
fn bad_routes_pools_agents_and_settings_are_refused_by_their_field() {
    let second = prost_types::Duration { seconds: 1, nanos: 0 };
    let route = wire::Route {
        name: "weather".into(),
        pool: "weather".into(),
        affinity: wire::route::Affinity::Auto.into(),
        inspect: false,
        keys: vec![],
        on_loss: 0,
        connect_timeout: Some(second),
        first_byte_timeout: Some(second),
        ..wire::Route::default()
    };
    assert!(Resource::decode(ResourceKind::Route, "weather", &route.encode_to_vec()).is_ok());
    let check = |bad: wire::Route, expected: &str| refused(ResourceKind::Route, "weather", &bad, expected);
    check(wire::Route { affinity: 0, ..route.clone() }, "Route/weather.affinity: it is missing");
    check(
        wire::Route { affinity: 9, ..route.clone() },
        "Route/weather.affinity: 9 is not a value that this build knows",
    );
    check(wire::Route { connect_timeout: None, ..route.clone() }, "Route/weather.connect_timeout: it is missing");
    let negative = Some(prost_types::Duration { seconds: -1, nanos: 0 });
    check(
        wire::Route { idle_timeout: negative, ..route.clone() },
        "Route/weather.idle_timeout: it is not a length of time from 0 to 10,000 years",
    );
    let quick = Some(wire::route::Limits { total_timeout: negative, ..Default::default() });
    check(
        wire::Route { quick, ..route.clone() },
        "Route/weather.quick.total_timeout: it is not a length of time from 0 to 10,000 years",
    );
    check(
        wire::Route { keep_alive: negative, ..route.clone() },
        "Route/weather.keep_alive: it is not a length of time from 0 to 10,000 years",
    );
    let pool = wire::Pool { name: "weather".into(), agent: "weather".into(), balance: 0, policy: None };
    refused(ResourceKind::Pool, "weather", &pool, "Pool/weather.balance: it is missing");
    let agent = wire::Agent { name: "weather".into(), semver: "1.0.0".into(), ..wire::Agent::default() };
    refused(ResourceKind::Agent, "weather", &agent, "Agent/weather.pool: pool name is empty");
    refused(ResourceKind::Settings, "self", &wire::Settings::default(), "Settings/self.session_idle: it is missing");
    let settings = wire::Settings { session_idle: Some(second), ..wire::Settings::default() };
    refused(ResourceKind::Settings, "mine", &settings, "Settings/mine.name: `self` is not `mine`");
}

/// As a control wrote them that knew no classes of calls.
#[test]
fn limits_that_are_only_given_for_calls_hold_for_all_classes() {
    let second = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let route = wire::Route {
        name: "weather".into(),
        pool: "weather".into(),
        affinity: wire::route::Affinity::Auto.into(),
        connect_timeout: second(1),
        first_byte_timeout: second(2),
        idle_timeout: second(3),
        ..wire::Route::default()
    };
    let decoded = Resource::decode(ResourceKind::Route, "weather", &route.encode_to_vec()).unwrap();
    let Resource::Route(route) = decoded else { panic!("{decoded:?}") };
    let limit = |seconds| Some(std::time::Duration::from_secs(seconds));
    for class in TimeClass::ALL {
        assert_eq!(route.policy.timeouts.of(class), Limits { first_byte: limit(2), idle: limit(3), total: None });
    }
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let bad = Resource::decode(ResourceKind::Agent, "weather", &vec![0; BODY_BYTES_MAX + 1]).unwrap_err();
    assert_eq!(bad.to_string(), "Agent/weather: it holds 8388609 bytes, more than 8388608");
}

#[test]
fn an_envelope_carries_the_body_and_its_token() {
    use outrigger_model::resource::{Epoch, Serial, Token};
    let resource = Resource::Settings(Settings::default());
    let body = Body::from(&resource);
    let token = Token::new(Epoch(1), Serial(2), &body.digest);
    let envelope = body.envelope(&token);
    let any = envelope.resource.unwrap();
    assert_eq!((envelope.name.as_str(), envelope.version), ("self", token.to_string()));
    assert_eq!(crate::kind::kind_of(&any.type_url), Some(ResourceKind::Settings));
    assert_eq!(Resource::decode(ResourceKind::Settings, "self", &any.value).unwrap(), resource);
}

#[test]
fn bad_keys_of_operators_and_of_the_mesh_are_refused_by_their_field_and_never_repeat_a_secret() {
    let second = prost_types::Duration { seconds: 1, nanos: 0 };
    let route = |keys: Vec<wire::route::key::Source>| wire::Route {
        name: "weather".into(),
        pool: "weather".into(),
        affinity: wire::route::Affinity::Auto.into(),
        connect_timeout: Some(second),
        keys: keys.into_iter().map(|source| wire::route::Key { source: Some(source) }).collect(),
        ..wire::Route::default()
    };
    use wire::route::key::Source::{Argument, Cookie, Header};
    let argument = |path: &str| Argument(wire::route::Argument { path: path.into(), tools: vec![] });
    let check = |keys, expected: &str| refused(ResourceKind::Route, "weather", &route(keys), expected);
    check(
        vec![Header("a b".into())],
        "Route/weather.keys[0].header: header `a b` is empty, longer than 128 bytes, or holds characters that it cannot have",
    );
    check(
        vec![Cookie("sid".into()), argument("a..b")],
        "Route/weather.keys[1].argument: path `a..b` is not 1 to 4 names with dots between them, such as session_id or cart.id",
    );
    check(vec![argument("a"); 5], "Route/weather.keys: it holds 5 items, more than 4");

    let at = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
    let key = |id, length| wire::keyring::Key { id, secret: vec![7; length], made_at: at };
    let ring = |keys| wire::Keyring { keys };
    let check = |keys, expected: &str| refused(ResourceKind::Keyring, "self", &ring(keys), expected);
    check(vec![key(1, 31)], "Keyring/self.keys[0].secret: 31 bytes are not a key of 32");
    check(vec![key(1, 32), key(1, 32)], "Keyring/self.keys[1]: `1` is in it twice");
    let good = Resource::decode(ResourceKind::Keyring, "self", &ring(vec![key(1, 32)]).encode_to_vec()).unwrap();
    for shown in [format!("{good:?}"), format!("{:?}", key(1, 32))] {
        assert!(!shown.contains("7, 7") && !shown.contains("0707"), "{shown}");
    }

    let named = |name: &str| wire::revocations::Named { name: name.into(), at };
    let revoked = wire::Revocations { callers: vec![named("")], ..wire::Revocations::default() };
    refused(ResourceKind::Revocations, "self", &revoked, "Revocations/self.callers[0].name: it is missing");
}
