//! What was published stays: no message, field, enum value, service or call of the protocol is taken away, renamed, renumbered
//! or made something else. `api/wire/proto/published.txt` lists all that was published.
//!
//! To publish what was added: `OUTRIGGER_PUBLISH=1 cargo test -p outrigger-wire --test published`. It only ever adds lines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use outrigger_wire::proto::DESCRIPTORS;
use prost::Message as _;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

const ADD: &str = "OUTRIGGER_PUBLISH=1 cargo test -p outrigger-wire --test published";

fn list() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("proto/published.txt")
}

/// One line for each thing that a stranger's program may rely on.
fn lines(files: &FileDescriptorSet) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    // Of Google's own types only the names are ours to keep.
    for file in files.file.iter().filter(|file| !file.package().starts_with("google.protobuf")) {
        let package = file.package();
        file.message_type.iter().for_each(|message| of_message(package, message, &mut lines));
        file.enum_type.iter().for_each(|of| of_enum(package, of, &mut lines));
        for service in &file.service {
            for call in &service.method {
                let stream = |is_stream: bool| if is_stream { "stream " } else { "" };
                let (from, to) = (stream(call.client_streaming()), stream(call.server_streaming()));
                let (input, output) = (call.input_type(), call.output_type());
                let name = format!("{package}.{}/{}", service.name(), call.name());
                lines.insert(format!("call {name}: {from}{input} -> {to}{output}"));
            }
        }
    }
    lines
}

fn of_message(scope: &str, message: &DescriptorProto, lines: &mut BTreeSet<String>) {
    let name = format!("{scope}.{}", message.name());
    message.nested_type.iter().for_each(|nested| of_message(&name, nested, lines));
    message.enum_type.iter().for_each(|of| of_enum(&name, of, lines));
    lines.insert(format!("message {name}"));
    for field in &message.field {
        let kind = format!("{:?}", field.r#type()).to_lowercase();
        let label = format!("{:?}", field.label()).to_lowercase();
        let presence = if field.proto3_optional() { " explicit" } else { "" };
        let choice = field.oneof_index.filter(|_| !field.proto3_optional());
        let choice = choice.and_then(|at| message.oneof_decl.get(usize::try_from(at).ok()?));
        let choice = choice.map(|of| format!(" oneof {}", of.name())).unwrap_or_default();
        let of = if field.type_name().is_empty() { String::new() } else { format!(" {}", field.type_name()) };
        let (number, called) = (field.number(), field.name());
        lines.insert(format!("field {name} = {number}: {called} {label} {kind}{of}{presence}{choice}"));
    }
}

fn of_enum(scope: &str, of: &EnumDescriptorProto, lines: &mut BTreeSet<String>) {
    for value in &of.value {
        lines.insert(format!("value {scope}.{} = {}: {}", of.name(), value.number(), value.name()));
    }
}

/// What breaks who relies on `published`, in words.
fn broken(published: &BTreeSet<String>, now: &BTreeSet<String>) -> Vec<String> {
    let place = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let told = |line: &String| match now.iter().find(|other| place(other) == place(line)) {
        Some(other) => format!("was `{line}`\nand is `{other}`"),
        None => format!("`{line}` is gone"),
    };
    published.difference(now).map(told).collect()
}

fn of_this_build() -> FileDescriptorSet {
    FileDescriptorSet::decode(DESCRIPTORS).unwrap()
}

#[test]
fn nothing_that_was_published_changes() {
    let now = lines(&of_this_build());
    let text = std::fs::read_to_string(list()).unwrap_or_default();
    let published: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let broken = broken(&published, &now);
    assert!(
        broken.is_empty(),
        "programs of others rely on this:\n{}\nLeave it as it was, and add beside it: a field with a new number, a call with a new name.",
        broken.join("\n")
    );
    let added: Vec<_> = now.difference(&published).cloned().collect();
    if std::env::var_os("OUTRIGGER_PUBLISH").is_some() {
        let all: Vec<_> = now.into_iter().collect();
        std::fs::write(list(), all.join("\n") + "\n").unwrap();
        return;
    }
    assert!(
        added.is_empty(),
        "not published yet:\n{}\nIf it is meant to stay as it is: {ADD}, and commit the list.",
        added.join("\n")
    );
}

/// A field of a planted message, as some build would have it.
fn planted(name: &str, number: i32, kind: prost_types::field_descriptor_proto::Type) -> FileDescriptorSet {
    let mut field = prost_types::FieldDescriptorProto { name: Some(name.to_owned()), ..Default::default() };
    field.number = Some(number);
    field.set_type(kind);
    let message = DescriptorProto { name: Some("Thing".to_owned()), field: vec![field], ..Default::default() };
    let file = prost_types::FileDescriptorProto {
        package: Some("outrigger.test".to_owned()),
        message_type: vec![message],
        ..Default::default()
    };
    FileDescriptorSet { file: vec![file] }
}

#[test]
fn a_field_that_is_renamed_renumbered_retyped_or_removed_is_caught() {
    use prost_types::field_descriptor_proto::Type::{String, Uint32};
    let before = lines(&planted("weight", 1, Uint32));
    assert!(broken(&before, &before).is_empty());
    let cases = [
        (lines(&planted("mass", 1, Uint32)), "and is `field outrigger.test.Thing = 1: mass"),
        (lines(&planted("weight", 1, String)), "and is `field outrigger.test.Thing = 1: weight optional string`"),
        (lines(&planted("weight", 2, Uint32)), "is gone"),
        (BTreeSet::new(), "is gone"),
    ];
    for (after, expected) in cases {
        let told = broken(&before, &after);
        assert!(told.iter().any(|line| line.contains(expected)), "{told:?} without {expected}");
    }
}

#[test]
fn the_list_has_calls_values_and_the_messages_of_others_that_we_carry() {
    let now = lines(&of_this_build());
    for begins in [
        "call outrigger.snapshot.v1.Snapshots/Watch: .outrigger.snapshot.v1.Since -> stream ",
        "value outrigger.snapshot.v1.Change.Op = 3: REMOVED",
        "field envoy.service.discovery.v3.DeltaDiscoveryResponse = 5: nonce",
        "field outrigger.snapshot.v1.Watcher = 6: serial optional uint64 explicit",
        "field outrigger.snapshot.v1.Route.Key = 1: header optional string oneof source",
    ] {
        assert!(now.iter().any(|line| line.starts_with(begins)), "{begins}");
    }
}
