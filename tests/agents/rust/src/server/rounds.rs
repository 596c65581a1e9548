//! Calls in several rounds (2026-07-28): the result asks, and the client repeats the call with the answers.
//!
//! In: one round of a call: answers and state that came back. Out: the next questions, or the end.
//! Never here: requests of the server's own; that is `speaking`.
//! Invariant: a state that this process did not seal for this very tool ends the call with an error.

use rmcp::model::{ClientCapabilities, ErrorData, InputRequiredResult, InputResponses, SealOptions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::questions::{Question, capability_of, field, in_words, requests};
use super::state::Shared;

/// One round, as the request brings it.
pub struct Round<'a> {
    /// Of the tool or prompt.
    pub name: &'a str,
    pub responses: Option<&'a InputResponses>,
    pub state: Option<&'a str>,
    pub capabilities: &'a ClientCapabilities,
    pub shared: &'a Shared,
}

pub enum Step {
    Ask(InputRequiredResult),
    Done(String),
}

/// What is sealed into the state of a call.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    step: u8,
    name: String,
}

pub fn take(round: &Round<'_>) -> Result<Step, ErrorData> {
    match round.name {
        "test_input_required_result_elicitation" => greeting(round),
        "test_input_required_result_sampling" => {
            round.once(Question::sampling("capital_question", "What is the capital of France?")?)
        }
        "test_input_required_result_list_roots" => round.once(Question::roots("client_roots")?),
        "test_streaming_elicitation" => round.once(Question::yes("confirm", "Shall it go on?", "ok")?),
        "test_input_required_result_prompt" => {
            round.once(Question::text("user_context", "What context should the prompt use?", "context")?)
        }
        "test_input_required_result_request_state" | "test_input_required_result_tampered_state" => confirmed(round),
        "test_input_required_result_multiple_inputs" => three_at_once(round),
        "test_input_required_result_multi_round" => two_in_turn(round),
        "test_input_required_result_capabilities" => only_what_is_allowed(round),
        name => Err(ErrorData::invalid_params(format!("unknown tool {name}"), None)),
    }
}

fn greeting(round: &Round<'_>) -> Result<Step, ErrorData> {
    let question = Question::text("user_name", "What is your name?", "name")?;
    match question.answer(round.responses) {
        Some(answer) => Ok(Step::Done(format!("Hello, {}!", field(&answer, "name")))),
        None => round.ask(&[question], None),
    }
}

fn confirmed(round: &Round<'_>) -> Result<Step, ErrorData> {
    let question = Question::yes("confirm", "Please confirm", "ok")?;
    let kept = round.kept()?;
    match (question.answer(round.responses), kept) {
        (Some(answer), Some(_)) => Ok(Step::Done(format!("state-ok, {}", in_words(&answer)))),
        (Some(_), None) => Err(ErrorData::invalid_params("the state of the call is missing", None)),
        (None, _) => round.ask(&[question], Some(&Kept::default())),
    }
}

fn three_at_once(round: &Round<'_>) -> Result<Step, ErrorData> {
    let questions = [
        Question::text("user_name", "What is your name?", "name")?,
        Question::sampling("greeting", "Generate a greeting")?,
        Question::roots("client_roots")?,
    ];
    let kept = round.kept()?;
    let answers: Option<Vec<Value>> = questions.iter().map(|question| question.answer(round.responses)).collect();
    match (answers, kept) {
        (Some(answers), Some(_)) => Ok(Step::Done(answers.iter().map(in_words).collect::<Vec<String>>().join("; "))),
        (Some(_), None) => Err(ErrorData::invalid_params("the state of the call is missing", None)),
        (None, _) => round.ask(&questions, Some(&Kept::default())),
    }
}

fn two_in_turn(round: &Round<'_>) -> Result<Step, ErrorData> {
    let first = Question::text("step1", "Step 1: What is your name?", "name")?;
    let second = Question::text("step2", "Step 2: What is your favorite color?", "color")?;
    match round.kept()? {
        Some(kept) if kept.step == 1 => match first.answer(round.responses) {
            Some(answer) => {
                let kept = Kept { step: 2, name: field(&answer, "name").to_owned() };
                round.ask(&[second], Some(&kept))
            }
            None => round.ask(&[first], Some(&kept)),
        },
        Some(kept) => match second.answer(round.responses) {
            Some(answer) => Ok(Step::Done(format!("{} likes {}", kept.name, field(&answer, "color")))),
            None => round.ask(&[second], Some(&kept)),
        },
        None => round.ask(&[first], Some(&Kept { step: 1, name: String::new() })),
    }
}

fn only_what_is_allowed(round: &Round<'_>) -> Result<Step, ErrorData> {
    let mut questions = vec![
        Question::text("user_name", "What is your name?", "name")?,
        Question::sampling("greeting", "Generate a greeting")?,
        Question::roots("client_roots")?,
    ];
    questions.retain(|question| question.may_be_asked(round.capabilities));
    let answers: Option<Vec<Value>> = questions.iter().map(|question| question.answer(round.responses)).collect();
    match answers {
        Some(answers) => Ok(Step::Done(answers.iter().map(in_words).collect::<Vec<String>>().join("; "))),
        None => round.ask(&questions, None),
    }
}

impl Round<'_> {
    /// One question, and its answer is the result.
    pub fn once(&self, question: Question) -> Result<Step, ErrorData> {
        match question.answer(self.responses) {
            Some(answer) => Ok(Step::Done(in_words(&answer))),
            None => self.ask(&[question], None),
        }
    }

    fn ask(&self, questions: &[Question], kept: Option<&Kept>) -> Result<Step, ErrorData> {
        if let Some(question) = questions.iter().find(|question| !question.may_be_asked(self.capabilities)) {
            return Err(ErrorData::missing_required_client_capability(capability_of(question)));
        }
        let bound_to_name = SealOptions::new().associated_data(self.name.as_bytes());
        let state = kept.map(|kept| self.shared.seal.seal_json_with(kept, &bound_to_name)).transpose();
        let state = state.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(Step::Ask(InputRequiredResult::new(Some(requests(questions)), state)))
    }

    fn kept(&self) -> Result<Option<Kept>, ErrorData> {
        let Some(state) = self.state else { return Ok(None) };
        let opened = self.shared.seal.open_json_with(state, self.name.as_bytes());
        opened.map(Some).map_err(|_| ErrorData::invalid_params("the state of the call is not from here", None))
    }
}
