// Tools that answer at once, talk while they work, or ask the client over the session (revisions before 2026).
import { setTimeout as sleep } from 'node:timers/promises';

import { PIXEL, SILENCE, textOfResource } from './server_contents.mjs';
import { object, sdk, text } from './server_sdk.mjs';

// Between two notifications of one call, so that they travel one by one.
const PAUSE_MILLISECONDS = 50;

const WIDE_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

export function offerTools(server, changes) {
  const offer = (name, description, work, inputSchema) =>
    server.registerTool(name, { description, ...(inputSchema && { inputSchema }) }, work);
  offerContents(offer);
  offerTalk(offer);
  offerQuestions(offer);
  offerChanges(offer, server, changes);
}

function offerContents(offer) {
  const image = { type: 'image', data: PIXEL, mimeType: 'image/png' };
  const returns = (name, description, ...content) => offer(name, description, () => ({ content }));
  returns('test_simple_text', 'Returns a text.', { type: 'text', text: 'This is a simple text response for testing.' });
  returns('test_image_content', 'Returns a picture.', image);
  returns('test_audio_content', 'Returns a sound.', { type: 'audio', data: SILENCE, mimeType: 'audio/wav' });
  const embedded = textOfResource('test://embedded-resource', 'This is an embedded resource content.');
  returns('test_embedded_resource', 'Returns a resource.', embedded);
  const mixed = JSON.stringify({ test: 'data', value: 123 });
  returns(
    'test_multiple_content_types',
    'Returns a text, a picture and a resource.',
    { type: 'text', text: 'Multiple content types test:' },
    image,
    textOfResource('test://mixed-content-resource', mixed, 'application/json'),
  );
  offer('test_error_handling', 'Fails.', () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  const wide = sdk.fromJsonSchema(WIDE_SCHEMA);
  const work = () => text('The schema is what matters here.');
  offer('json_schema_2020_12_tool', 'Has a schema with keywords of JSON Schema 2020-12.', work, wide);
  const region = object({ region: { type: 'string', 'x-mcp-header': 'Region' } });
  const tell = (given) => text(`The region is ${given.region}`);
  offer('test_header_param', 'Has an argument that travels as a header too.', tell, region);
}

function offerTalk(offer) {
  offer('test_tool_with_logging', 'Logs while it works.', async (ctx) => {
    await ctx.mcpReq.log('info', 'Tool execution started');
    await sleep(PAUSE_MILLISECONDS);
    await ctx.mcpReq.log('info', 'Tool processing data');
    await sleep(PAUSE_MILLISECONDS);
    await ctx.mcpReq.log('info', 'Tool execution completed');
    return text('Three messages were logged.');
  });
  offer('test_logging_tool', 'Logs for those who asked for it.', async (ctx) => {
    await ctx.mcpReq.log('info', 'Only for a request that names a level');
    return text('Logged, if a level was named.');
  });
  offer('test_tool_with_progress', 'Tells how far it is.', async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        const params = { progressToken, progress, total: 100 };
        await ctx.mcpReq.notify({ method: 'notifications/progress', params });
      }
      await sleep(PAUSE_MILLISECONDS);
    }
    return text('The work is done.');
  });
  offer('test_reconnection', 'Closes its stream, and has its answer ready for the client that resumes it.', async (ctx) => {
    ctx.http?.closeSSE?.();
    await sleep(2 * PAUSE_MILLISECONDS);
    return text('The answer that came after the stream was closed.');
  });
}

// `send` asks on the stream of the call. `elicitInput` and `requestSampling` ask on the GET stream of the session, and a
// question that is asked before the client has opened it is lost.
function offerQuestions(offer) {
  const string = { type: 'string' };
  const elicit = async (ctx, message, properties, required = []) => {
    const requestedSchema = { type: 'object', properties, required };
    const params = { mode: 'form', message, requestedSchema };
    const { action, content } = await ctx.mcpReq.send({ method: 'elicitation/create', params });
    return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`);
  };

  const sample = async ({ prompt }, ctx) => {
    const messages = [{ role: 'user', content: { type: 'text', text: prompt } }];
    const result = await ctx.mcpReq.send({ method: 'sampling/createMessage', params: { messages, maxTokens: 100 } });
    return text(`LLM response: ${result.content.text}`);
  };
  offer('test_sampling', "Asks the client's model.", sample, object({ prompt: string }));

  const fields = {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  };
  const askUser = ({ message }, ctx) => elicit(ctx, message, fields, Object.keys(fields));
  offer('test_elicitation', 'Asks the user.', askUser, object({ message: string }));

  offer('test_elicitation_sep1034_defaults', 'Asks with a default for every kind of field.', (ctx) =>
    elicit(ctx, 'Look through these values', {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    }),
  );

  const options = ['option1', 'option2', 'option3'];
  const titled = ['First', 'Second'].map((word, at) => ({ const: `value${at + 1}`, title: `${word} Option` }));
  const enumNames = ['Option One', 'Option Two', 'Option Three'];
  offer('test_elicitation_sep1330_enums', 'Asks with every kind of choice.', (ctx) =>
    elicit(ctx, 'Choose', {
      untitledSingle: { type: 'string', enum: options },
      titledSingle: { type: 'string', oneOf: titled },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames },
      untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
      titledMulti: { type: 'array', items: { anyOf: titled } },
    }),
  );
}

function offerChanges(offer, server, changes) {
  const come = 'Is there every other time.';
  if (changes.tool) offer('test_come_and_go', come, () => text('Here.'));
  if (changes.prompt) {
    const messages = [{ role: 'user', content: { type: 'text', text: 'Here.' } }];
    server.registerPrompt('test_come_and_go', { description: come }, () => ({ messages }));
  }
  offer('test_trigger_tool_change', 'Changes the list of tools.', () => {
    changes.tool = !changes.tool;
    changes.notify.toolsChanged();
    return text('The list of tools has changed.');
  });
  offer('test_trigger_prompt_change', 'Changes the list of prompts.', () => {
    changes.prompt = !changes.prompt;
    changes.notify.promptsChanged();
    return text('The list of prompts has changed.');
  });
}
