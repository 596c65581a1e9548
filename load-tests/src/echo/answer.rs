//! Answers: the agent writes them, the generator reads them and holds them against what was asked for.
//!
//! Invariant: an answer is read only if it is whole: the text, or the list, that was asked for, and what the agent heard.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ask::{Ask, Form};
use super::fill::fill;
use super::list::tools;

/// Brings a small answer to about 300 bytes, which is what small tools answer.
const TEXT: &str = "the quick brown fox jumps over the lazy dog, and the lazy dog sleeps on in the afternoon sun";

/// What the generator reads of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    pub number: u64,
    pub replica: Cow<'a, str>,
}

/// The result of `tools/call`, under the id that the caller chose. `heard`: bytes of text that came with the call.
pub fn answer(id: &str, number: u64, replica: &str, heard: usize, reply_bytes: usize) -> String {
    let text = text(reply_bytes);
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{text}"}}],"structuredContent":{{"number":{number},"replica":"{replica}","heard":{heard}}},"isError":false,"resultType":"complete"}}}}"#
    )
}

/// The result of `tools/list`.
pub fn list(id: &str, number: u64, replica: &str, count: usize) -> String {
    let tools = tools(count);
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"_meta":{{"number":{number},"replica":"{replica}"}},"resultType":"complete","ttlMs":60000,"cacheScope":"public","tools":[{tools}]}}}}"#
    )
}

/// Reads an answer; `None` if it is an error, its id is not its number, or it is not all that was asked for.
pub fn read_answer<'a>(bytes: &'a [u8], ask: &Ask) -> Option<Answer<'a>> {
    match ask.form {
        Form::Json | Form::Events { .. } => read_call(bytes, ask),
        Form::List { tools } => read_list(bytes, tools),
    }
}

fn text(reply_bytes: usize) -> &'static str {
    if reply_bytes == 0 { TEXT } else { fill(reply_bytes) }
}

#[derive(Deserialize)]
struct Message<T> {
    id: u64,
    result: T,
}

#[derive(Deserialize)]
struct Who<'a> {
    number: u64,
    #[serde(borrow)]
    replica: Cow<'a, str>,
    #[serde(default)]
    heard: usize,
}

impl<'a> Who<'a> {
    fn under(self, id: u64) -> Option<Answer<'a>> {
        (id == self.number).then_some(Answer { number: self.number, replica: self.replica })
    }
}

fn read_call<'a>(bytes: &'a [u8], ask: &Ask) -> Option<Answer<'a>> {
    #[derive(Deserialize)]
    struct Outcome<'a> {
        #[serde(borrow)]
        content: Vec<Piece<'a>>,
        #[serde(borrow, rename = "structuredContent")]
        who: Who<'a>,
    }
    #[derive(Deserialize)]
    struct Piece<'a> {
        #[serde(borrow)]
        text: Cow<'a, str>,
    }
    let message: Message<Outcome<'_>> = serde_json::from_slice(bytes).ok()?;
    let outcome = message.result;
    let [piece] = outcome.content.as_slice() else { return None };
    let whole = piece.text == text(ask.reply_bytes) && outcome.who.heard == ask.padding_bytes;
    outcome.who.under(message.id).filter(|_| whole)
}

fn read_list(bytes: &[u8], count: usize) -> Option<Answer<'_>> {
    #[derive(Deserialize)]
    struct Listed<'a> {
        #[serde(borrow, rename = "_meta")]
        who: Who<'a>,
        #[serde(borrow)]
        tools: &'a RawValue,
    }
    let message: Message<Listed<'_>> = serde_json::from_slice(bytes).ok()?;
    let listed = message.result;
    let expected = tools(count);
    let got = listed.tools.get();
    let same = got.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) == Some(expected);
    // A proxy may write the same list in other words.
    let whole = same || value(got).is_some_and(|got| value(&format!("[{expected}]")) == Some(got));
    listed.who.under(message.id).filter(|_| whole)
}

fn value(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests;
