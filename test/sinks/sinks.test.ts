import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readFileSync, rmSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { schemaOf } from '../../src/app/config-schema.ts';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { NOTHING_DROPPED, type Sink, type SinkContext, type SinkStatus } from '../../src/sinks/sink.ts';
import { SINKS } from '../../src/sinks/sinks.ts';
import {
  dnstapReceiver,
  fileReceiver,
  pcapngReceiver,
  type Receiver,
  searchReceiver,
  syslogReceiver,
} from './receivers.ts';
import { expected, rows } from './numbered.ts';
import { addRow } from './rows.ts';

/**
 * A receiver for every sink that takes rows: a new one has to bring its own. (Parquet comes out of the store; Kafka has a
 * broker in test/integration/kafka.test.ts.)
 */
const RECEIVERS: Record<Exclude<keyof typeof SINKS, 'parquet' | 'kafka'>, () => Promise<Receiver>> = {
  file: fileReceiver,
  pcapng: pcapngReceiver,
  syslog: syslogReceiver,
  dnstap: dnstapReceiver,
  opensearch: searchReceiver,
};

const notices: string[] = [];
const CONTEXT: SinkContext = {
  name: 'test',
  passes: () => true,
  sensor: 'here',
  version: '1.2.3',
  folder: '/dev/null/none',
  interfaces: [],
  registrable,
  vantage: 'client',
  exporter: null,
  notice: (level, message) => notices.push(`${level}: ${message}`),
};

function open(type: keyof typeof RECEIVERS, settings: Record<string, unknown>, context = CONTEXT): Sink {
  const definition: { settings: object; open: (options: never, context: SinkContext) => Sink } = SINKS[type];
  const options = schemaOf(SINKS[type].settings).parse(settings);
  return definition.open(options as never, context);
}

function write(sink: Sink, from: number, to: number): void {
  const batch = rows(from, to);
  sink.rows(batch, 0, batch.count);
}

const lost = ({ dropped }: SinkStatus): number => Object.values(dropped).reduce((sum, count) => sum + count, 0);

async function withReceiver(t: TestContext, type: keyof typeof RECEIVERS, run: (receiver: Receiver) => Promise<void>) {
  await t.test(type, async () => {
    const receiver = await RECEIVERS[type]();
    try {
      await run(receiver);
    } finally {
      await receiver.close();
    }
  });
}

const TYPES = Object.keys(RECEIVERS) as (keyof typeof RECEIVERS)[];

test('every row comes there, once, in order; the counters sum', async (t) => {
  for (const type of TYPES) {
    await withReceiver(t, type, async (receiver) => {
      const sink = open(type, receiver.settings);
      for (let i = 0; i < 1000; i += 50) {
        write(sink, i, i + 50);
        await sink.ready();
      }
      await sink.close(5000);
      await sleep(20);
      assert.deepEqual(await receiver.names(), expected(0, 1000));
      const { written, queue, failed, error, dropped } = sink.status();
      assert.deepEqual({ written, queue, failed, error }, { written: 1000, queue: 0, failed: 0, error: null });
      assert.deepEqual(dropped, NOTHING_DROPPED);
    });
  }
});

test('a row that does not pass the filter is not there', async (t) => {
  for (const type of TYPES) {
    await withReceiver(t, type, async (receiver) => {
      const passes = (batch: TransactionBatch, row: number) => batch.col.idLow[row] % 10 === 1;
      const sink = open(type, receiver.settings, { ...CONTEXT, passes });
      write(sink, 0, 100);
      await sink.close(5000);
      await sleep(20);
      assert.deepEqual(
        await receiver.names(),
        expected(0, 100).filter((_, i) => i % 10 === 0),
      );
      assert.equal(sink.status().written, 10);
    });
  }
});

test('a receiver that is killed and comes back misses nothing, and has it in order', async (t) => {
  for (const type of TYPES) {
    await withReceiver(t, type, async (receiver) => {
      if (receiver.kill === undefined || receiver.revive === undefined) return;
      notices.length = 0;
      const sink = open(type, receiver.settings);
      for (let i = 0; i < 1000; i += 20) {
        write(sink, i, i + 20);
        await sleep(15);
        if (i === 300) await receiver.kill();
        if (i === 600) await receiver.revive();
      }
      await sink.close(5000);
      await sleep(20);
      // What was on its way when it died comes twice: the first time counts.
      assert.deepEqual([...new Set(await receiver.names())], expected(0, 1000));
      const status = sink.status();
      assert.deepEqual([status.written, lost(status), status.queue], [1000, 0, 0]);
      assert.ok(status.failed > 0, 'it noticed');
      assert.match(notices[0], /^warn: (Cannot reach|The connection to) (tcp|unix|http):/);
      assert.match(notices[1], /^info: works again/);
      assert.equal(notices.length, 2);
    });
  }
});

