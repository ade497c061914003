/** How many questions a second does one process ask over UDP, beside dnsperf, at the same Unbound in the same run? */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CACHE, isInstalled, keep, NAMETAP } from './measure.ts';

const HOST = '127.0.0.1';
const PORT = 5391;
const SECONDS = 5;
const RUNS = 3;
const WANTED = 0.75;

if (!isInstalled('unbound') || !isInstalled('dnsperf')) throw new Error('Install unbound and dnsperf.');
const folder = join(CACHE, 'query');
mkdirSync(folder, { recursive: true });
const names = join(folder, 'names.txt');
writeFileSync(names, Array.from({ length: 10_000 }, (_, i) => `n${i}.example.com A\n`).join(''));
const config = join(folder, 'unbound.conf');
writeFileSync(
  config,
  `server:
  interface: ${HOST}@${PORT}
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  local-zone: "example.com." redirect
  local-data: "example.com. 300 A 192.0.2.7"
remote-control:
  control-enable: no
`,
);

interface Row {
  tool: string;
  perSecond: number[];
  lost: number;
}

function ours(): { perSecond: number; lost: number } {
  const [program, ...words] = [...NAMETAP, 'replay', names, `@${HOST}:${PORT}`, '-l', String(SECONDS), '-T', 'json'];
  const { per_second, lost } = JSON.parse(execFileSync(program, words, { encoding: 'utf8' })) as {
    per_second: number;
    lost: number;
  };
  return { perSecond: per_second, lost };
}

function dnsperf(): { perSecond: number; lost: number } {
  const words = ['-s', HOST, '-p', String(PORT), '-d', names, '-l', String(SECONDS)];
  const text = execFileSync('dnsperf', words, { encoding: 'utf8' });
  const figure = (pattern: RegExp) => Number(pattern.exec(text)?.[1]);
  return { perSecond: figure(/Queries per second:\s+([\d.]+)/), lost: figure(/Queries lost:\s+(\d+)/) };
}

const unbound = spawn('unbound', ['-d', '-c', config], { stdio: 'ignore' });
try {
  await sleep(1000);
  const rows: Row[] = [
    { tool: 'nametap replay', perSecond: [], lost: 0 },
    { tool: 'dnsperf', perSecond: [], lost: 0 },
  ];
  // In turn, so that both meet the same machine.
  for (let run = 0; run < RUNS; run++) {
    for (const [i, measure] of [ours, dnsperf].entries()) {
      const { perSecond, lost } = measure();
      rows[i].perSecond.push(perSecond);
      rows[i].lost += lost;
    }
  }
  const median = ({ perSecond }: Row) => perSecond.toSorted((a, b) => a - b)[Math.floor(perSecond.length / 2)];
  const ratio = median(rows[0]) / median(rows[1]);
  process.stdout.write('| tool | queries/s (median of 3) | lost |\n|---|---|---|\n');
  for (const row of rows) process.stdout.write(`| ${row.tool} | ${Math.round(median(row))} | ${row.lost} |\n`);
  process.stdout.write(`nametap asks ${ratio.toFixed(2)} times as many (wanted: ${WANTED} or more)\n`);
  keep('query', { rows, ratio });
  if (!(ratio >= WANTED)) process.exitCode = 1;
} finally {
  unbound.kill();
}
