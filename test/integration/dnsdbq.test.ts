import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Fixture, fixture, rowsOf, TOKEN } from '../server/fixture.ts';

const run = promisify(execFile);
const NOW = Date.now();

let f: Fixture;
const folder = mkdtempSync(join(tmpdir(), 'nametap-dnsdbq-'));
const configuration = join(folder, 'dnsdbq.conf');
before(async () => {
  f = await fixture();
  writeFileSync(configuration, `CIRCL_SERVER="${f.server.url}/query"\nCIRCL_AUTH="user:${TOKEN}"\n`);
  const answer = (name: string, type: string, data: string) => ({ answers: [{ name, type, ttl: 60, data }] });
  await f.add(
    rowsOf([
      {
        time: NOW - 60_000,
        client: '10.0.0.1',
        name: 'www.example.com',
        answer: answer('www.example.com', 'A', '192.0.2.7'),
      },
      {
        time: NOW - 30_000,
        client: '10.0.0.2',
        name: 'www.example.com',
        answer: answer('www.example.com', 'A', '192.0.2.7'),
      },
      {
        time: NOW - 20_000,
        client: '10.0.0.2',
        name: 'mail.example.com',
        answer: answer('mail.example.com', 'A', '192.0.2.9'),
      },
      {
        time: NOW - 10_000,
        client: '10.0.0.2',
        name: 'example.com',
        type: 'NS',
        answer: answer('example.com', 'NS', 'ns.example.com.'),
      },
    ]),
  );
});
after(async () => {
  rmSync(folder, { recursive: true });
  await f.close();
});

/** What the client of DNSDB prints. */
async function dnsdbq(system: string, ...words: string[]): Promise<Record<string, unknown>[]> {
  const env = {
    ...process.env,
    DNSDB_API_KEY: TOKEN,
    DNSDB_SERVER: f.server.url,
    DNSDBQ_CONFIG_FILE: configuration,
  };
  const { stdout } = await run('dnsdbq', ['-u', system, '-j', ...words], { env });
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('dnsdbq, a client that exists, finds records by both versions of the interface', async () => {
  for (const system of ['dnsdb', 'dnsdb2']) {
    const [row, ...more] = await dnsdbq(system, '-r', 'www.example.com/A');
    assert.deepEqual(more, [], system);
    assert.deepEqual(
      [row.rrname, row.rrtype, row.rdata, row.count],
      ['www.example.com.', 'A', ['192.0.2.7'], 2],
      system,
    );
    assert.equal(row.time_first, Math.floor((NOW - 60_000 + 10) / 1000));
    const names = async (...words: string[]) =>
      (await dnsdbq(system, ...words)).map(({ rrname }) => String(rrname)).toSorted((a, b) => a.localeCompare(b));
    assert.deepEqual(await names('-i', '192.0.2.0/29'), ['www.example.com.'], system);
    assert.deepEqual(await names('-i', '192.0.2.9'), ['mail.example.com.'], system);
    assert.deepEqual(await names('-n', 'ns.example.com/NS'), ['example.com.'], system);
    assert.deepEqual(await names('-r', '*.example.com/A'), ['mail.example.com.', 'www.example.com.'], system);
    assert.deepEqual(await names('-r', '*.example.com/A', '-l', '1'), [
      (await names('-r', '*.example.com/A', '-l', '1'))[0],
    ]);
    assert.deepEqual(await names('-r', 'www.example.com/A', '-A', '5s'), [], `${system}: nothing since then`);
    assert.deepEqual(await names('-r', 'www.example.com/A', '-A', '10m'), ['www.example.com.'], system);
  }
});

test('dnsdbq as a client of the common output format', async () => {
  const [row] = await dnsdbq('circl', '-r', 'www.example.com');
  assert.deepEqual([row.rrname, row.rrtype, row.rdata], ['www.example.com.', 'A', ['192.0.2.7']]);
});
