import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { runReport } from '../../src/app/run.ts';
import { UserError } from '../../src/core/errors.ts';
import { firstEvents } from '../server/events.ts';
import { configOf, DEMO, eventually, serving, type Server, temporaryFolder } from './serving.ts';

const RANGE = 'from=2001-01-01&to=now';

interface Row {
  [key: string]: number | string | null;
}
interface Sensors {
  sensors: {
    name: string;
    source: string;
    running: boolean;
    ring: number | null;
    open_transactions: number | null;
    one_in: number;
    ledger: {
      received: number;
      decoded: number;
      transactions: number;
      frames: Record<string, number>;
      messages: Record<string, number>;
      funnel: { stage: string; in: number; out: number; lost: Record<string, number> }[];
      imbalance: string[];
    };
  }[];
  store: { appended: number; dropped: Record<string, number> };
}

const MEASURES = 'transactions,queries,responses,unanswered,nxdomain,query_bytes,response_bytes';

async function totals(server: Server): Promise<Row> {
  const { rows } = await server.json<{ rows: Row[] }>(`/api/v1/statistics?${RANGE}&measures=${MEASURES}`);
  return rows[0];
}

/** Until the capture is in the store. */
async function settled(server: Server, transactions: number): Promise<Row> {
  return eventually(async () => {
    const row = await totals(server);
    return row?.transactions === transactions ? row : undefined;
  }, `${transactions} transactions`);
}

test('a capture goes through serve into the store: the API counts what the report counts, and the ledger sums', async (t) => {
  const plan = { input: { kind: 'files' as const, paths: [DEMO] }, threads: 0 };
  const { report, ledger } = await runReport(plan, { mapPairs: 0 }, { signal: new AbortController().signal });
  const value = report.value({}, 20);
  const server = await serving(t, temporaryFolder(), { 'capture-files': [DEMO] });
  const row = await settled(server, 999);
  assert.equal(value.transactions.count, 999);
  const outcome = (key: string) => value.transactions.outcomes.find((one) => one.key === key)?.count ?? 0;
  const kind = (key: string) => value.transactions.answer_kinds.find((one) => one.key === key)?.count ?? 0;
  assert.equal(row.queries, ledger.toJSON().messages.joined ? row.queries : -1);
  assert.equal(row.unanswered, outcome('unanswered') + outcome('capture_ended'));
  assert.equal(row.nxdomain, kind('nxdomain'));

  const types = await server.json<{ rows: Row[] }>(
    `/api/v1/statistics?${RANGE}&group=type&measures=transactions&limit=1000`,
  );
  assert.deepEqual(
    Object.fromEntries(types.rows.map(({ type, transactions }) => [type, transactions])),
    Object.fromEntries(value.types.map(({ key, count }) => [key, count])),
  );

  const { sensors, store } = await server.json<Sensors>('/api/v1/sensors');
  const [{ name, running, ledger: counted, ring, open_transactions: open, one_in: oneIn }] = sensors;
  assert.deepEqual([ring, open, oneIn], [null, 0, 1]);
  assert.deepEqual([name, running, counted.imbalance], ['here', true, []]);
  assert.equal(counted.received, ledger.received);
  assert.equal(
    counted.received,
    Object.values(counted.frames).reduce((a, b) => a + b, 0),
  );
  assert.equal(
    counted.decoded,
    Object.values(counted.messages).reduce((a, b) => a + b, 0),
  );
  assert.equal(counted.transactions, 999);
  for (const { stage, in: came, out, lost } of counted.funnel) {
    assert.equal(came, out + Object.values(lost).reduce((a, b) => a + b, 0), stage);
  }
  assert.equal(store.appended, 999);

  const result = await server.stop();
  assert.deepEqual([result.received, result.stored], [999, 999]);
  assert.deepEqual(
    Object.values(result.lost).filter((lost) => lost > 0),
    [],
  );
  assert.deepEqual(result.ledger.imbalance(), []);
});

