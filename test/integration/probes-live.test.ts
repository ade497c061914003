import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Network } from './network.ts';
import { Serving } from './serving.ts';

const NAMETAP = fileURLToPath(new URL('../../bin/nametap', import.meta.url));
const network = new Network();
// Inherited by nametap that serves and by commands beside it.
process.env.NAMETAP_RUN = join(network.folder, 'run');
const serving = new Serving(network, {
  capture: { interfaces: ['lo'] },
  probes: {
    checks: {
      resolver: { type: 'dns', targets: ['127.0.0.1'], query_name: 'a.example', query_type: 'A', every: '1s' },
    },
  },
});

before(async () => {
  chmodSync(network.folder, 0o755);
  await network.startResolver();
  await serving.start();
});
after(() => network.remove());

function metric(name: string): number {
  const script = `fetch('http://127.0.0.1:5390/metrics').then((r) => r.text()).then((t) => process.stdout.write(t))`;
  const text = network.in(network.server, process.execPath, '-e', script);
  return Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

/** Transactions that baselines of servers have learnt from. */
function learnt(): number {
  const rows = JSON.parse(serving.ask('baseline', 'list', '--kind', 'server', '--json')) as { samples: number }[];
  return rows.reduce((sum, { samples }) => sum + samples, 0);
}

test('what a check asks is seen on the wire, kept, and left out of baselines', async () => {
  for (let tries = 0; tries < 60 && !(metric('nametap_own_transactions_total') >= 3); tries++) await sleep(250);
  const own = metric('nametap_own_transactions_total');
  const seen = metric('nametap_transactions_total{outcome="answered"}');
  assert.ok(own >= 3, `${own} own transactions`);
  assert.ok(seen >= own, `${seen} transactions seen`);
  // One more that is not its own: who else asks is learnt from.
  network.in(network.server, 'dig', '+tries=1', '+time=2', '@127.0.0.1', 'a.example');
  for (let tries = 0; tries < 40; tries++) {
    if (metric('nametap_transactions_total{outcome="answered"}') > metric('nametap_own_transactions_total')) break;
    await sleep(250);
  }
  const samples = learnt();
  assert.ok(samples >= 1 && samples < own, `${samples} learnt from, ${own} own`);
});

test('so is what commands of nametap ask beside it, from their first packet on', async () => {
  const names = join(network.folder, 'names.txt');
  writeFileSync(names, 'a.example A\nb.example A\n');
  const server = '@127.0.0.1';
  const before = metric('nametap_own_transactions_total');
  const samples = learnt();
  network.in(network.server, process.execPath, NAMETAP, 'query', server, 'a.example', 'b.example', '+tries=1');
  network.in(network.server, process.execPath, NAMETAP, 'query', server, 'a.example', '+tcp');
  network.in(network.server, process.execPath, NAMETAP, 'replay', names, server);
  // The check of every second goes on: what is compared is what was learnt.
  for (let tries = 0; tries < 40 && metric('nametap_own_transactions_total') < before + 5; tries++) await sleep(250);
  assert.ok(metric('nametap_own_transactions_total') >= before + 5);
  assert.equal(learnt(), samples);
});
