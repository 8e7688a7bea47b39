// The npm `openai` SDK, changed in its base URL and key only. Prints what it saw as one line of JSON.
//   node client.mjs MODULES BASE_URL KEY TEXT
import { createRequire } from 'node:module';
import path from 'node:path';

const [modules, baseURL, apiKey, text] = process.argv.slice(2);
const { default: OpenAI } = await import(createRequire(path.join(modules, 'x.js')).resolve('openai'));
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, defaultHeaders: { 'x-flywheel-session': 'npm' } });
const model = 'fruit::m';
const messages = [{ role: 'user', content: text }];

const plain = await client.chat.completions.create({ model, messages });
let streamed = '';
let usage = 0;
for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
  streamed += chunk.choices[0]?.delta?.content ?? '';
  usage += chunk.usage ? 1 : 0;
}
const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
const tool = await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'weather?' }], tools });
let status;
let message;
try {
  await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'x' }] });
} catch (error) {
  ({ status, message } = error);
}
let cut;
try {
  for await (const chunk of await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'y' }], stream: true })) void chunk;
} catch (error) {
  cut = error.message;
}
const models = [];
for await (const each of client.models.list()) models.push(each.id);
const embedding = await client.embeddings.create({ model: 'm-embed', input: 'vector', encoding_format: 'float' });
console.log(JSON.stringify({
  plain: plain.choices[0].message.content, streamed, usage, call: tool.choices[0].message.tool_calls[0].function, status, message, cut, models,
  dimensions: embedding.data[0].embedding.length,
}));
