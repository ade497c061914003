import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runRows } from '../../src/app/run.ts';
import { runShow } from '../../src/app/show.ts';
import { UDP } from '../../src/core/carrier.ts';
import { OUTCOMES } from '../../src/core/transactions.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { ethernet, ipv4, tcp, u16, udp } from '../net/build.ts';
import { concatenate, pcap, type Record } from '../sources/containers.ts';
import { putFile, temporaryFolder } from '../sources/frames.ts';

const signal = new AbortController().signal;

/** What `read -T ndjson` prints, and the ledger. */
async function lines(path: string, threads: number): Promise<{ text: string; ledger: object }> {
  const parts: Uint8Array[] = [];
  const plan = { input: { kind: 'files' as const, paths: [path] }, threads, format: 'ndjson' };
  const { ledger } = await runShow(plan, { signal }, (bytes) => parts.push(bytes.slice()));
  assert.deepEqual(ledger.imbalance(), []);
  return { text: Buffer.from(concatenate(...parts)).toString(), ledger: ledger.toJSON() };
}

async function sameEverywhere(path: string, workers: readonly number[]): Promise<string> {
  const inline = await lines(path, 0);
  for (const threads of workers) {
    const { text, ledger } = await lines(path, threads);
    assert.equal(text, inline.text, `${path} with ${threads} workers`);
    assert.deepEqual(ledger, inline.ledger);
  }
  return inline.text;
}

/** Traffic of many pairs: UDP, fragments, TCP, ICMP errors from servers and routers, answers that never come. */
function traffic(count: number): Record[] {
  let seed = 7;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % n;
  };
  const timed: { at: number; bytes: number[] }[] = [];
  for (let i = 0; i < count; i++) {
    const at = i * 1500 + random(500_000);
    const [client, server] = [
      [10, 0, random(8), random(200)],
      [198, 51, 100, random(20)],
    ];
    const port = 20_000 + random(40_000);
    const id = random(65_536);
    const questions = [{ name: `n${random(50)}.example`, type: 'A' }];
    const asked = [...encodeMessage({ id, flags: ['rd'], questions })];
    const data = random(10) === 0 ? Array.from({ length: 30 }, () => 'x'.repeat(60)) : ['short'];
    const answers = data.map((text) => ({ name: questions[0].name, type: 'TXT', ttl: 60, data: `"${text}"` }));
    const replied = [...encodeMessage({ id, flags: ['qr', 'rd', 'ra'], questions, answers })];
    const there = (protocol: number, payload: number[]) =>
      ethernet(0x800, ipv4(protocol, payload, { from: client, to: server }));
    const back = (protocol: number, payload: number[], fragment = 0) =>
      ethernet(0x800, ipv4(protocol, payload, { from: server, to: client, fragment }));
    const later = at + 1 + random(30_000_000);
    if (random(8) === 0) {
      const prefixed = (message: number[]) => [...u16(message.length), ...message];
      timed.push({ at, bytes: there(6, tcp(prefixed(asked), 100, 0x18, port, 53)) });
      const whole = prefixed(replied);
      timed.push({ at: later, bytes: back(6, tcp(whole.slice(0, 20), 900, 0x18, 53, port)) });
      timed.push({ at: later + 5, bytes: back(6, tcp(whole.slice(20), 920, 0x18, 53, port)) });
      continue;
    }
    timed.push({ at, bytes: there(UDP, udp(asked, port, 53)) });
    const fate = random(12);
    if (fate === 0) continue;
    if (fate <= 2) {
      const quoted = ipv4(UDP, udp(asked, port, 53), { from: client, to: server });
      const from = fate === 1 ? server : [10, 255, 0, 1];
      const error = [3, fate === 1 ? 3 : 1, 0, 0, 0, 0, 0, 0, ...quoted];
      timed.push({ at: later, bytes: ethernet(0x800, ipv4(1, error, { from, to: client })) });
      continue;
    }
    const datagram = udp(replied, 53, port);
    if (datagram.length < 1000) timed.push({ at: later, bytes: back(UDP, datagram) });
    else {
      timed.push({ at: later, bytes: back(UDP, datagram.slice(0, 800), 0x2000) });
      timed.push({ at: later + 9, bytes: back(UDP, datagram.slice(800), 100) });
    }
  }
  return timed
    .sort((a, b) => a.at - b.at)
    .map(({ at, bytes }) => ({
      seconds: 1_700_000_000 + Math.floor(at / 1e6),
      fraction: at % 1e6,
      data: Uint8Array.from(bytes),
    }));
}

