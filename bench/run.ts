/** npm run bench [NAME]: runs one benchmark, or lists them. Each file here is one question. */
import { readFileSync } from 'node:fs';

const BENCHMARKS = [
  'peers',
  'memory',
  'ndjson',
  'live',
  'start',
  'stages',
  'store',
  'bus',
  'kafka',
  'filled',
  'page',
  'cache',
  'judge',
  'query',
  'probe',
  'postgres',
  'clickhouse',
];
const [name] = process.argv.slice(2);
if (name !== undefined && BENCHMARKS.includes(name)) {
  process.argv.splice(2, 1);
  await import(`./${name}.ts`);
} else {
  for (const one of BENCHMARKS) {
    const question = /\/\*\*\s*(?:\* )?(.*?)(?: \*\/)?\n/.exec(
      readFileSync(new URL(`${one}.ts`, import.meta.url), 'utf8'),
    );
    process.stdout.write(`npm run bench -- ${one.padEnd(11)}${question?.[1] ?? ''}\n`);
  }
  process.exitCode = name === undefined ? 0 : 1;
}
