// More of the npm `openai` SDK: tools in streams, structured output, usage in streams, leaving, /responses, a wrong key.
//   node more.mjs MODULES BASE_URL KEY
import { createRequire } from 'node:module';
import path from 'node:path';

const [modules, baseURL, apiKey] = process.argv.slice(2);
const { default: OpenAI } = await import(createRequire(path.join(modules, 'x.js')).resolve('openai'));
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = 'more::m';
const messages = [{ role: 'user', content: 'x' }];

let call = '';
const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
for await (const chunk of await client.chat.completions.create({ model, messages, tools, stream: true }))
  call += chunk.choices[0]?.delta?.tool_calls?.[0]?.function?.arguments ?? '';

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const parsed = await client.chat.completions.parse({ model, messages, response_format: { type: 'json_schema', json_schema: { name: 'place', strict: true, schema } } });

let usage;
for await (const chunk of await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } }))
  usage = chunk.usage ?? usage;

const leaving = await client.chat.completions.create({ model: 'leaver::m', messages, stream: true });
let seen = '';
for await (const chunk of leaving) {
  seen += chunk.choices[0]?.delta?.content ?? '';
  if (seen.length > 20) break;
}

const response = await client.responses.create({ model, input: 'Hello' });
let deltas = '';
let completed = false;
for await (const event of await client.responses.create({ model, input: 'Hello', stream: true })) {
  if (event.type === 'response.output_text.delta') deltas += event.delta;
  completed ||= event.type === 'response.completed';
}

let refused;
try {
  await new OpenAI({ baseURL, apiKey: 'fw_wrong', maxRetries: 0 }).chat.completions.create({ model, messages });
} catch (error) {
  refused = error.status;
}
console.log(JSON.stringify({
  call, city: parsed.choices[0].message.parsed?.city ?? JSON.parse(parsed.choices[0].message.content).city, id: parsed.id, usage: usage.total_tokens, left: seen.length > 20,
  response: response.output_text, deltas, completed, refused,
}));