test('0 and 2 workers print the same bytes: fragments, streams, two interfaces', async () => {
  const folder = fileURLToPath(new URL('../captures/', import.meta.url));
  const files = globSync('{fragments,tcp,truncated,two}*.pcap*', { cwd: folder });
  assert.ok(files.length >= 5);
  for (const file of files) await sameEverywhere(`${folder}${file}`, [2]);
});

test('0, 1, 2 and 3 workers print the same bytes: fragments, TCP, ICMP errors, time-outs', async (t) => {
  const path = putFile(temporaryFolder(t), 'mixed.pcap', pcap(traffic(6000)));
  const text = await sameEverywhere(path, [1, 2, 3]);
  for (const outcome of ['answered', 'unanswered', 'unreachable']) {
    assert.ok(text.includes(`"outcome":"${outcome}"`), outcome);
  }
});

test('rows come in order of closing, whatever the number of workers', async (t) => {
  const path = putFile(temporaryFolder(t), 'mixed.pcap', pcap(traffic(6000)));
  const input = { kind: 'files' as const, paths: [path] };
  const seen: string[] = [];
  for (const threads of [0, 2]) {
    let before = [0, 0, 0];
    const outcomes = new Map<string, number>();
    await runRows({ input, threads }, { signal }, (batch, from, to) => {
      const c = batch.col;
      for (let i = from; i < to; i++) {
        const here = [c.closeSeconds[i], c.closeNanos[i], c.closeNumber[i]];
        assert.ok((here[0] - before[0] || here[1] - before[1] || here[2] - before[2]) >= 0);
        before = here;
        const outcome = OUTCOMES[c.outcome[i]];
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    });
    seen.push(JSON.stringify([...outcomes].sort(([a], [b]) => (a < b ? -1 : 1))));
  }
  assert.equal(seen[0], seen[1]);
});

test('a resolver seen on both sides is linked, with and without workers', async (t) => {
  const message = (
    id: number,
    flags: string[],
    answers: { name: string; type: string; ttl: number; data: string }[] = [],
  ) => [...encodeMessage({ id, flags, questions: [{ name: 'www.example', type: 'A' }], answers })];
  const answers = [{ name: 'www.example', type: 'A', ttl: 60, data: '192.0.2.80' }];
  const [client, resolver, authority] = [
    [192, 0, 2, 1],
    [192, 0, 2, 53],
    [203, 0, 113, 1],
  ];
  const frame = (from: number[], to: number[], ports: [number, number], bytes: number[]) =>
    Uint8Array.from(ethernet(0x800, ipv4(UDP, udp(bytes, ...ports), { from, to })));
  const frames = [
    frame(client, resolver, [40_000, 53], message(1, ['rd'])),
    frame(resolver, authority, [50_000, 53], message(2, [])),
    frame(authority, resolver, [53, 50_000], message(2, ['qr', 'aa'], answers)),
    frame(resolver, client, [53, 40_000], message(1, ['qr', 'rd', 'ra'], answers)),
  ];
  const records = frames.map((data, i) => ({ seconds: 1_700_000_000, fraction: i * 1000, data }));
  const path = putFile(temporaryFolder(t), 'both.pcap', pcap(records));
  for (const threads of [0, 2]) {
    const parts: Uint8Array[] = [];
    const plan = { input: { kind: 'files' as const, paths: [path] }, threads, format: 'ndjson', paths: true };
    await runShow(plan, { signal }, (bytes) => parts.push(bytes.slice()));
    const [hop, asked] = Buffer.from(concatenate(...parts))
      .toString()
      .trim()
      .split('\n');
    const transaction = /"transaction":"([0-9a-f]{16})"/.exec(asked)?.[1];
    assert.match(asked, /"leg":"client"/);
    assert.match(hop, /"leg":"upstream"/);
    assert.ok(transaction !== undefined && hop.includes(`"parent":"${transaction}"`), hop);
  }
});
