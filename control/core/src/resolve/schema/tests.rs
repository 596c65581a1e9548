use super::*;

fn shape(hash: &str, canonical: &str) -> Shape {
    Shape { hash: hash.into(), canonical: canonical.into() }
}

fn judge(mode: SchemaMode, wanted: &str, offered: Option<&Shape>) -> String {
    let need = SchemaNeed::new(mode, "sha256:wanted", wanted).unwrap();
    Wanted::of(&need).judge(offered).err().unwrap_or_default()
}

fn subset(wanted: &str, offered: &str) -> String {
    judge(SchemaMode::Subset, wanted, Some(&shape("sha256:other", offered)))
}

const PERSON: &str = r#"{"type":"object","required":["name","age"],
    "properties":{"name":{"type":"string"},"age":{"type":"number"},"note":{"type":"string"}}}"#;

#[test]
fn a_subset_has_every_field_that_is_required_with_a_type_that_can_be_read() {
    let check = |offered: &str, expected: &str| assert_eq!(subset(PERSON, offered), expected, "{offered}");
    check(r#"{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"more":{}}}"#, "");
    check(r#"{"type":"object","properties":{"name":{"type":"string"},"age":{}}}"#, "");
    check(r#"{"type":"object","properties":{"name":{"type":"string"}}}"#, "its schema has no field `age`");
    check(
        r#"{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"string"}}}"#,
        "in its schema `age` is string, not number",
    );
    check(r#"{"type":"array"}"#, "in its schema it is array, not object");
    check("true", "");
}

#[test]
fn a_number_is_not_a_whole_number_and_each_type_has_its_like() {
    let check = |wanted: &str, offered: &str, fits: bool| {
        let told = subset(&format!(r#"{{"type":{wanted}}}"#), &format!(r#"{{"type":{offered}}}"#));
        assert_eq!(told.is_empty(), fits, "{wanted} of {offered}: {told}");
    };
    check(r#""integer""#, r#""number""#, false);
    check(r#"["string","null"]"#, r#"["null","string","number"]"#, true);
    check(r#"["string","null"]"#, r#""string""#, false);
    check(r#"["number"]"#, r#"["integer"]"#, true);
    check("7", r#""string""#, true);
}

#[test]
fn what_is_inside_is_compared_too() {
    let wanted = r#"{"type":"object","required":["rows"],"properties":{"rows":{"type":"array","items":
        {"type":"object","required":["at"],"properties":{"at":{"type":"string"}}}}}}"#;
    let offered = |items: &str| format!(r#"{{"type":"object","properties":{{"rows":{{"type":"array"{items}}}}}}}"#);
    assert_eq!(subset(wanted, &offered(r#","items":{"properties":{"at":{"type":"string"}}}"#)), "");
    assert_eq!(subset(wanted, &offered(r#","items":{"properties":{}}"#)), "its schema has no field `rows.[].at`");
    assert_eq!(subset(wanted, &offered("")), "its schema does not say what `rows.[]` is");
}

#[test]
fn equal_hashes_fit_whatever_the_schemas_say() {
    let same = shape("sha256:wanted", r#"{"type":"array"}"#);
    for mode in [SchemaMode::Subset, SchemaMode::Strict] {
        assert_eq!(judge(mode, PERSON, Some(&same)), "");
    }
}

#[test]
fn strict_takes_nothing_but_the_same_and_subset_who_said_nothing() {
    let other = shape("sha256:other", PERSON);
    let unhashed = shape("", r#"{"type":"array"}"#);
    assert_eq!(judge(SchemaMode::Strict, PERSON, Some(&other)), "its schema has another hash");
    for silent in [None, Some(&unhashed)] {
        assert_eq!(judge(SchemaMode::Strict, PERSON, silent), "it registered no schema");
        assert_eq!(judge(SchemaMode::Subset, PERSON, silent), "");
    }
    assert_eq!(subset("", r#"{"type":"array"}"#), "", "who reads nothing takes anything");
}

#[test]
fn what_lies_too_deep_is_not_compared() {
    let nested = |depth: usize, leaf: &str| {
        let open = r#"{"type":"array","items":"#.repeat(depth);
        format!("{open}{leaf}{}", "}".repeat(depth))
    };
    let (string, number) = (r#"{"type":"string"}"#, r#"{"type":"number"}"#);
    assert_ne!(subset(&nested(20, string), &nested(20, number)), "");
    assert_eq!(subset(&nested(40, string), &nested(40, number)), "");
    // Deeper than JSON is read at all.
    assert_eq!(subset(&nested(400, string), &nested(400, number)), "");
}
