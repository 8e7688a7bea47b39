// Evaluation runner beside promptfoo: the same rows, ours with ten code metrics, promptfoo with one JavaScript assertion, rounds interleaved.
//   PROMPTFOO=<promptfoo's entry file> NODE22=<node 22.22 or newer> node bench/eval.mjs [--cases 10000] [--rounds 3] [--flywheel ./flywheel]
// One line of JSON on stdout, progress on stderr. CPU is of the whole process tree, from /proc/self/stat (user + system of waited-for children);
// "over start" subtracts a run of one row in the same round.
import fs from 'node:fs'; import os from 'node:os'; import path from 'node:path'; import { spawnSync } from 'node:child_process'; import { fileURLToPath } from 'node:url';

const options = { cases: 10000, rounds: 3, flywheel: path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'flywheel') };
for (let i = 2; i + 1 < process.argv.length; i += 2) options[process.argv[i].slice(2)] = /^\d+$/.test(process.argv[i + 1]) ? Number(process.argv[i + 1]) : process.argv[i + 1];
if (!process.env.PROMPTFOO) { console.error('Set PROMPTFOO to promptfoo\'s entry file (npm install promptfoo), and NODE22 to a node of 22.22 or newer.'); process.exit(2); }

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'flywheel-eval-bench-'));
const question = (i) => `question number ${i} about an invoice`;
const answer = (i) => `reply to Answer: ${question(i)}`;
fs.writeFileSync(path.join(folder, 'provider.cjs'), `module.exports = class { id() { return 'fixed'; } async callApi(p) { return { output: 'reply to ' + p, tokenUsage: { total: 10, prompt: 5, completion: 5 } }; } };`);
const metric = (name, validator) => ({ name, criterion: `Is it ${name}?`, validator });
fs.writeFileSync(path.join(folder, 'set.json'), JSON.stringify([
  metric('short', { kind: 'length', max: 400 }), metric('long-enough', { kind: 'length', min: 5 }), metric('few-words', { kind: 'length', max: 60, unit: 'words' }),
  metric('no-delve', { kind: 'absent', words: ['delve', 'crucial'], inflections: true }), metric('reply', { kind: 'regex', pattern: '^reply to' }),
  metric('invoice', { kind: 'contains', text: 'invoice' }), metric('no-code', { kind: 'regex', pattern: '```', expect: 'no_match' }),
  metric('right', { kind: 'exact-match', expected_attribute: 'expected' }), metric('sql', { kind: 'sql-expression', expression: "length(output) > 5 AND output NOT LIKE '%delve%'" }),
  metric('answered', { kind: 'regex', pattern: '\\S' })]));
for (const n of [1, options.cases]) {
  const rows = Array.from({ length: n }, (_, i) => i);
  fs.writeFileSync(path.join(folder, `${n}.jsonl`), rows.map((i) => JSON.stringify({ id: String(i), input: question(i), output: answer(i), expected: answer(i) })).join('\n') + '\n');
  fs.writeFileSync(path.join(folder, `${n}.csv`), 'q\n' + rows.map(question).join('\n') + '\n');
  fs.writeFileSync(path.join(folder, `${n}.yaml`), `prompts: ['Answer: {{q}}']\nproviders: ['file://${folder}/provider.cjs']\ndefaultTest:\n  assert:\n    - type: javascript\n      value: output.length > 5 && !output.includes('delve')\ntests: file://${folder}/${n}.csv\n`);
}

const children = () => { const f = fs.readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' '); return (Number(f[13]) + Number(f[14])) / 100; };
const timed = (what, command, args, env) => {
  const [wall, cpu] = [performance.now(), children()];
  const run = spawnSync(command, args, { encoding: 'utf8', cwd: folder, timeout: 900000, maxBuffer: 1 << 28, env: { ...process.env, ...env } });
  if (run.status !== 0) { console.error(what, run.status, run.stdout.slice(-2000), run.stderr.slice(-2000)); process.exit(1); }
  return { wall: (performance.now() - wall) / 1000, cpu: children() - cpu };
};
const runs = {
  flywheel: (n, r) => timed('flywheel', options.flywheel, ['eval', '--data', `${n}.jsonl`, '--metrics', 'set.json', '--db', 'sqlite:' + path.join(folder, `results-${n}-${r}.db`), '--json', '--fail-under', 'no-delve=1']),
  promptfoo: (n, r) => {
    const home = path.join(folder, `home-${n}-${r}`); fs.mkdirSync(home);
    return timed('promptfoo', process.env.NODE22 || process.execPath, [process.env.PROMPTFOO, 'eval', '-c', `${n}.yaml`, '--no-progress-bar', '--no-table', '--no-cache', '-j', '4', '-o', 'out.json'],
      { PROMPTFOO_CONFIG_DIR: home, PROMPTFOO_DISABLE_TELEMETRY: '1', PROMPTFOO_DISABLE_UPDATE: '1', PROMPTFOO_DISABLE_REMOTE_GENERATION: '1', PROMPTFOO_SELF_HOSTED: '1', NO_COLOR: '1' });
  },
};
const seen = {};
for (let r = 0; r < options.rounds; r++)
  for (const [name, run] of Object.entries(runs)) {
    const one = run(1, r); const many = run(options.cases, r);
    (seen[name] ??= []).push({ startCpu: one.cpu, wall: many.wall, cpu: many.cpu, perCase: (many.cpu - one.cpu) * 1000 / (options.cases - 1) });
    console.error(`round ${r + 1} ${name}: ${many.wall.toFixed(2)} s wall, ${many.cpu.toFixed(2)} s CPU, ${seen[name].at(-1).perCase.toFixed(4)} ms CPU a case over start, load ${os.loadavg()[0].toFixed(1)}`);
  }
const spread = (values) => { const s = [...values].sort((a, b) => a - b); return { min: s[0], median: s[s.length >> 1], max: s.at(-1) }; };
const result = Object.fromEntries(Object.entries(seen).map(([name, all]) => [name, { wall_s: spread(all.map((x) => x.wall)), cpu_s: spread(all.map((x) => x.cpu)), start_cpu_s: spread(all.map((x) => x.startCpu)), cpu_ms_per_case_over_start: spread(all.map((x) => x.perCase)) }]));
const ratio = (field) => result.promptfoo[field].median / result.flywheel[field].median;
console.log(JSON.stringify({ bench: 'eval', cases: options.cases, metrics: { flywheel: 10, promptfoo: 1 }, rounds: options.rounds, ...result, promptfoo_over_flywheel: { wall: ratio('wall_s'), cpu: ratio('cpu_s'), cpu_per_case_over_start: ratio('cpu_ms_per_case_over_start') } }));
fs.rmSync(folder, { recursive: true, force: true });
