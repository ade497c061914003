import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { outputField } from '../../src/filter/output.ts';
import { OUTPUTS } from '../../src/sinks/index.ts';
import { type OutputOptions, unitsOf } from '../../src/sinks/output.ts';
import { SCENARIO } from './scenario.ts';
import { capture, show, showAll } from './show.ts';

/** UPDATE_GOLDENS=1 writes the files anew: look at the difference before keeping it. */
const update = process.env.UPDATE_GOLDENS === '1';
const folder = new URL('golden/', import.meta.url);

function same(name: string, got: string): void {
  const path = new URL(name, folder);
  if (update) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, got);
  }
  assert.equal(got, readFileSync(path, 'utf8'));
}

const SETS: Partial<OutputOptions> = {
  interfaces: [{ name: 'eth0', link: 1, snaplen: 0 }],
  sensor: 'one',
  registrable,
  fields: ['frame.number', 'dns.id', 'dns.qry.name', 'dns.resp.type', 'dns.a', 'dns.time'].map((name) =>
    outputField(name),
  ),
};

process.env.TZ = 'UTC';

for (const format of OUTPUTS) {
  // Its keys are the fields of the filter language, which grow: tshark's own output judges it (test/integration).
  if (format.name === 'ek') continue;
  for (const unit of unitsOf(format)) {
    if (unit === 'packet') continue;
    test(`-T ${format.name} shows each ${unit} of the scenario as before`, () => {
      const got = showAll(SCENARIO, format, unit, SETS);
      same(`${format.name}.${unit}.txt`, got);
      assert.equal(showAll(SCENARIO, format, unit, SETS), got, 'the same input gives the same bytes');
    });
  }
}

/** Lines of a capture's golden file. */
const MOST_LINES = 120;

for (const [name, unit, set, file] of [
  ['text', 'packet', {}, 'lookups.pcapng'],
  ['ndjson', 'packet', {}, 'udp.pcap'],
  ['tree', 'message', { offsets: true }, 'lookups.pcapng'],
  ['tree', 'message', { color: true, width: 60 }, 'edns-options.pcap'],
  ['text', 'message', { color: true, width: 100 }, 'mdns.pcap'],
  ['text', 'transaction', { color: true, width: 100 }, 'udp.pcap'],
  ['text', 'transaction', { width: 80 }, 'truncated-then-tcp.pcap'],
  ['text', 'transaction', {}, 'malformed.pcap'],
] as const) {
  test(`-T ${name} shows ${file} by ${unit} as before`, async () => {
    const format = OUTPUTS.find((one) => one.name === name);
    assert.ok(format !== undefined);
    const lines = (await show(capture(file), format, unit, set)).split('\n').slice(0, MOST_LINES);
    same(`${file}.${name}.${unit}.txt`, `${lines.join('\n')}\n`);
  });
}
