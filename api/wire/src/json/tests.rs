use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

use super::*;
use crate::resource::Resource;
use crate::strategies;

fn shown(kind: ResourceKind, resource: &Resource) -> String {
    Schema::of_this_build().resource(kind, &resource.encode()).unwrap()
}

/// The bytes of an `Endpoints` that says what a reader of JSON could get wrong.
fn endpoints() -> Vec<u8> {
    use prost::Message as _;

    use crate::proto::snapshot::endpoints::{Endpoint, State};
    let endpoint = Endpoint {
        replica: "weather-1".to_owned(),
        address: "127.0.0.1:17006".to_owned(),
        generation: (1 << 60) + 1,
        weight: 100,
        state: State::Up.into(),
        zone: "a\"b\\c\u{1}".to_owned(),
        ..Endpoint::default()
    };
    crate::proto::snapshot::Endpoints { pool: "weather".to_owned(), endpoints: vec![endpoint] }.encode_to_vec()
}

#[test]
fn names_are_those_of_the_proto_and_large_numbers_are_texts() {
    let text = Schema::of_this_build().resource(ResourceKind::Endpoints, &endpoints()).unwrap();
    let expected = concat!(
        r#"{"pool":"weather","endpoints":[{"replica":"weather-1","address":"127.0.0.1:17006","#,
        r#""generation":"1152921504606846977","weight":100,"state":"UP","zone":"a\"b\\c\u0001"}]}"#
    );
    assert_eq!(text, expected);
}

#[test]
fn times_and_spans_are_written_as_protobuf_writes_them() {
    use outrigger_model::settings::Settings;
    let settings = Settings { session_idle: std::time::Duration::from_millis(90_500), ..Settings::default() };
    let text = shown(ResourceKind::Settings, &Resource::Settings(settings));
    assert!(text.contains(r#""session_idle":"90.500s""#) || text.contains(r#""session_idle":"90.5s""#), "{text}");
}

#[test]
fn what_has_its_default_is_left_out_and_bytes_are_hex() {
    use prost::Message as _;
    let tool = crate::proto::snapshot::Tool { schema_digest: vec![0xab; 2], ..Default::default() };
    let text = Schema::of_this_build().message("outrigger.snapshot.v1.Tool", &tool.encode_to_vec()).unwrap();
    assert_eq!(text, r#"{"schema_digest":"abab"}"#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    #[test]
    fn every_resource_can_be_shown(resources in strategies::resources()) {
        let schema = Schema::of_this_build();
        for resource in crate::resource::all(&resources) {
            let text = schema.resource(resource.kind(), &resource.encode());
            prop_assert!(text.as_ref().is_ok_and(|text| text.starts_with('{') && text.ends_with('}')), "{:?}", text);
        }
    }

    #[test]
    fn no_bytes_are_fatal(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let schema = Schema::of_this_build();
        for kind in ResourceKind::ALL {
            let _ = schema.resource(kind, &bytes);
        }
    }
}