test('what was kept is there after a restart, and the same token signs in', async (t) => {
  const data = temporaryFolder();
  const first = await serving(t, data, { 'capture-files': [DEMO] });
  const before = await settled(first, 999);
  const token = readFileSync(join(data, 'token'), 'utf8').trim();
  assert.equal(statSync(join(data, 'token')).mode & 0o777, 0o600);
  assert.equal(first.served.signIn, `${first.served.url}/#token=${token}`);
  await first.stop();
  assert.equal(existsSync(join(data, 'serve.json')), false, 'nobody serves the folder any more');
  // Another capture on top: what was there stays.
  const more = join(import.meta.dirname, '..', 'captures', 'udp.pcap');
  const second = await serving(t, data, { 'capture-files': [more] });
  assert.equal(readFileSync(join(data, 'token'), 'utf8').trim(), token);
  const after = await eventually(async () => {
    const row = await totals(second);
    return Number(row?.transactions) > 999 ? row : undefined;
  }, 'more transactions');
  assert.ok(Number(after.query_bytes) > Number(before.query_bytes));
});

test('a demo is current, says so, and has a store of its own', async (t) => {
  const data = temporaryFolder();
  const server = await serving(t, data, { demo: 'on' });
  assert.match(server.served.demo?.banner ?? '', /This is a demo/);
  const newest = await eventually(async () => {
    const { rows } = await server.json<{ rows: { time: string }[] }>('/api/v1/transactions?from=-1h&limit=1');
    const age = rows.length === 0 ? Number.POSITIVE_INFINITY : Date.now() - Date.parse(rows[0].time);
    return age < 10_000 ? age : undefined;
  }, 'a transaction of the last ten seconds');
  assert.ok(newest >= 0, 'and none of the future');
  const { rows } = await server.json<{ rows: Row[] }>('/api/v1/statistics?from=-1h&measures=transactions');
  assert.ok(Number(rows[0].transactions) > 40_000, 'the minutes before are there too');
  const { demo } = await server.json<{ demo: { banner: string; command: string } | null }>(
    '/api/v1/overview?from=-15m',
  );
  assert.match(demo?.banner ?? '', /replayed/);
  assert.match(demo?.command ?? '', /serve/);
  assert.equal(existsSync(join(data, 'store')), false, 'the store of real traffic is not touched');
  const f = encodeURIComponent('sensor == "here" and dns.message.length > 20');
  const [live] = await firstEvents(await server.get(`/api/v1/tail?f=${f}`), 1);
  assert.match(JSON.stringify(live.data), /"sensor":"here"/, 'live rows know their sensor');
  await server.stop();
});

test('what keeps it from starting is one clear sentence, with its exit code', async (t) => {
  const data = temporaryFolder();
  const refused = async (flags: Record<string, string | string[]>, exit: number, text: RegExp, folder = data) => {
    await assert.rejects(serving(t, folder, flags), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, text);
      assert.equal(error.exit, exit);
      return true;
    });
    assert.equal(existsSync(join(folder, 'serve.json')), false);
  };
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => {
      const address = other.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  t.after(() => other.close());
  const files = { 'capture-files': [DEMO] };
  await refused(
    { ...files, 'server-listen': `127.0.0.1:${port}` },
    2,
    /Cannot listen on 127\.0\.0\.1 port \d+: another program uses it/,
  );
  await refused({ 'capture-files': ['/no/such.pcap'] }, 3, /Cannot open \/no\/such\.pcap/);
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  await refused(files, 3, /The data folder .* cannot be written to: .*--data/, join(file, 'data'));
  await refused({ 'capture-interfaces': ['nametap-none'] }, 2, /nametap-none|CAP_NET_RAW/);
  assert.throws(() => configOf(data, { 'server-listen': '0.0.0.0:80' }), /beyond this machine/);
});

test('a second one on the same data folder is told who is there', async (t) => {
  const data = temporaryFolder();
  const announced = { url: 'http://127.0.0.1:5390', pid: process.ppid };
  writeFileSync(join(data, 'serve.json'), JSON.stringify(announced));
  await assert.rejects(
    serving(t, data, { 'capture-files': [DEMO] }),
    new RegExp(`is served already, by process ${process.ppid} at http://127.0.0.1:5390`),
  );
  // A process that is gone leaves its file behind after a crash.
  writeFileSync(join(data, 'serve.json'), JSON.stringify({ ...announced, pid: 2 ** 22 + 1 }));
  const server = await serving(t, data, { 'capture-files': [DEMO] });
  await server.stop();
});

