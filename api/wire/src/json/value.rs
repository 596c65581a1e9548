//! Walks the bytes of a message along its schema.
//!
//! Invariant: no bytes make it panic, and messages inside messages are followed to a bounded depth.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use prost::Message as _;
use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint};
use prost_types::field_descriptor_proto::Type;

use super::schema::{Field, Schema};

const DEPTH_MAX: usize = 32;
const DURATION: &str = "google.protobuf.Duration";
const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// Bytes that are no message of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no {0}")]
pub struct BadBytes(String);

/// One value as it lies in the bytes.
enum Raw<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

pub(super) fn message(
    schema: &Schema,
    name: &str,
    bytes: &[u8],
    depth: usize,
    out: &mut String,
) -> Result<(), BadBytes> {
    let bad = || BadBytes(name.to_owned());
    if depth > DEPTH_MAX {
        return Err(bad());
    }
    match name {
        DURATION => return written(prost_types::Duration::decode(bytes).ok(), out).ok_or_else(bad),
        TIMESTAMP => return written(prost_types::Timestamp::decode(bytes).ok(), out).ok_or_else(bad),
        _ => {}
    }
    let fields = schema.fields(name).ok_or_else(bad)?;
    let held = split(fields, bytes).ok_or_else(bad)?;
    out.push('{');
    let mut is_first = true;
    for (number, field) in fields {
        let Some(raws) = held.get(number) else { continue };
        if !std::mem::take(&mut is_first) {
            out.push(',');
        }
        text(&field.name, out);
        out.push(':');
        // Of a field that is there once, the last one counts.
        let (from, open, close) =
            if field.is_repeated { (0, "[", "]") } else { (raws.len().saturating_sub(1), "", "") };
        out.push_str(open);
        for (at, raw) in raws.iter().skip(from).enumerate() {
            if at > 0 {
                out.push(',');
            }
            one(schema, field, raw, depth, out)?;
        }
        out.push_str(close);
    }
    out.push('}');
    Ok(())
}

/// The values of known fields, in the order in which they came.
fn split<'a>(fields: &BTreeMap<u32, Field>, mut bytes: &'a [u8]) -> Option<BTreeMap<u32, Vec<Raw<'a>>>> {
    let mut held: BTreeMap<u32, Vec<Raw<'a>>> = BTreeMap::new();
    while bytes.has_remaining() {
        let (number, wire) = decode_key(&mut bytes).ok()?;
        let raw = raw(wire, &mut bytes)?;
        let Some(field) = fields.get(&number) else { continue };
        let values = held.entry(number).or_default();
        match raw {
            // Numbers of a list share one run of bytes.
            Raw::Bytes(mut packed) if field.is_repeated && !is_long(field.kind) => {
                while packed.has_remaining() {
                    values.push(self::raw(wire_of(field.kind), &mut packed)?);
                }
            }
            raw => values.push(raw),
        }
    }
    Some(held)
}

fn raw<'a>(wire: WireType, bytes: &mut &'a [u8]) -> Option<Raw<'a>> {
    match wire {
        WireType::Varint => decode_varint(bytes).ok().map(Raw::Number),
        WireType::SixtyFourBit => bytes.try_get_u64_le().ok().map(Raw::Number),
        WireType::ThirtyTwoBit => bytes.try_get_u32_le().ok().map(|number| Raw::Number(number.into())),
        WireType::LengthDelimited => {
            let length = usize::try_from(decode_varint(bytes).ok()?).ok()?;
            let (taken, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            Some(Raw::Bytes(taken))
        }
        WireType::StartGroup | WireType::EndGroup => None,
    }
}

fn is_long(kind: Type) -> bool {
    matches!(kind, Type::String | Type::Bytes | Type::Message | Type::Group)
}

fn wire_of(kind: Type) -> WireType {
    match kind {
        Type::Double | Type::Fixed64 | Type::Sfixed64 => WireType::SixtyFourBit,
        Type::Float | Type::Fixed32 | Type::Sfixed32 => WireType::ThirtyTwoBit,
        Type::String | Type::Bytes | Type::Message | Type::Group => WireType::LengthDelimited,
        _ => WireType::Varint,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "so protobuf stores small and signed numbers"
)]
fn one(schema: &Schema, field: &Field, raw: &Raw<'_>, depth: usize, out: &mut String) -> Result<(), BadBytes> {
    let bad = || BadBytes(field.name.clone());
    let zigzag = |number: u64| (number >> 1) as i64 ^ -((number & 1) as i64);
    match (field.kind, raw) {
        (Type::Message, Raw::Bytes(bytes)) => return message(schema, &field.of, bytes, depth + 1, out),
        (Type::String, Raw::Bytes(bytes)) => text(std::str::from_utf8(bytes).map_err(|_| bad())?, out),
        (Type::Bytes, Raw::Bytes(bytes)) => {
            let hex = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            text(&hex.filter_map(|digit| char::from_digit(digit.into(), 16)).collect::<String>(), out);
        }
        (Type::Bool, Raw::Number(number)) => out.push_str(if *number == 0 { "false" } else { "true" }),
        (Type::Enum, Raw::Number(number)) => match schema.word(&field.of, *number as i32) {
            Some(word) => text(word, out),
            None => return written(Some(*number as i32), out).ok_or_else(bad),
        },
        (Type::Uint32 | Type::Fixed32, Raw::Number(number)) => push(*number as u32, out),
        (Type::Int32 | Type::Sfixed32, Raw::Number(number)) => push(*number as i32, out),
        (Type::Sint32, Raw::Number(number)) => push(zigzag(*number) as i32, out),
        (Type::Uint64 | Type::Fixed64, Raw::Number(number)) => text(&number.to_string(), out),
        (Type::Int64 | Type::Sfixed64, Raw::Number(number)) => text(&(*number as i64).to_string(), out),
        (Type::Sint64, Raw::Number(number)) => text(&zigzag(*number).to_string(), out),
        (Type::Double, Raw::Number(number)) => real(f64::from_bits(*number), out),
        (Type::Float, Raw::Number(number)) => real(f32::from_bits(*number as u32).into(), out),
        _ => return Err(bad()),
    }
    Ok(())
}

fn push(number: impl std::fmt::Display, out: &mut String) {
    // Writing to a text cannot fail.
    let _ = write!(out, "{number}");
}

fn real(number: f64, out: &mut String) {
    if number.is_finite() { push(number, out) } else { text(&number.to_string(), out) }
}

fn written(value: Option<impl std::fmt::Display>, out: &mut String) -> Option<()> {
    text(&value?.to_string(), out);
    Some(())
}

fn text(value: &str, out: &mut String) {
    out.push('"');
    for letter in value.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}
