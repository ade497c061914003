import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Kafka, start } from '../../scripts/services/kafka.ts';
import { BusError } from '../../src/bus/error.ts';
import { readFeatures } from '../../src/bus/features.ts';
import { readTransactions } from '../../src/bus/transaction-reader.ts';
import { runInline } from '../../src/app/run.ts';
import { rowFilter } from '../../src/filter/row.ts';
import { KafkaConsumer } from '../../src/transport/kafka-consumer.ts';
import { KafkaProducer } from '../../src/transport/kafka-producer.ts';
import { connection, makeTopics } from '../../src/transport/kafka.ts';
import { type KafkaSettings, readBroker } from '../../src/transport/settings.ts';
import type { InRecord } from '../../src/transport/transport.ts';
import { CAPTURES } from '../store/batches.ts';
import { counted, endAll, isThrough, metric, nametap, ship, until, work } from './kafka-run.ts';

let kafka: Kafka;
const folder = mkdtempSync(join(tmpdir(), 'nametap-kafka-test-'));
const capture = join(folder, 'capture.pcap');

before(async () => {
  const generating = nametap('generate', '--clients', '12', '-w', capture);
  kafka = await start();
  assert.equal(await generating.ended(), 0, generating.said());
});
after(async () => {
  await endAll();
  await kafka.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Transactions of files, and of these those that pass a filter, counted without any bus. */
async function expected(paths: string[], filter: string): Promise<{ all: number; passing: number }> {
  const passes = rowFilter(filter, []);
  let all = 0;
  let passing = 0;
  await runInline(
    { input: { kind: 'files', paths }, threads: 0 },
    { signal: new AbortController().signal },
    {
      rows: (batch) => {
        all += batch.count;
        for (let i = 0; i < batch.count; i++) if (passes(batch, i)) passing++;
      },
    },
  );
  return { all, passing };
}

test('a capture goes from sensor to broker to worker to store, whole and once', { timeout: 300_000 }, async () => {
  const ends = { broker: kafka.address, topic: 'whole', data: join(folder, 'whole') };
  const files = [capture, ...CAPTURES];
  const filter = 'dns.flags.rcode == 3';
  const { all, passing } = await expected(files, filter);
  assert.ok(all > 20_000 && passing > 50, `${all} transactions, ${passing} of them NXDOMAIN`);
  let worker = work(ends);
  const sensor = { ...ends, data: join(folder, 'sensor') };
  const first = ship(sensor, files, '--kafka-features', 'true');
  // One is killed while it works; the next one goes on.
  await until(
    'rows come',
    async () => (await metric(worker, 'nametap_bus_transactions_total')) > 0,
    120_000,
    worker,
    first,
  );
  assert.equal(await worker.end('SIGKILL'), null);
  assert.equal(await first.ended(), 0, first.said());
  worker = work(ends);
  await until('all is read', () => isThrough(worker), 60_000, worker);
  // Sent again, all of it is known.
  const second = ship(sensor, files);
  assert.equal(await second.ended(), 0, second.said());
  const known = async () => (await metric(worker, 'nametap_bus_repeated_total')) === all;
  await until('what came twice is known', known, 60_000, worker);
  assert.equal(await worker.end(), 0, worker.said());
  assert.equal((await counted(ends.data)).transactions, all);
  assert.equal((await counted(ends.data, filter)).transactions, passing);
  // What was counted by domain, in a topic of its own.
  const settings = { brokers: [readBroker(kafka.address)], tls: undefined, sasl: undefined };
  const [{ value }] = await recordsOf(settings, 'whole.domains', 1);
  const { features } = readFeatures(value);
  assert.ok(features.length > 100 && features.every(({ transactions, names }) => transactions >= names.length));
});

/** So many records of a topic, from its beginning. */
async function recordsOf(settings: KafkaSettings, topic: string, count: number): Promise<InRecord[]> {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), 60_000);
  const topics = [{ name: topic, partitions: 4 }];
  const options = { settings, name: 'test', group: `all-${topic}`, topics, sessionMs: 6000, notice: () => {} };
  const consumer = new KafkaConsumer(options);
  const found: InRecord[] = [];
  for await (const record of consumer.records(stop.signal, () => {})) if (found.push(record) >= count) stop.abort();
  clearTimeout(late);
  await consumer.close();
  return found;
}

