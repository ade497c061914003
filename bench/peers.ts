/**
 * How fast is nametap on a capture file, beside other tools doing the same or less, in the same run?
 *
 *   npm run bench -- peers [--quick] [--only WORD] [--without-slow] [--peers-only]
 *
 * Median of 5 runs for nametap; peers run 3 times, tshark's minutes-long ones once.
 */
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import {
  isInstalled,
  type Job,
  keep,
  type Measured,
  measure,
  NAMETAP,
  packetCount,
  table,
  traffic,
} from './measure.ts';

interface Question {
  name: string;
  file: string;
  jobs: Job[];
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    'without-slow': { type: 'boolean' },
    'peers-only': { type: 'boolean' },
    only: { type: 'string' },
    transactions: { type: 'string', default: '1000000' },
  },
});
const OURS = values.quick ? 3 : 5;
const PEERS = values.quick ? 1 : 3;
const FILTER = 'dns.qry.name contains "cdn" and dns.flags.rcode == 3';

const large = traffic(Number(values.transactions));
const small = traffic(Number(values.transactions) / 10);

function ours(what: string, words: string[], file: string): Job {
  return { tool: 'nametap', what, command: [...NAMETAP, ...words, file], runs: OURS };
}
function peer(what: string, command: string[], runs = PEERS): Job {
  return { tool: command[0], what, command, runs };
}

const questions: Question[] = [
  {
    name: 'report: all statistics of a capture',
    file: large,
    jobs: [
      ours('report, 2 workers', ['report', '-q', '--threads', '2', '-T', 'json'], large),
      ours('report, 1 worker', ['report', '-q', '--threads', '1', '-T', 'json'], large),
      ours('report, no worker', ['report', '-q', '--threads', '0', '-T', 'json'], large),
      peer('-q -z dns,tree', ['tshark', '-n', '-q', '-r', large, '-z', 'dns,tree']),
      peer('names counted', ['dnsjit', fileURLToPath(new URL('names.lua', import.meta.url)), large]),
      peer('messages re-written', ['dnscap', '-r', large, '-w', '-']),
      peer('one line a packet', ['tcpdump', '-n', '-r', large]),
    ],
  },
  {
    name: 'read: every transaction as JSON',
    file: small,
    jobs: [
      ours('read --unit transaction -T ndjson', ['read', '--unit', 'transaction', '-T', 'ndjson'], small),
      peer('-T ek', ['tshark', '-n', '-r', small, '-T', 'ek'], 1),
    ],
  },
  {
    name: 'read: every transaction as JSON, the whole capture',
    file: large,
    jobs: [ours('read --unit transaction -T ndjson', ['read', '--unit', 'transaction', '-T', 'ndjson'], large)],
  },
  {
    name: 'read: one field of the messages that pass a filter',
    file: large,
    jobs: [
      ours('read -Y … -T fields', ['read', '-Y', FILTER, '-T', 'fields', '-e', 'dns.qry.name'], large),
      peer('-Y … -T fields', ['tshark', '-n', '-r', large, '-Y', FILTER, '-T', 'fields', '-e', 'dns.qry.name'], 1),
    ],
  },
];

const SLOW_COMMAND = /-T ek|-Y …/;
const results: { question: string; packets: number; measured: Measured[] }[] = [];
for (const { name, file, jobs } of questions) {
  if (values.only !== undefined && !name.includes(values.only)) continue;
  const packets = packetCount(file);
  const measured: Measured[] = [];
  for (const job of jobs) {
    if (values['peers-only'] && job.tool === 'nametap') continue;
    if (values['without-slow'] && job.tool !== 'nametap' && SLOW_COMMAND.test(job.what)) continue;
    if (job.tool === 'nametap' || isInstalled(job.tool)) measured.push(await measure(job));
    else process.stderr.write(`${job.tool} is not installed: left out\n`);
  }
  results.push({ question: name, packets, measured });
  process.stdout.write(`\n## ${name} (${packets} packets)\n\n${table(measured, packets)}`);
}
keep('peers', results);
