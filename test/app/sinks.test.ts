import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/app/config.ts';
import { Sinks } from '../../src/app/sinks.ts';
import { ClientNames } from '../../src/enrich/client-names.ts';
import { FilterError } from '../../src/filter/errors.ts';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { expected, rows } from '../sinks/numbered.ts';
import { addRow } from '../sinks/rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-app-sinks-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const settingsOf = (sinks: object) =>
  loadConfig({ environment: {}, flags: { sinks: JSON.stringify(sinks) } }).config.sinks;

const said: string[] = [];
const say = (_: object, message: string): void => {
  said.push(message);
};

function open(
  sinks: object,
  clientName?: (family: number, words: readonly number[]) => string | undefined,
  marks?: readonly string[],
): Sinks {
  return new Sinks(settingsOf(sinks), {
    sensor: 'here',
    version: '1.2.3',
    folder: at('kept'),
    vantage: 'client',
    interfaces: [],
    exporter: null,
    ...(clientName !== undefined && { clientName }),
    ...(marks !== undefined && { marks }),
    log: { info: say, warn: say, error: say },
  });
}

function write(sinks: Sinks, from: number, to: number): void {
  const batch = rows(from, to);
  sinks.rows(batch, 0, batch.count);
}

function namesIn(path: string): string[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { name: string }).name);
}

test('rows that come while a changed sink closes are counted as dropped by the new one', async () => {
  const sinks = open({ one: { type: 'file', path: at('before') }, other: { type: 'file', path: at('other') } });
  write(sinks, 0, 5);
  const changed = sinks.apply(
    settingsOf({
      one: { type: 'file', path: at('behind'), filter: 'dns.qry.name contains "7"' },
      other: { type: 'file', path: at('other') },
    }),
  );
  write(sinks, 5, 30);
  await changed;
  write(sinks, 30, 40);
  const dropped = Object.fromEntries(sinks.states().map((state) => [state.name, state.dropped]));
  assert.deepEqual(dropped, { one: 3, other: 0 }, '7, 17 and 27');
  await sinks.close();
  assert.deepEqual(namesIn(at('before')), expected(0, 5));
  assert.deepEqual(namesIn(at('behind')), ['n000037.test']);
  assert.deepEqual(namesIn(at('other')), expected(0, 40));
});

test('each sink has what passes its filter; a reload closes, opens and replaces only what changed', async () => {
  const sinks = open({
    all: { type: 'file', path: at('all') },
    some: { type: 'file', path: at('some'), filter: 'dns.qry.name contains "5"' },
    old: { type: 'file', path: at('old') },
  });
  write(sinks, 0, 20);
  await sinks.apply(
    settingsOf({
      all: { type: 'file', path: at('all') },
      some: { type: 'file', path: at('some'), filter: 'dns.qry.name contains "7"' },
      new: { type: 'file', path: at('new') },
    }),
  );
  write(sinks, 20, 40);
  assert.deepEqual(
    sinks
      .states()
      .map(({ name }) => name)
      .sort(),
    ['all', 'new', 'some'],
  );
  await sinks.close();
  assert.deepEqual(namesIn(at('all')), expected(0, 40));
  assert.deepEqual(namesIn(at('old')), expected(0, 20));
  assert.deepEqual(namesIn(at('new')), expected(20, 40));
  assert.deepEqual(namesIn(at('some')), ['n000005.test', 'n000015.test', 'n000027.test', 'n000037.test']);
  assert.deepEqual(said, []);
});

test('clients have the names of the configuration, in every format that is native', async () => {
  const clients = new ClientNames({ '192.0.2.10': 'printer "2"', '192.0.2.0/24': 'office' });
  const sinks = open({ file: { type: 'file', path: at('named') } }, (family, words) => clients.name(family, words));
  const batch = rows(0, 2);
  batch.col.client3[1] = 0xc000020b;
  sinks.rows(batch, 0, 2);
  await sinks.close();
  const lines = readFileSync(at('named'), 'utf8').trimEnd().split('\n');
  const named = lines.map((line) => (JSON.parse(line) as { client_name?: string }).client_name);
  assert.deepEqual(named, ['printer "2"', 'office']);
});

