//! `outrigger snapshot publish` and `rollback`.

use serde_json::{Value, json};

use crate::args::snapshot::{Publish, Rollback, Signature};
use crate::ask;
use crate::http::Origin;
use crate::output::{note, say};
use crate::problem::Problem;
use crate::render::cell::text;
use crate::render::form::{Form, document};

use super::newest::{newest, number};
use super::plan;

pub async fn publish(publish: Publish) -> Result<(), Problem> {
    let Publish { source, signature, output, at } = publish;
    let declared = super::document::read(&source.file)?;
    let expected = expected(&at.control, &signature).await?;
    let Signature { reason, author, .. } = signature;
    let body = json!({"document": declared, "author": author, "reason": reason});
    let done = ask::control_if(&at.control, "/v1/publish", &body, expected).await?;
    say(told(output, &done)?)
}

pub async fn roll_back(back: Rollback) -> Result<(), Problem> {
    let Rollback { to, signature, output, at } = back;
    let expected = expected(&at.control, &signature).await?;
    let Signature { reason, author, .. } = signature;
    let body = json!({"to": to, "author": author, "reason": reason});
    let done = ask::control_if(&at.control, "/v1/rollback", &body, expected).await?;
    say(told(output, &done)?)
}

/// The intent that is to be followed: named, or the one that runs now.
pub(super) async fn expected(control: &Origin, signature: &Signature) -> Result<u64, Problem> {
    match signature.expect {
        Some(number) => Ok(number),
        None => Ok(number(&newest(control).await?)),
    }
}

fn told(output: Form, done: &Value) -> Result<String, Problem> {
    if matches!(output, Form::Json | Form::Yaml) {
        return document(output, done);
    }
    let (number, serial) = (text(done, "number"), text(done, "serial"));
    if done.get("is_new").and_then(Value::as_bool) != Some(true) {
        return Ok(format!("unchanged: intent {number} says exactly this, and runs as snapshot {serial}"));
    }
    note(
        "next:  outrigger get proxies   shows who runs it\n       outrigger snapshot rollback --reason TEXT   goes back",
    );
    let mut lines = vec![format!("intent {number} runs as snapshot {serial}")];
    lines.extend(plan::findings(done, "findings", "findings"));
    Ok(lines.join("\n"))
}
