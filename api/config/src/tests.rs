use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::{ProptestConfig, any, proptest};
use serde::Deserialize;
use tempfile::TempDir;

use crate::{ConfigError, Environment, load, load_str};

#[derive(Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct MeshFile {
    node: Option<String>,
    #[serde(default)]
    agents: Vec<AgentFile>,
    #[serde(default)]
    listen: ListenFile,
    #[serde(default)]
    insecure: bool,
}

#[derive(Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct AgentFile {
    name: String,
    weight: Option<u16>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ListenFile {
    outbound: String,
    port: Option<u16>,
    format: Option<Format>,
}

#[derive(Debug, PartialEq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Text,
    Json,
}

const NOTHING: [(&str, &str); 0] = [];

fn told(error: &ConfigError) -> String {
    error.to_string()
}

fn read(text: &str, variables: &[(&str, &str)]) -> Result<MeshFile, String> {
    load_str(text, &Environment::new(variables.iter().copied())).map_err(|error| told(&error))
}

fn check(text: &str, variables: &[(&str, &str)], wanted: MeshFile) {
    assert_eq!(read(text, variables), Ok(wanted), "for {text:?} with {variables:?}");
}

fn check_refused(text: &str, variables: &[(&str, &str)], wanted: &str) {
    assert_eq!(read(text, variables), Err(wanted.to_owned()), "for {text:?} with {variables:?}");
}

fn node(name: &str) -> MeshFile {
    MeshFile { node: Some(name.to_owned()), ..MeshFile::default() }
}

fn port(number: u16) -> MeshFile {
    MeshFile { listen: ListenFile { port: Some(number), ..ListenFile::default() }, ..MeshFile::default() }
}

#[test]
fn values_are_read_as_the_type_that_asks_for_them() {
    check("", &[], MeshFile::default());
    check("node: weather-1", &[], node("weather-1"));
    check("node: 1.20", &[], node("1.20"));
    check("node: \"17\"", &[], node("17"));
    check("node:", &[], MeshFile::default());
    check("listen:", &[], MeshFile::default());
    check("listen: {port: 17001}", &[], port(17_001));
    let eu = || AgentFile { name: "w".into(), weight: None, tags: vec!["eu".into()] };
    let agents = MeshFile { agents: vec![eu(), eu()], ..MeshFile::default() };
    check("agents:\n- &w {name: w, tags: [eu]}\n- *w", &[], agents);
    let json = ListenFile { format: Some(Format::Json), ..ListenFile::default() };
    check("listen: {format: json}", &[], MeshFile { listen: json, ..MeshFile::default() });
}

#[test]
fn variables_are_replaced_in_values() {
    check("node: ${NAME}", &[("NAME", "w-1")], node("w-1"));
    check("node: a-${NAME}-${OTHER:-z}", &[("NAME", "w")], node("a-w-z"));
    check("node: \"${NAME:-}\"", &[], MeshFile::default());
    check("node: ${NAME:-d}", &[("NAME", "")], node("d"));
    check("node: $${NAME}", &[("NAME", "w")], node("${NAME}"));
    check("listen: {port: \"${PORT}\"}", &[("PORT", "8080")], port(8080));
    check("node: ${NAME}", &[("NAME", "x\nagents: []")], node("x\nagents: []"));
    check_refused(
        "insecure: true\nnode: ${NAME}",
        &[],
        "text:2: environment variable `NAME` is not set; set it, or write `${NAME:-default}`",
    );
    check_refused("node: ${", &[], "text:1: `${` is never closed by `}`; write `$${` for the characters themselves");
    check_refused("node: ${9A}", &[], "text:1: `${9A}` does not name a variable; write ${NAME} or ${NAME:-default}");
}

#[test]
fn an_unknown_key_is_refused_with_its_path_and_the_nearest_known_one() {
    check_refused(
        "node: a\nagents:\n  - name: w\n    wieght: 5",
        &[],
        "text:4: unknown key `agents[0].wieght`; did you mean `weight`?",
    );
    check_refused("listen: {zzz: 1}", &[], "text:1: unknown key `listen.zzz`; known here: outbound, port, format");
    check_refused(
        "",
        &[("OUTRIGGER_LISTEN__PROT", "5")],
        "environment variable OUTRIGGER_LISTEN__PROT: unknown key `listen.prot`; did you mean `port`?",
    );
}

#[test]
fn a_wrong_type_is_refused_with_its_path() {
    check_refused("node: [a]", &[], "text:1: `node`: expected a text, found a list");
    check_refused("agents: 5", &[], "text:1: `agents`: expected a list, found `5`");
    check_refused("listen: x", &[], "text:1: `listen`: expected a map with the keys outbound, port, format, found `x`");
    check_refused("listen: {port: 70000}", &[], "text:1: `listen.port`: invalid value: integer `70000`, expected u16");
    check_refused("insecure: yes", &[], "text:1: `insecure`: invalid type: string \"yes\", expected a boolean");
    check_refused("agents:\n- tags: []", &[], "text:2: `agents[0].name` is missing; add it");
    check_refused(
        "listen: {format: jsno}",
        &[],
        "text:1: `listen.format`: expected one of text, json; found `jsno`; did you mean `json`?",
    );
    check_refused("- a", &[], "text:1: expected `key: value` lines");
    check_refused("node: a\nnode: b", &[], "text:2: key `node` is written twice; the first is at text:1");
    check_refused("node: !secret a", &[], "text:1: YAML tags (`!…`) are not supported; remove it");
    check_refused("a: 1\n---\nb: 2", &[], "text:2: more than one YAML document; keep the first and remove the rest");
}

