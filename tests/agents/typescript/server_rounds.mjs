// Tools of the newest revision that answer with a question first (`input_required`) and finish on a later round.
//
// The state between the rounds is signed with a key that only this process has: another replica refuses it.
import { randomBytes } from 'node:crypto';

import { sdk, text } from './server_sdk.mjs';

export const states = sdk.createRequestStateCodec({ key: randomBytes(32) });

/** A question with a form; every field is required and has a type. */
export function form(message, fields) {
  const properties = Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, { type }]));
  const requestedSchema = { type: 'object', properties, required: Object.keys(fields) };
  return sdk.inputRequired.elicit({ message, requestedSchema });
}

function sample(words, maxTokens = 100) {
  const messages = [{ role: 'user', content: { type: 'text', text: words } }];
  return sdk.inputRequired.createMessage({ messages, maxTokens });
}

async function ask(inputRequests, state) {
  const requestState = state === undefined ? undefined : await states.mint(state);
  return sdk.inputRequired({ inputRequests, ...(requestState && { requestState }) });
}

const accepted = (ctx, key) => sdk.acceptedContent(ctx.mcpReq.inputResponses, key);
const answer = (ctx, key) => sdk.inputResponse(ctx.mcpReq.inputResponses, key);
const capabilities = (ctx) => ctx.mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {};

export function offerRounds(server) {
  const offer = (name, description, work) => server.registerTool(name, { description }, work);
  offerSingleQuestions(offer);
  offerStates(offer);
  offerCapabilities(offer);
}

function offerSingleQuestions(offer) {
  const askForName = (ctx) => {
    const given = accepted(ctx, 'user_name');
    return given ? text(`Hello, ${given.name}!`) : ask({ user_name: form('What is your name?', { name: 'string' }) });
  };
  offer('test_input_required_result_elicitation', 'Asks for a name.', askForName);

  offer('test_streaming_elicitation', 'Tells how far it is, then asks.', async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    if (progressToken !== undefined) {
      await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 0, total: 1 } });
    }
    return askForName(ctx);
  });

  offer('test_input_required_result_sampling', "Asks the client's model.", (ctx) => {
    const given = answer(ctx, 'capital_question');
    if (given.kind !== 'sampling') return ask({ capital_question: sample('What is the capital of France?') });
    return text(`The model said: ${given.result.content.text}`);
  });

  offer('test_input_required_result_list_roots', "Asks for the client's roots.", (ctx) => {
    const given = answer(ctx, 'client_roots');
    if (given.kind !== 'roots') return ask({ client_roots: sdk.inputRequired.listRoots() });
    return text(`The roots are ${given.roots.map((root) => root.uri).join(', ')}`);
  });
}

function offerStates(offer) {
  offer('test_input_required_result_request_state', 'Gives the client something to keep.', (ctx) => {
    if (ctx.mcpReq.requestState() === 'asked' && accepted(ctx, 'confirm')) return text('state-ok');
    return ask({ confirm: form('Please confirm', { ok: 'boolean' }) }, 'asked');
  });

  offer('test_input_required_result_multiple_inputs', 'Asks three things at once.', (ctx) => {
    const keys = ['user_name', 'greeting', 'client_roots'];
    const answered = keys.every((key) => answer(ctx, key).kind !== 'missing');
    if (ctx.mcpReq.requestState() === 'asked' && answered) return text('All three were answered.');
    const questions = {
      user_name: form('What is your name?', { name: 'string' }),
      greeting: sample('Generate a greeting', 50),
      client_roots: sdk.inputRequired.listRoots(),
    };
    return ask(questions, 'asked');
  });

  offer('test_input_required_result_multi_round', 'Asks twice, one question after the other.', (ctx) => {
    const state = ctx.mcpReq.requestState();
    const [name, color] = [accepted(ctx, 'step1')?.name, accepted(ctx, 'step2')?.color];
    if (state?.step === 1 && name !== undefined) {
      const question = form('Step 2: What is your favorite color?', { color: 'string' });
      return ask({ step2: question }, { step: 2, name });
    }
    if (state?.step === 2 && color !== undefined) return text(`${state.name} likes ${color}`);
    return ask({ step1: form('Step 1: What is your name?', { name: 'string' }) }, { step: 1 });
  });

  offer('test_input_required_result_tampered_state', 'Trusts its own state only.', (ctx) => {
    if (ctx.mcpReq.requestState() === 'untouched') return text('The state came back as it went.');
    return ask({ confirm: form('Please confirm', { ok: 'boolean' }) }, 'untouched');
  });
}

function offerCapabilities(offer) {
  offer('test_input_required_result_capabilities', 'Asks only what the client can answer.', (ctx) => {
    const questions = {};
    const missing = (key) => answer(ctx, key).kind === 'missing';
    if (capabilities(ctx).elicitation && missing('user_name')) {
      questions.user_name = form('What is your name?', { name: 'string' });
    }
    if (capabilities(ctx).sampling && missing('greeting')) questions.greeting = sample('Generate a greeting', 50);
    return Object.keys(questions).length > 0 ? ask(questions) : text('Nothing is left to ask.');
  });

  // The SDK itself refuses to ask what the client did not say it can answer.
  offer('test_missing_capability', 'Works only with a client that can sample.', (ctx) => {
    if (answer(ctx, 'greeting').kind === 'sampling') return text('The client can sample.');
    return ask({ greeting: sample('Generate a greeting', 50) });
  });
}
