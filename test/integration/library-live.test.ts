/** The library on a real interface: needs the right to capture. */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Transaction, UserError, watchInterface } from '../../src/library/index.ts';
import { type Frame, openLive } from '../../src/library/pcap.ts';
import { decodeMessage, encodeMessage } from '../../src/library/wire.ts';
import { exampleFolder, examples, isLive, runNode } from '../library/examples.ts';

async function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

const server = await bound(0);
const client = await bound(0);
const { port } = server.address();
server.on('message', (bytes, { port: to }) => {
  const { id, questions } = decodeMessage(bytes);
  const answers = [{ name: questions[0].name, type: 'A', ttl: 60, data: '192.0.2.1' }];
  server.send(encodeMessage({ id, flags: ['qr', 'ra'], questions, answers }), to, '127.0.0.1');
});
after(() => {
  server.close();
  client.close();
});

/** Asks for `count` names, one after the other. */
async function ask(count: number): Promise<void> {
  for (let id = 1; id <= count; id++) {
    const answered = once(client, 'message');
    client.send(encodeMessage({ id, questions: [{ name: `n${id}.example`, type: 'A' }] }), port, '127.0.0.1');
    await answered;
  }
}

test('openLive gives frames by for await, as many as asked for', async () => {
  const capture = await openLive({
    interface: 'lo',
    filter: `udp port ${port}`,
    udpPorts: [port],
    snaplen: 1600,
    promiscuous: false,
    timeoutMs: 10,
    count: 4,
    signal: AbortSignal.timeout(20_000),
  });
  const asked = ask(5);
  const frames: Frame[] = [];
  for await (const frame of capture) frames.push(frame);
  await asked;
  assert.deepEqual(
    frames.map(({ source, destination, fate, layers }) => [source, destination, fate, layers.udp?.sourcePort]),
    [client.address().port, port, client.address().port, port].map((from) => [
      '127.0.0.1',
      '127.0.0.1',
      'carried',
      from,
    ]),
  );
  assert.deepEqual(
    frames.map(({ layers }) => layers.dns[0].message.questions[0].name),
    ['n1.example', 'n1.example', 'n2.example', 'n2.example'],
  );
  assert.equal(capture.interfaces[0].name, 'lo');
  assert.equal(capture.loss().kernel, 0);
});

test('openLive gives frames by callback, until the signal', async () => {
  const stop = new AbortController();
  const capture = await openLive({ interface: ['lo'], filter: `udp port ${port}`, timeoutMs: 10, signal: stop.signal });
  let seen = 0;
  const ended = capture.each(({ number }) => {
    seen = number;
    if (number === 6) stop.abort();
  });
  await ask(3);
  await ended;
  assert.equal(seen, 6);
});

test('watchInterface gives transactions as they close', async () => {
  const stop = new AbortController();
  const watched = watchInterface('lo', {
    captureFilter: `udp port ${port}`,
    udpPorts: [port],
    filter: 'dns.qry.name != "N2.example"',
    signal: stop.signal,
  });
  const rows: Transaction[] = [];
  const reading = (async () => {
    for await (const row of watched) if (rows.push(row) === 2) stop.abort();
  })();
  while (watched.interfaces.length === 0) await sleep(5);
  await ask(3);
  await reading;
  assert.deepEqual(
    rows.map(({ name, outcome, addresses, interface: on }) => [name, outcome, addresses, on]),
    ['n1.example', 'n3.example'].map((name) => [name, 'answered', ['192.0.2.1'], 'lo']),
  );
  assert.equal(watched.ledger.decoded, 6);
});

test('an interface that does not exist and a wrong filter are told', async () => {
  const exits = (exit: number) => (error: unknown) => error instanceof UserError && error.exit === exit;
  await assert.rejects(openLive({ interface: 'none0' }), exits(2));
  await assert.rejects(openLive({ interface: 'lo', filter: 'udp prt 53' }), exits(4));
});

test('the live examples run', async () => {
  const folder = exampleFolder();
  const live = examples().filter(isLive);
  assert.ok(live.length >= 3);
  for (const [i, { code, where }] of live.entries()) {
    writeFileSync(join(folder, `live-${i}.ts`), code);
    const { status, stderr } = await runNode(folder, [`live-${i}.ts`]);
    assert.deepEqual([where, status, stderr], [where, 0, '']);
  }
  rmSync(folder, { recursive: true, force: true });
});