#[test]
fn the_value_of_a_variable_is_never_told() {
    let refusals = [
        read("insecure: ${SECRET}", &[("SECRET", "hunter2 hunter2")]),
        read("agents: ${SECRET}", &[("SECRET", "hunter2 hunter2")]),
        read("listen: {format: \"${SECRET}\"}", &[("SECRET", "hunter2 hunter2")]),
        read("", &[("OUTRIGGER_INSECURE", "hunter2 hunter2")]),
        read("", &[("OUTRIGGER_AGENTS", "hunter2 hunter2")]),
    ];
    for refusal in refusals {
        let text = refusal.expect_err("all are wrong");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn overrides_of_the_environment_beat_the_file() {
    check("node: a", &[("OUTRIGGER_NODE", "b")], node("b"));
    check("listen: {port: 1}", &[("OUTRIGGER_LISTEN__PORT", "2")], port(2));
    let agents = MeshFile {
        agents: vec![AgentFile { name: "w".into(), weight: Some(3), tags: vec!["eu".into()] }],
        ..MeshFile::default()
    };
    check("agents: []", &[("OUTRIGGER_AGENTS", "[{name: w, weight: 3, tags: [eu]}]")], agents);
    let outbound = ListenFile { outbound: "[::1]:17001".into(), ..ListenFile::default() };
    check("", &[("OUTRIGGER_LISTEN__OUTBOUND", "[::1]:17001")], MeshFile { listen: outbound, ..MeshFile::default() });
    // Kubernetes puts these beside a service named `outrigger`.
    check("node: a", &[("OUTRIGGER_SERVICE_HOST", "10.0.0.1"), ("OUTRIGGER_PORT_80_TCP", "tcp://x")], node("a"));
}

struct Folder(TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("a file");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn load(&self, name: &str) -> Result<MeshFile, String> {
        let hide = |text: String| text.replace(&format!("{}/", self.0.path().display()), "");
        load(&self.path(name), &Environment::new(NOTHING)).map_err(|error| hide(told(&error)))
    }
}

#[test]
fn a_file_lies_over_the_files_that_it_extends() {
    let folder = Folder::with(&[
        ("site/a.yaml", "extends: ../base/b.yaml\nlisten: {port: 2}\nagents: [{name: own}]"),
        ("base/b.yaml", "extends: c.yaml\nnode: b\nlisten: {port: 1}\nagents: [{name: x}, {name: y}]"),
        ("base/c.yaml", "node: c\nlisten: {outbound: o}"),
    ]);
    let wanted = MeshFile {
        node: Some("b".into()),
        agents: vec![AgentFile { name: "own".into(), weight: None, tags: vec![] }],
        listen: ListenFile { outbound: "o".into(), port: Some(2), format: None },
        insecure: false,
    };
    assert_eq!(folder.load("site/a.yaml"), Ok(wanted));
}

#[test]
fn an_endless_or_overlong_chain_is_refused() {
    let folder = Folder::with(&[("a.yaml", "extends: b.yaml"), ("b.yaml", "extends: a.yaml")]);
    assert_eq!(folder.load("a.yaml"), Err("a.yaml: extends itself, directly or through others".to_owned()));

    let names: Vec<(String, String)> =
        (0..9).map(|at| (format!("{at}.yaml"), format!("extends: {}.yaml", at + 1))).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let refusal = Folder::with(&files).load("0.yaml").expect_err("too long");
    assert!(refusal.ends_with("is file number 9 of a chain of `extends:`; at most 8 are read"), "{refusal}");
}

#[test]
fn what_cannot_be_read_is_told_with_its_path() {
    let folder = Folder::with(&[("big.yaml", &"#".repeat(1024 * 1024 + 1)), ("a.yaml", "extends: none.yaml")]);
    assert_eq!(
        folder.load("big.yaml"),
        Err("big.yaml is larger than 1048576 bytes; split it with `extends:`".to_owned())
    );
    assert_eq!(folder.load("a.yaml"), Err("cannot read none.yaml; check the path and its permissions".to_owned()));
    let folder_itself = load::<MeshFile>(Path::new("/"), &Environment::default());
    assert!(matches!(folder_itself, Err(ConfigError::Unreadable { .. })));
}

#[test]
fn aliases_that_multiply_are_bounded() {
    let mut text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
    for level in 1..20 {
        let below = vec![format!("*a{}", level - 1); 10].join(",");
        text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let refusal = read(&text, &[]).expect_err("too many");
    assert!(refusal.ends_with("more than 100000 values"), "{refusal}");
    let deep = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(read(&deep, &[]), Err("text:1: nested deeper than 32 levels".to_owned()));
}

#[test]
fn a_schema_describes_every_key() {
    let schema = crate::schema_text::<MeshFile>();
    for key in ["\"node\"", "\"extends\"", "\"outbound\"", "\"weight\"", "\"additionalProperties\": false"] {
        assert!(schema.contains(key), "{key} in {schema}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = read(&text, &[("A", "x")]);
    }

    #[test]
    fn no_text_that_looks_like_yaml_makes_it_panic(text in "([a-z&*!%|>?'\"\\[\\]{}:,$ \n#~-]|node: |agents: |\\$\\{A)*") {
        let _ = read(&text, &[("A", "x")]);
    }

    #[test]
    fn no_override_makes_it_panic(name in "[A-Z_]{0,12}", value in any::<String>()) {
        let _ = read("listen: {port: 5}", &[(&format!("OUTRIGGER_{name}"), &value)]);
    }
}
