import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeMessage } from '../../src/rr/encode.ts';
import { folder, nametap, started } from './nametap.ts';

const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
const number = (key: number, value: number): Buffer => {
  const bytes = [key << 3];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
};
const frame = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const control = (type: number, content: string): Buffer => {
  const words = content === '' ? [type] : [type, 1, content.length];
  const head = Buffer.alloc(4 * words.length);
  words.forEach((word, i) => head.writeUInt32BE(word, 4 * i));
  return Buffer.concat([Buffer.alloc(4), frame(Buffer.concat([head, Buffer.from(content)]))]);
};

/** One-way Frame Streams with one message of a client (type 5 query, 6 response), and other payloads before it. */
function stream(others: readonly Buffer[] = []): Buffer {
  const question = { id: 7, questions: [{ name: 'tap.example', type: 'A' }] };
  const answers = [{ name: 'tap.example', type: 'A', ttl: 60, data: '192.0.2.1' }];
  const message = (type: number, bytes: Uint8Array) => {
    const nanos = Buffer.from([((type === 5 ? 9 : 13) << 3) | 5, 0, 0, type, 0]);
    const body = Buffer.concat([
      number(1, type),
      number(2, 1),
      number(3, 1),
      field(4, Buffer.from([10, 0, 0, 1])),
      field(5, Buffer.from([10, 0, 0, 53])),
      number(6, 40_000),
      number(7, 53),
      number(type === 5 ? 8 : 12, 1_700_000_000),
      nanos,
      field(type === 5 ? 10 : 14, bytes),
    ]);
    return frame(Buffer.concat([field(14, body), number(15, 1)]));
  };
  return Buffer.concat([
    control(2, 'protobuf:dnstap.Dnstap'),
    ...others.map(frame),
    message(5, encodeMessage({ ...question, flags: ['rd'] })),
    message(6, encodeMessage({ ...question, flags: ['qr', 'rd', 'ra'], answers })),
    control(3, ''),
  ]);
}

function expectTransaction(line: string): void {
  const { name, client, server, outcome, addresses, latency_ms } = JSON.parse(line);
  assert.deepEqual(
    { name, client, server, outcome, addresses, latency_ms },
    {
      name: 'tap.example',
      client: '10.0.0.1',
      server: '10.0.0.53',
      outcome: 'answered',
      addresses: ['192.0.2.1'],
      latency_ms: 0.065536,
    },
  );
}

test('a dnstap file is told by its bytes, and read like a capture', () => {
  const file = join(folder(), 'tap');
  writeFileSync(file, stream());
  const { code, out, err } = nametap(['read', '-T', 'ndjson', file]);
  assert.deepEqual([code, err], [0, '']);
  expectTransaction(out);
  assert.deepEqual(nametap(['read', '-T', 'ndjson', '--dnstap', file]).out, out);
  const written = nametap(['read', '-w', '-', file]);
  assert.equal(written.code, 1);
  assert.match(written.err, /dnstap brings messages without frames/);
});

test('payloads that are no message are counted and told, on standard error', () => {
  const file = join(folder(), 'tap');
  writeFileSync(file, stream([Buffer.from('no message'), Buffer.from([0xff])]));
  for (const command of [
    ['read', '-T', 'ndjson', file],
    ['report', '-T', 'json', file],
  ]) {
    const { code, err } = nametap(command);
    assert.equal(code, 0);
    assert.equal(err, 'nametap: 2 dnstap payloads held no readable message and were passed over\n');
  }
});

test('watch listens for dnstap senders on a unix socket until SIGTERM', async () => {
  const path = join(folder(), 'tap.sock');
  const run = started(['watch', '--dnstap', `unix:${path}`, '-T', 'ndjson']);
  await run.until('Listening for dnstap');
  connect(path).end(stream());
  await run.until('tap.example');
  run.child.kill('SIGTERM');
  const { code, out, err } = await run.ended;
  assert.equal(code, 0, err);
  expectTransaction(out);
});
