//! What the messages of the protocol consist of, read from its descriptors.
//!
//! In: the descriptors that are compiled in. Out: fields by message and number.

use std::collections::{BTreeMap, HashMap};

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

use crate::proto::DESCRIPTORS;

/// All messages of the protocol by their full names.
#[derive(Debug, Default)]
pub struct Schema {
    messages: HashMap<String, BTreeMap<u32, Field>>,
    enums: HashMap<String, HashMap<i32, String>>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub name: String,
    pub kind: Type,
    /// Of messages and enums, the full name.
    pub of: String,
    pub is_repeated: bool,
}

impl Schema {
    /// That of this build. It is read once and shared.
    pub fn of_this_build() -> Self {
        let mut schema = Self::default();
        // They were encoded by the build of this very crate; without them every message is unknown.
        for file in FileDescriptorSet::decode(DESCRIPTORS).unwrap_or_default().file {
            let package = file.package().to_owned();
            file.message_type.iter().for_each(|message| schema.add(&package, message));
            file.enum_type.iter().for_each(|of| schema.add_enum(&package, of));
        }
        schema
    }

    pub(super) fn fields(&self, message: &str) -> Option<&BTreeMap<u32, Field>> {
        self.messages.get(message)
    }

    pub(super) fn word(&self, of: &str, number: i32) -> Option<&str> {
        self.enums.get(of)?.get(&number).map(String::as_str)
    }

    fn add(&mut self, scope: &str, message: &DescriptorProto) {
        let name = format!("{scope}.{}", message.name());
        message.nested_type.iter().for_each(|nested| self.add(&name, nested));
        message.enum_type.iter().for_each(|of| self.add_enum(&name, of));
        let fields = message.field.iter().map(|field| {
            let known = Field {
                name: field.name().to_owned(),
                kind: field.r#type(),
                of: field.type_name().trim_start_matches('.').to_owned(),
                is_repeated: field.label() == Label::Repeated,
            };
            (u32::try_from(field.number()).unwrap_or_default(), known)
        });
        self.messages.insert(name, fields.collect());
    }

    fn add_enum(&mut self, scope: &str, of: &EnumDescriptorProto) {
        let words = of.value.iter().map(|value| (value.number(), value.name().to_owned()));
        self.enums.insert(format!("{scope}.{}", of.name()), words.collect());
    }
}