test('JSON records are for any reader, those of a client in one partition', { timeout: 120_000 }, async () => {
  const ends = { broker: kafka.address, topic: 'json', data: join(folder, 'json') };
  const sensor = ship(ends, CAPTURES, '--kafka-format', 'json');
  assert.equal(await sensor.ended(), 0, sensor.said());
  const { all } = await expected(CAPTURES, 'dns');
  const settings = { brokers: [readBroker(kafka.address)], tls: undefined, sasl: undefined };
  const records = await recordsOf(settings, 'json', all);
  const partitions = new Map<string, Set<number>>();
  for (const { value, partition } of records) {
    const { client, name } = JSON.parse(Buffer.from(value).toString()) as { client: string; name?: string };
    assert.ok(client.length > 0 && (name === undefined || name.length > 0));
    partitions.set(client, (partitions.get(client) ?? new Set()).add(partition));
  }
  assert.equal(records.length, all);
  assert.ok([...partitions.values()].every(({ size }) => size === 1));
});

test('a record without a value, or with a header without one, holds nobody up', { timeout: 120_000 }, async () => {
  const settings = { brokers: [readBroker(kafka.address)], tls: undefined, sasl: undefined };
  const client = await import('@platformatic/kafka');
  const base = connection(settings, 'test');
  await makeTopics(client, base, [{ name: 'empty', partitions: 4 }]);
  const producer = new client.Producer<Buffer, Buffer | null, Buffer, Buffer | null>(base);
  const headers = new Map([[Buffer.from('schema'), null]]);
  for (const value of [null, Buffer.from('behind it')]) {
    await producer.send({ acks: client.ProduceAcks.ALL, messages: [{ topic: 'empty', partition: 0, value, headers }] });
  }
  await producer.close();
  const found = await recordsOf(settings, 'empty', 2);
  assert.deepEqual(
    found.map(({ value, headers: told }) => [Buffer.from(value).toString(), told.get('schema')]),
    [
      ['', ''],
      ['behind it', ''],
    ],
  );
  assert.throws(() => readTransactions(found[0].value), BusError);
});

test('brokers that ask who we are, over TLS', { timeout: 300_000 }, async () => {
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate];
  execFileSync('openssl', [...made, ...subject], { stdio: 'ignore' });
  const secure = { certificate, key, user: 'nametap', password: 'a secret' };
  const broker = await start({ secure });
  try {
    const tls = { authority: certificate, certificate: undefined, key: undefined };
    const send = async (mechanism: 'plain' | 'scram-sha-256', password: string) => {
      const sasl = { mechanism, user: 'nametap', password };
      const settings: KafkaSettings = { brokers: [readBroker(broker.address)], tls, sasl };
      const topics = [{ name: 'secret', partitions: 4 }];
      const producer = new KafkaProducer({ settings, name: 'test', compression: 'zstd', topics });
      try {
        await producer.send([{ topic: 'secret', partition: 1, value: Buffer.from(mechanism) }]);
      } finally {
        await producer.close();
      }
      return settings;
    };
    await send('plain', 'a secret');
    const settings = await send('scram-sha-256', 'a secret');
    await assert.rejects(send('scram-sha-256', 'another'), /Kafka/);
    const found = await recordsOf(settings, 'secret', 2);
    assert.deepEqual(
      found.map(({ value }) => Buffer.from(value).toString()),
      ['plain', 'scram-sha-256'],
    );
  } finally {
    await broker.stop();
  }
});
