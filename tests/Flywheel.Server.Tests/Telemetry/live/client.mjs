// A real client library under real instrumentation, against an OpenAI-compatible server of its own on loopback:
//   node client.mjs LIBRARY OTLP_URL KEY GRPC_PORT     (run in a folder that has the packages)
// Makes a plain, a streamed, a tool and a failing call; exits when everything is exported.
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [library, url, key, grpcPort] = process.argv.slice(2);
// Packages are found from the working folder, wherever this file stands.
const require = createRequire(path.join(process.cwd(), 'package.json'));
const load = (name) => {
  try { return require(name); } catch (e) { return import(pathToFileURL(require.resolve(name)).href); }
};

const answer = 'Unterwegs: <b>morgen</b> 📦 "bald"\n';
const usage = { prompt_tokens: 7, completion_tokens: 9, total_tokens: 16 };
const call = [{ index: 0, id: 'call_1', type: 'function', function: { name: 'look_up', arguments: '{"city":"Köln"}' } }];
const upstream = http.createServer((request, response) => {
  let text = '';
  request.on('data', (part) => { text += part; });
  request.on('end', () => {
    const body = JSON.parse(text);
    const last = JSON.stringify(body.messages.at(-1).content);
    const head = { id: 'chatcmpl-1', created: 1764000000, model: 'scripted-1' };
    if (last.includes('fail')) {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: 'no more', type: 'invalid_request_error' } }));
    } else if (body.stream) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const send = (delta, finish_reason = null, more = {}) => response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }], ...more })}\n\n`);
      send({ role: 'assistant', content: '' });
      for (const part of answer.match(/.{1,5}/gsu)) send({ content: part });
      send({}, 'stop');
      response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage })}\n\n`);
      response.end('data: [DONE]\n\n');
    } else {
      const message = body.tools ? { role: 'assistant', content: null, tool_calls: call } : { role: 'assistant', content: answer };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...head, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: body.tools ? 'tool_calls' : 'stop' }], usage }));
    }
  });
});
await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));
const baseURL = `http://127.0.0.1:${upstream.address().port}/v1`;

const { NodeTracerProvider, BatchSpanProcessor } = await load('@opentelemetry/sdk-trace-node');
const headers = { 'x-api-key': key };
let exporter;
if (library === 'traceloop') {
  const { OTLPTraceExporter } = await load('@opentelemetry/exporter-trace-otlp-grpc');
  const { Metadata } = require('@grpc/grpc-js');
  const metadata = new Metadata();
  metadata.set('x-api-key', key);
  exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${grpcPort}`, metadata });
} else {
  const { OTLPTraceExporter } = await load(library === 'vercel' ? '@opentelemetry/exporter-trace-otlp-http' : '@opentelemetry/exporter-trace-otlp-proto');
  exporter = new OTLPTraceExporter({ url: `${url}/v1/traces`, headers, compression: 'gzip' });
}
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
provider.register();
let logs;
const question = 'Wo ist mein Päckchen? 📦\n"bitte"';

if (library === 'vercel') {
  const { generateText, streamText, tool, registerTelemetry, jsonSchema } = await load('ai');
  const { OpenTelemetry } = await load('@ai-sdk/otel');
  const { createOpenAI } = await load('@ai-sdk/openai');
  registerTelemetry(new OpenTelemetry());
  const model = createOpenAI({ baseURL, apiKey: 'none' }).chat('scripted-1');
  const telemetry = { isEnabled: true, functionId: 'live' };
  const common = { model, telemetry, experimental_telemetry: telemetry, maxRetries: 0 };
  await generateText({ ...common, system: 'Kurz.', prompt: question });
  const stream = streamText({ ...common, prompt: question });
  for await (const _ of stream.textStream);
  await generateText({ ...common, prompt: 'call', tools: { look_up: tool({ description: 'd', inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } } }) }) } });
  await generateText({ ...common, prompt: 'fail' }).then(() => { throw new Error('the failing call did not fail'); }, () => {});
} else {
  const options = { captureMessageContent: true, traceContent: true };
  let instrumentation;
  if (library === 'contrib') {
    process.env.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT = 'true';
    const { LoggerProvider, BatchLogRecordProcessor, SimpleLogRecordProcessor } = await load('@opentelemetry/sdk-logs');
    const { OTLPLogExporter } = await load('@opentelemetry/exporter-logs-otlp-http');
    const logExporter = new OTLPLogExporter({ url: `${url}/v1/logs`, headers });
    let processor;
    try { processor = new BatchLogRecordProcessor({ exporter: logExporter }); } catch { processor = new BatchLogRecordProcessor(logExporter); }
    logs = new LoggerProvider({ processors: [processor] });
    const { OpenAIInstrumentation } = await load('@opentelemetry/instrumentation-openai');
    instrumentation = new OpenAIInstrumentation(options);
    instrumentation.setLoggerProvider(logs);
  } else {
    const { OpenAIInstrumentation } = await load(library === 'traceloop' ? '@traceloop/instrumentation-openai' : '@arizeai/openinference-instrumentation-openai');
    instrumentation = new OpenAIInstrumentation(options);
  }
  instrumentation.setTracerProvider(provider);
  instrumentation.setMeterProvider?.((await load('@opentelemetry/api')).metrics.getMeterProvider());
  // By hand where the library offers it: the hook on require differs between module systems.
  let openai;
  if (instrumentation.manuallyInstrument) {
    openai = require('openai');
    const OpenAI = openai.OpenAI ?? openai.default ?? openai;
    instrumentation.manuallyInstrument(library === 'openinference' ? openai : OpenAI);
  } else {
    instrumentation.enable();
    openai = require('openai');
  }
  const client = new (openai.OpenAI ?? openai.default)({ baseURL, apiKey: 'none', maxRetries: 0 });
  const user = (content) => ({ model: 'scripted', messages: [{ role: 'user', content }] });
  await client.chat.completions.create({ model: 'scripted', messages: [{ role: 'system', content: 'Kurz.' }, { role: 'user', content: question }] });
  for await (const _ of await client.chat.completions.create({ ...user(question), stream: true, stream_options: { include_usage: true } }));
  await client.chat.completions.create({ ...user('call'), tools: [{ type: 'function', function: { name: 'look_up', parameters: { type: 'object' } } }] });
  await client.chat.completions.create(user('fail')).then(() => { throw new Error('the failing call did not fail'); }, () => {});
}
await new Promise((later) => setTimeout(later, 50));
await provider.forceFlush();
await logs?.forceFlush?.();
await provider.shutdown();
await logs?.shutdown();
upstream.closeAllConnections();
upstream.close();
