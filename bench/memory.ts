/**
 * How much memory does a report take, and does it stay flat: ten times the packets, ten million names?
 *
 *   npm run bench -- memory [--quick]
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeUnique } from './make-unique.ts';
import { CACHE, type Job, keep, type Measured, measure, NAMETAP, traffic } from './measure.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean' } } });
const NAMES = values.quick ? 1_000_000 : 10_000_000;
const million = traffic(1_000_000);
mkdirSync(CACHE, { recursive: true });
const unique = join(CACHE, `unique-${NAMES}.pcap`);
if (!existsSync(unique)) {
  writeUnique(`${unique}.part`, NAMES);
  renameSync(`${unique}.part`, unique);
}
const tenfold = values.quick ? million : traffic(10_000_000);

function job(what: string, threads: number, file: string): Job {
  const words = ['report', '-q', '--threads', String(threads), '-T', 'json', file];
  return { tool: 'nametap', what, command: [...NAMETAP, ...words], runs: 1 };
}
const results: Measured[] = [];
for (const threads of [2, 0]) {
  for (const [what, file] of [
    ['1 M transactions', million],
    ['10 M transactions', tenfold],
    [`${NAMES / 1e6} M unique names`, unique],
  ]) {
    const measured = await measure(job(`${what}, ${threads} workers`, threads, file));
    results.push(measured);
    const { peakBytes, medianSeconds } = measured;
    process.stdout.write(`${measured.what}: peak ${Math.round(peakBytes / 1e6)} MB, ${medianSeconds.toFixed(1)} s\n`);
  }
}
keep('memory', results);
