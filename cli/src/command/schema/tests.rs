use super::text;
use crate::args::SchemaOf;

#[test]
fn the_schemas_that_editors_load_are_those_of_this_build() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema");
    for (of, name) in [(SchemaOf::Proxy, "proxy"), (SchemaOf::Control, "control")] {
        let committed = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap_or_default();
        assert_eq!(committed, text(of), "run `outrigger schema {name} > docs/schema/{name}.json`");
    }
}