test('what rules marked is marked in the lines of sinks, with the names of the rules', async () => {
  const formats = ['ndjson', 'csv', 'ecs'];
  const files = formats.map((format) => [format, { type: 'file', path: at(`marked.${format}`), format }]);
  const sinks = open(Object.fromEntries(files) as object, undefined, ['', 'slow', 'slow, failed']);
  const batch = rows(0, 3);
  batch.col.mark.set([0, 1, 2]);
  sinks.rows(batch, 0, 3);
  await sinks.close();
  const linesOf = (format: string) =>
    readFileSync(at(`marked.${format}`), 'utf8')
      .trimEnd()
      .split('\n');
  const native = linesOf('ndjson').map((line) => JSON.parse(line) as { is_suspicious?: boolean; rules?: string[] });
  assert.deepEqual(
    native.map((one) => [one.is_suspicious, one.rules]),
    [
      [undefined, undefined],
      [true, ['slow']],
      [true, ['slow', 'failed']],
    ],
  );
  const ends = linesOf('csv').map((line) => line.split(',').slice(-2).join(','));
  assert.deepEqual(ends, ['is_suspicious,rules', 'false,', 'true,slow', 'true,slow;failed']);
  const rules = linesOf('ecs').map((line) => (JSON.parse(line) as { rule?: { name: string[] } }).rule?.name);
  assert.deepEqual(rules, [undefined, ['slow'], ['slow', 'failed']]);
});

test('after logrotate files go on under their names', async () => {
  const sinks = open({ file: { type: 'file', path: at('rotated') } });
  write(sinks, 0, 5);
  await sleep(150);
  renameSync(at('rotated'), at('rotated.1'));
  sinks.reopen();
  write(sinks, 5, 10);
  await sinks.close();
  assert.deepEqual(namesIn(at('rotated.1')), expected(0, 5));
  assert.deepEqual(namesIn(at('rotated')), expected(5, 10));
});

test('a sink that cannot be opened, or whose filter asks for what is not kept, is told before anything starts', () => {
  assert.throws(() => open({ file: { type: 'file', path: '/dev/null/x' } }), /^UserError: Cannot open \/dev\/null\/x/);
  const { file } = settingsOf({ file: { type: 'file', path: at('never') } });
  const settings = { file: { ...file, filter: 'eth.src == 00:00:00:00:00:01' } };
  const options = {
    sensor: 'x',
    version: '1',
    folder: at('kept'),
    vantage: 'client',
    interfaces: [],
    exporter: null,
  } as const;
  assert.throws(() => new Sinks(settings, { ...options, log: { info: say, warn: say, error: say } }), FilterError);
  assert.ok(!existsSync(at('never')));
});

test('a Unix socket that takes streams gets messages with their lengths; nothing from the wire breaks a line', async () => {
  const path = at('stream.sock');
  let got = Buffer.alloc(0);
  const server = createServer((socket) => socket.on('data', (bytes) => (got = Buffer.concat([got, bytes]))));
  await new Promise<void>((resolve) => server.listen(path, () => resolve()));
  const sinks = open({
    log: { type: 'syslog', to: `unix:${path}` },
    file: { type: 'file', path: at('hostile.csv'), format: 'csv' },
  });
  const batch = TransactionBatch.create();
  const hostile = ['a\\010b', '=cmd', '\\027[2J', '<script>', "x' OR 1=1 --"].map((label) => `${label}.test`);
  for (const name of hostile) {
    const query = encodeMessage({ questions: [{ name, type: 'TXT' }] });
    addRow(batch, { query, columns: { family: 4, transport: 17, queries: 1, openSeconds: 1_700_000_000 } });
  }
  sinks.rows(batch, 0, batch.count);
  await sinks.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  let messages = 0;
  for (let rest = got; rest.length > 0; messages++) {
    const blank = rest.indexOf(0x20);
    const length = Number(rest.subarray(0, blank).toString());
    const message = rest.subarray(blank + 1, blank + 1 + length).toString();
    assert.match(message, /^<134>1 2023-11-14T22:13:20\.000000Z here nametap \d+ transaction - \{.*\}$/);
    assert.doesNotMatch(message, /[\x00-\x1f\x7f]/);
    rest = rest.subarray(blank + 1 + length);
  }
  assert.equal(messages, hostile.length);
  const csv = readFileSync(at('hostile.csv'), 'utf8').trimEnd().split('\n');
  assert.equal(csv.length, 1 + hostile.length);
  assert.ok(
    csv.some((line) => line.includes(",'=cmd.test,")),
    csv.join('\n'),
  );
});

test('what waits on disk for a sink that is gone is told', async () => {
  const sinks = open({ gone: { type: 'syslog', to: 'tcp:127.0.0.1:9', spool: {} } });
  write(sinks, 0, 5);
  await sinks.secured();
  await sinks.close();
  said.length = 0;
  await open({}).close();
  assert.deepEqual(said, [`${at('kept')}/gone.syslog holds transactions for a sink that is not configured`]);
});
