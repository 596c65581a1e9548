//! Requests: the generator writes them, the agent reads of them what it needs and passes over everything else.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::TOOL;
use super::ask::{Ask, Era, Form};
use super::fill::fill;

#[derive(Debug, Deserialize)]
pub struct Request<'a> {
    #[serde(borrow)]
    pub id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub method: Cow<'a, str>,
    #[serde(borrow, default)]
    pub params: Params<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Params<'a> {
    #[serde(borrow, default)]
    pub arguments: Arguments<'a>,
    #[serde(rename = "_meta", default)]
    pub meta: Meta,
}

#[derive(Debug, Default, Deserialize)]
pub struct Arguments<'a> {
    pub number: Option<u64>,
    #[serde(default)]
    pub events: u32,
    #[serde(default)]
    pub every_ms: u32,
    #[serde(default)]
    pub reply_bytes: usize,
    #[serde(borrow, default)]
    pub text: Cow<'a, str>,
}

impl Arguments<'_> {
    /// Bytes of text that came as they were sent; 0 if they did not.
    pub fn heard(&self) -> usize {
        if self.text == fill(self.text.len()) { self.text.len() } else { 0 }
    }
}

/// What requests without arguments say of themselves.
#[derive(Debug, Default, Deserialize)]
pub struct Meta {
    #[serde(rename = "load.test/number")]
    pub number: Option<u64>,
    #[serde(rename = "load.test/tools", default)]
    pub tools: usize,
}

const MODERN_META: &str =
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;

/// The body of call `number`.
pub fn body(number: u64, ask: &Ask, era: Era) -> String {
    match ask.form {
        Form::Json => call(number, (0, 0), ask, era),
        Form::Events { count, every_ms } => call(number, (count, every_ms), ask, era),
        Form::List { tools } => {
            let meta = meta(era, &format!(r#""load.test/number":{number},"load.test/tools":{tools}"#));
            format!(r#"{{"jsonrpc":"2.0","id":{number},"method":"tools/list","params":{{{meta}}}}}"#)
        }
    }
}

fn call(number: u64, (events, every_ms): (u32, u32), ask: &Ask, era: Era) -> String {
    let meta = match era {
        Era::Legacy => String::new(),
        Era::Modern => format!(",{}", meta(era, "")),
    };
    let text = fill(ask.padding_bytes);
    let reply = match ask.reply_bytes {
        0 => String::new(),
        bytes => format!(r#","reply_bytes":{bytes}"#),
    };
    format!(
        r#"{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"name":"{TOOL}","arguments":{{"number":{number},"events":{events},"every_ms":{every_ms}{reply},"text":"{text}"}}{meta}}}}}"#
    )
}

/// The body that opens listen stream `number`; modern only.
pub fn listen(number: u64) -> String {
    let meta = meta(Era::Modern, &format!(r#""load.test/number":{number}"#));
    format!(
        r#"{{"jsonrpc":"2.0","id":{number},"method":"subscriptions/listen","params":{{{meta},"notifications":{{"toolsListChanged":true}}}}}}"#
    )
}

fn meta(era: Era, own: &str) -> String {
    let modern = if era == Era::Modern { MODERN_META } else { "" };
    let comma = if modern.is_empty() || own.is_empty() { "" } else { "," };
    format!(r#""_meta":{{{modern}{comma}{own}}}"#)
}

#[cfg(test)]
mod tests;
