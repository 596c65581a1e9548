//! A tree becomes a typed value; a refusal carries the full path of the key.
//!
//! In: a [`Node`] and the type wanted. Out: the value, or unknown key, missing key, wrong type.
//! Invariant: a key that a struct does not have is refused whether or not its type says `deny_unknown_fields`.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer as _, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{ConfigError, Place};
use crate::fault::{Fault, What, nearest};
use crate::node::{Entry, Kind, Node, Style};

/// Reads the whole tree as one `T`.
pub(crate) fn value<T: DeserializeOwned>(root: &Node) -> Result<T, ConfigError> {
    T::deserialize(Reader { node: root, at_root: true }).map_err(|fault| fault.into_error(root))
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    at_root: bool,
}

impl<'a> Reader<'a> {
    fn new(node: &'a Node) -> Self {
        Self { node, at_root: false }
    }

    fn wrong<V>(&self, wanted: &str) -> Result<V, Fault> {
        let found = match &self.node.kind {
            _ if self.node.is_null() => "nothing".to_owned(),
            Kind::Scalar { style: Style::Substituted, .. } => "another value".to_owned(),
            Kind::Scalar { text, .. } => format!("`{}`", text.chars().take(64).collect::<String>()),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
        };
        Err(Fault::new(What::Type(format!("expected {wanted}, found {found}"))))
    }

    /// A text is taken as it was written, so `version: 1.20` stays `1.20`.
    fn text(&self) -> Result<&'a str, Fault> {
        match &self.node.kind {
            Kind::Scalar { text, style } if *style != Style::Plain || !self.node.is_null() => Ok(text),
            _ => self.wrong("a text"),
        }
    }

    fn items<V: Visitor<'a>>(&self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.kind {
            Kind::List(nodes) => visitor.visit_seq(Items { nodes: nodes.iter(), at: 0 }),
            _ => self.wrong("a list"),
        }
    }

    fn entries<V: Visitor<'a>>(&self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.kind {
            Kind::Map(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None, known: None }),
            _ => self.wrong("a map of keys"),
        }
    }
}

/// Orchestrators put variables such as `OUTRIGGER_SERVICE_HOST` into every container beside a service of that name; a
/// single word that is no key of ours is therefore not taken for a mistake.
fn is_foreign(entry: &Entry) -> bool {
    matches!(&entry.place, Place::Variable(name) if !name.contains("__"))
}

impl<'de> de::Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let (text, style) = match &self.node.kind {
            Kind::List(_) => return self.items(visitor),
            Kind::Map(_) => return self.entries(visitor),
            Kind::Scalar { text, style } => (text.as_str(), *style),
        };
        if self.node.is_null() {
            return visitor.visit_unit();
        }
        match text {
            _ if style == Style::Quoted => visitor.visit_borrowed_str(text),
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => match (text.parse::<u64>(), text.parse::<i64>(), float(text)) {
                (Ok(number), _, _) => visitor.visit_u64(number),
                (_, Ok(number), _) => visitor.visit_i64(number),
                (_, _, Some(number)) => visitor.visit_f64(number),
                _ if style == Style::Substituted => visitor.visit_str(text).map_err(|fault| masked(fault, text)),
                _ => visitor.visit_borrowed_str(text),
            },
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.items(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.entries(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        // `section:` with all its keys commented out means the section with its defaults.
        let entries = match &self.node.kind {
            Kind::Map(entries) => entries.as_slice(),
            _ if self.node.is_null() => &[],
            _ => return self.wrong(&format!("a map with the keys {}", fields.join(", "))),
        };
        let mistaken = entries.iter().find(|entry| {
            let known = fields.contains(&entry.key.as_str());
            !(known || self.at_root && is_foreign(entry))
        });
        if let Some(entry) = mistaken {
            let suggestion = nearest(&entry.key, fields).map(str::to_owned);
            let fault = Fault::new(What::Unknown { suggestion, known: fields });
            return Err(fault.under(entry.key.clone(), &entry.place));
        }
        visitor.visit_map(Entries { entries: entries.iter(), value: None, known: Some(fields) })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.kind {
            Kind::Scalar { text, style } if *style != Style::Substituted || variants.contains(&text.as_str()) => {
                let variant: StrDeserializer<'_, Fault> = text.as_str().into_deserializer();
                visitor.visit_enum(variant)
            }
            _ => self.wrong(&format!("one of {}", variants.join(", "))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier
    }
}

/// A message of serde shows the value; one that came from a variable may be a secret.
fn masked(mut fault: Fault, text: &str) -> Fault {
    if let What::Type(detail) = &mut fault.what {
        *detail = detail.replace(&format!("{text:?}"), "from a variable");
    }
    fault
}

fn float(text: &str) -> Option<f64> {
    let numeric = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    (digits && text.bytes().all(numeric)).then(|| text.parse().ok())?
}

struct Items<'a> {
    nodes: std::slice::Iter<'a, Node>,
    at: usize,
}

impl<'a> de::SeqAccess<'a> for Items<'a> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(node) = self.nodes.next() else { return Ok(None) };
        let at = self.at;
        self.at += 1;
        seed.deserialize(Reader::new(node)).map(Some).map_err(|fault| fault.under(format!("[{at}]"), &node.place))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.nodes.len())
    }
}

struct Entries<'a> {
    entries: std::slice::Iter<'a, Entry>,
    value: Option<&'a Entry>,
    /// The fields of a struct; what else is there is foreign and skipped.
    known: Option<&'static [&'static str]>,
}

impl<'a> de::MapAccess<'a> for Entries<'a> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let known = self.known;
        let taken = |entry: &&Entry| known.is_none_or(|fields| fields.contains(&entry.key.as_str()));
        let Some(entry) = self.entries.find(taken) else { return Ok(None) };
        self.value = Some(entry);
        let key: StrDeserializer<'_, Fault> = entry.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|fault| fault.under(entry.key.clone(), &entry.place))
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some(entry) = self.value.take() else { return Err(de::Error::custom("a value without a key")) };
        seed.deserialize(Reader::new(&entry.value)).map_err(|fault| fault.under(entry.key.clone(), &entry.value.place))
    }
}