test('privacy holds for the store and the API, and is told', async (t) => {
  const server = await serving(t, temporaryFolder(), { 'capture-files': [DEMO], 'privacy-level': '1' });
  await settled(server, 999);
  const { rows } = await server.json<{ rows: { client: string }[] }>(`/api/v1/transactions?${RANGE}&limit=200`);
  assert.equal(rows.length, 200);
  for (const { client } of rows) assert.match(client, /\.0$|::/);
  const session = await server.json<{ privacy: { level: number; text: string } }>('/api/v1/session');
  assert.equal(session.privacy.level, 1);
});

test('at the level of counts there are numbers, and no transactions for anyone', async (t) => {
  const server = await serving(t, temporaryFolder(), { 'capture-files': [DEMO], 'privacy-level': '5' });
  await settled(server, 999);
  for (const path of [`transactions?${RANGE}`, 'transactions/0123456789abcdef', `export?${RANGE}&format=csv`]) {
    const response = await server.get(`/api/v1/${path}`);
    assert.equal(response.status, 422, path);
    assert.match(await response.text(), /only counts are kept/);
  }
  const { rows } = await server.json<{ rows: Row[] }>(`/api/v1/statistics?${RANGE}&group=domain&measures=transactions`);
  assert.ok(rows.length > 5);
});

test('a configuration that is read again: what may change does, the rest waits for a restart and says so', async (t) => {
  const data = temporaryFolder();
  const server = await serving(t, data, { 'capture-files': [DEMO] });
  await settled(server, 999);
  const [{ client }] = (await server.json<{ rows: { client: string }[] }>(`/api/v1/transactions?${RANGE}&limit=1`))
    .rows;
  server.reload(
    configOf(data, {
      'capture-files': [DEMO],
      clients: `{"${client}": printer}`,
      'pipeline-timeout': '9s',
      'store-keep-transactions': '7d',
    }),
  );
  assert.deepEqual(
    server.log.filter(({ fields }) => 'keys' in fields).map(({ level, fields }) => [level, fields.keys]),
    [
      ['info', ['clients', 'store.keep.transactions']],
      ['warn', ['pipeline.timeout']],
    ],
  );
});

test('limits of detectors, and rules, are read again; what cannot be had changes nothing', async (t) => {
  const data = temporaryFolder();
  const rules = join(data, 'rules.yaml');
  writeFileSync(rules, '[{name: first, filter: dns.id == 1}]');
  const flags = { 'capture-files': [DEMO], 'detect-rules': [rules] };
  const server = await serving(t, data, flags);
  await settled(server, 999);
  const anew = () => server.log.flatMap(({ fields }) => ('detectors' in fields ? [fields.detectors] : []));
  server.reload(configOf(data, { ...flags, 'detect-detectors': '{tun_bytes: {small_bytes: 600B, enforce: true}}' }));
  assert.deepEqual(anew(), [['TUN-BYTES']]);
  const blocks = await server.json<{ enforcing: string[] }>('/api/v1/blocks/report');
  assert.deepEqual(blocks.enforcing, ['TUN-BYTES']);
  writeFileSync(rules, '[{name: second, filter: dns.id == 2, per: client, over: 1m, when: count > 3}]');
  server.reload(configOf(data, flags));
  assert.deepEqual(anew()[1], ['TUN-BYTES', 'RULE second']);
  writeFileSync(rules, '[{name: third, filtre: dns}]');
  server.reload(configOf(data, flags));
  const wrong = server.log.filter(({ level }) => level === 'error');
  assert.match(String(wrong[0]?.fields.error), /rules\.yaml:1:\d+: 'filtre' is no key/);
  assert.equal(anew().length, 2);
});

test('a folder is watched: what is in a new file is there while nothing else comes', async (t) => {
  const folder = temporaryFolder();
  const server = await serving(t, temporaryFolder(), { 'capture-folder': folder });
  const captures = join(import.meta.dirname, '..', 'captures');
  copyFileSync(join(captures, 'udp.pcap'), join(folder, 'a.pcap'));
  copyFileSync(join(captures, 'lookups.pcapng'), join(folder, 'b.pcapng'));
  await settled(server, 67);
  assert.equal((await server.stop()).stored, 67);
});
