// hnswlib (through hnswlib-node) over rows and queries in files of 32-bit floats; prints one object.
//   node hnswlib.mjs FOLDER ROWS QUERIES DIMENSIONS: FOLDER holds node_modules with hnswlib-node
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [folder, rowsFile, queriesFile, dimensions] = process.argv.slice(2);
const { HierarchicalNSW } = createRequire(path.join(path.resolve(folder), 'package.json'))('hnswlib-node');
const width = Number(dimensions), k = 10;

// Its interface takes plain arrays; making them is not in the times.
function read(file) {
  const bytes = fs.readFileSync(file);
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return Array.from({ length: floats.length / width }, (_, i) => Array.from(floats.subarray(i * width, (i + 1) * width)));
}

const rows = read(rowsFile), queries = read(queriesFile);
const quantile = (times, q) => times.sort((a, b) => a - b)[Math.floor(q * (times.length - 1))];
const index = new HierarchicalNSW('ip', width);
index.initIndex({ maxElements: rows.length, m: 16, efConstruction: 200, randomSeed: 1 });
const start = performance.now();
rows.forEach((row, i) => index.addPoint(row, i));
const built = performance.now() - start;
const result = { insert_us: built * 1000 / rows.length, searches: [] };
for (const ef of [32, 64, 128]) {
  index.setEf(ef);
  queries.slice(0, 50).forEach((query) => index.searchKnn(query, k));
  const times = [], found = [];
  for (const query of queries) {
    const from = performance.now();
    const answer = index.searchKnn(query, k);
    times.push((performance.now() - from) * 1000);
    found.push(answer.neighbors);
  }
  result.searches.push({ ef, p50_us: quantile(times, 0.5), p99_us: quantile(times, 0.99), found });
}
console.log(JSON.stringify(result));