test('without a receiver the queue fills to its bound, the rest is counted, and the end does not wait for ever', async (t) => {
  for (const type of TYPES) {
    await withReceiver(t, type, async (receiver) => {
      if (receiver.kill === undefined) return;
      await receiver.kill();
      const sink = open(type, { ...receiver.settings, queue: '64KiB' });
      for (let i = 0; i < 2000; i += 500) {
        write(sink, i, i + 500);
        await sleep(1);
      }
      const full = sink.status();
      assert.ok(full.dropped.queue_full > 0 && full.queue > 20, JSON.stringify(full));
      assert.equal(full.queue + lost(full), 2000);
      assert.notEqual(sink.ready(), undefined, 'whoever can wait has to');
      const began = performance.now();
      await sink.close(200);
      assert.ok(performance.now() - began < 2000);
      const ended = sink.status();
      assert.equal(ended.written + lost(ended), 2000);
      assert.equal(ended.written, 0);
      assert.equal(ended.queue, 0);
      await receiver.revive?.();
    });
  }
});

test('a receiver that takes nothing for a while is waited for', async () => {
  const receiver = await fileReceiver();
  const sink = open('file', { ...receiver.settings, path: '/dev/full', queue: '1MiB' });
  write(sink, 0, 100);
  await sleep(400);
  const { error, failed, queue, written } = sink.status();
  assert.match(String(error), /^Cannot write \/dev\/full: the disk is full\.$/);
  assert.ok(failed >= 2 && queue === 100 && written === 0);
  await sink.close(50);
  assert.equal(sink.status().dropped.closed, 100);
  await receiver.close();
});

test('files of lines have the header of their format, each', async () => {
  const receiver = await fileReceiver();
  for (const [format, head] of [
    ['csv', /^timestamp,/],
    ['zeek', /^#separator \\x09\n#set_separator/],
    ['ecs', /^\{"@timestamp"/],
    ['flat', /^\{"dns\.flags/],
  ] as const) {
    const path = `${String(receiver.settings.path)}.${format}`;
    const sink = open('file', { path, format });
    write(sink, 0, 3);
    await sink.close(1000);
    const again = open('file', { path, format });
    write(again, 3, 5);
    await again.close(1000);
    const text = readFileSync(path, 'utf8');
    assert.match(text, head);
    assert.deepEqual(
      text.match(/n00000\d\.test/g)?.filter((name, i, all) => all.indexOf(name) === i),
      expected(0, 5),
    );
    assert.equal(text.match(/^(timestamp,|#separator)/gm)?.length ?? 0, format === 'csv' || format === 'zeek' ? 1 : 0);
    rmSync(path);
  }
  await receiver.close();
});

test('syslog over UDP: one datagram each; what is too long is counted', async () => {
  const socket = createSocket('udp4');
  const got: string[] = [];
  socket.on('message', (message) => got.push(message.toString()));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  const { port } = socket.address();
  const sink = open('syslog', { to: `udp:127.0.0.1:${port}`, facility: 'daemon', severity: 'notice', longest: '1KiB' });
  write(sink, 0, 5);
  const long = TransactionBatch.create();
  const answers = Array.from({ length: 30 }, (_, i) => ({ name: 'x.test', type: 'A', ttl: 60, data: `192.0.2.${i}` }));
  const response = encodeMessage({ flags: ['qr'], questions: [{ name: 'x.test', type: 'A' }], answers });
  addRow(long, { response, columns: { family: 4, transport: 17, responses: 1 } });
  sink.rows(long, 0, 1);
  write(sink, 5, 6);
  await sink.close(1000);
  await sleep(50);
  socket.close();
  assert.equal(got.length, 6);
  assert.match(got[5], /^<29>1 2023-11-14T22:13:25\.123456Z here nametap \d+ transaction - \{.*"n000005\.test".*\}$/);
  const { written, dropped } = sink.status();
  assert.deepEqual([written, dropped.too_long], [6, 1]);
});
