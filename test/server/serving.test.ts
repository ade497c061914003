import assert from 'node:assert/strict';
import { request } from 'node:https';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createServer } from '../../src/server/app.ts';
import { overview } from '../../src/server/schema/overview.ts';
import type { Check } from '../../src/server/services.ts';
import { firstEvents } from './events.ts';
import { type Exchange, fixture, rowsOf, TOKEN } from './fixture.ts';

const tls = {
  certificate: fileURLToPath(new URL('tls/cert.pem', import.meta.url)),
  key: fileURLToPath(new URL('tls/key.pem', import.meta.url)),
};
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test('with a certificate it speaks TLS, and its cookie is for TLS only', async () => {
  const plain = await fixture();
  const f = await fixture({ options: { ...plain.services.options, tls } });
  try {
    assert.match(f.server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    const { status, headers } = await new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>(
      (resolve, reject) => {
        const sent = request(
          `${f.server.url}/?token=${TOKEN}`,
          { ca: readFileSync(tls.certificate), agent: false },
          (response) => {
            response.resume();
            response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
          },
        );
        sent.on('error', reject);
        sent.end();
      },
    );
    assert.equal(status, 303);
    assert.match(
      String(headers['set-cookie']),
      /^__Host-nametap_\d+=[^;]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/,
    );
    assert.equal(headers['strict-transport-security'], 'max-age=31536000');
    await f.server.reloadCertificate();
  } finally {
    await f.close();
    await plain.close();
  }
});

test('live as long as it answers, ready as long as everything is there', async () => {
  const checks: Check[] = [{ name: 'capture', ok: true, detail: 'open on eth0' }];
  const f = await fixture({ checks: () => checks });
  try {
    const ask = async (path: string) => {
      const response = await fetch(f.server.url + path);
      return [response.status, await response.text()] as const;
    };
    assert.deepEqual(await ask('/livez'), [200, 'ok\n']);
    assert.deepEqual(await ask('/healthz'), [200, 'ok\n']);
    assert.deepEqual(await ask('/readyz'), [200, 'ok\n']);
    assert.deepEqual(await ask('/readyz?verbose'), [
      200,
      '[+] serving: yes\n[+] store: open\n[+] capture: open on eth0\nok\n',
    ]);
    checks[0] = { name: 'capture', ok: false, detail: 'eth0 is gone' };
    const [status, text] = await ask('/readyz');
    assert.equal(status, 503);
    assert.match(text, /\[-\] capture: eth0 is gone\n[^]*not ready\n$/);
    checks[0] = { name: 'capture', ok: true, detail: 'open' };
    f.server.drain();
    assert.match((await ask('/readyz'))[1], /\[-\] serving: going down/);
    assert.equal((await ask('/livez'))[0], 200);
  } finally {
    await f.close();
  }
});

test('metrics are for everyone, for this machine, or for those with a token', async () => {
  const plain = await fixture();
  const f = await fixture({ options: { ...plain.services.options, metrics: 'token' } });
  try {
    assert.equal((await fetch(`${plain.server.url}/metrics`)).status, 200);
    assert.equal((await fetch(`${f.server.url}/metrics`)).status, 401);
    const text = await (await f.get('/metrics')).text();
    assert.match(text, /^nametap_build_info\{version="0\.0\.0"\} 1$/m);
    assert.match(text, /^nametap_http_requests_total\{route="\/metrics",status="4xx"\} 1$/m);
    const packed = await fetch(`${plain.server.url}/metrics`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(packed.headers.get('content-encoding'), 'gzip');
  } finally {
    await f.close();
    await plain.close();
  }
});

test('without a socket it answers the same', async () => {
  const f = await fixture();
  const server = createServer(f.services);
  try {
    const ask = (headers: Record<string, string>) =>
      server.request(new Request('http://127.0.0.1/api/v1/sensors', { headers: { host: '127.0.0.1', ...headers } }));
    assert.equal((await ask({})).status, 401);
    const answer = await ask({ authorization: `Bearer ${TOKEN}` });
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /sensor-1/);
  } finally {
    await server.close();
    await server.close();
    await f.close();
  }
});

/** A second of this process: where the machine is busy it lasts as much longer as timers come late. */
async function second(): Promise<string> {
  for (let i = 0; i < 10; i++) await sleep(100, undefined, { ref: false });
  return 'a second is over';
}

test('a live transaction is seen within a second, and going down ends the tails', async () => {
  const f = await fixture();
  const response = await f.get('/api/v1/tail?rate=5');
  const adding = f.add(rowsOf([{ time: Date.now(), client: '10.0.0.1', name: 'live.example', answer: {} }]));
  const events = await Promise.race([firstEvents(response, 1), second()]);
  assert.match(JSON.stringify(events), /live\.example/);
  await adding;
  const other = await f.get('/api/v1/tail');
  await f.close();
  assert.deepEqual(await firstEvents(other, 1), [], 'the stream is over');
});

test('a search that nobody waits for any more leaves its place to others', async () => {
  const f = await fixture();
  try {
    await f.add(rowsOf([{ time: Date.now() - 1000, client: '10.0.0.1', name: 'a.example', answer: {} }]));
    for (let i = 0; i < 40; i++) {
      const stop = new AbortController();
      const asked = fetch(`${f.server.url}/api/v1/transactions?from=-7d`, {
        headers: { authorization: `Bearer ${TOKEN}`, accept: 'text/event-stream' },
        signal: stop.signal,
      });
      if (i % 2 === 0) await asked;
      stop.abort();
      await asked.catch((error: Error) => assert.equal(error.name, 'AbortError'));
    }
    const statistics = f.store.statistics.bind(f.store);
    for (let most = 1; most <= 5; most++) {
      // Given up while the store is at its first question, its second …
      const stop = new AbortController();
      let begun = 0;
      f.store.statistics = (...asked) => {
        const answer = statistics(...asked);
        if (++begun === most) stop.abort();
        return answer;
      };
      const asked = fetch(`${f.server.url}/api/v1/names/example?from=-7d`, {
        headers: { authorization: `Bearer ${TOKEN}` },
        signal: stop.signal,
      });
      await assert.rejects(asked, { name: 'AbortError' });
    }
    const { rows } = (await f.json('/api/v1/transactions?from=-1h')) as { rows: object[] };
    assert.equal(rows.length, 1);
    assert.deepEqual(f.logged, [], 'it is no failure of ours');
  } finally {
    await f.close();
  }
});

test('what is usual at this hour appears after three such hours, and what leaves it is told', async () => {
  const now = Math.floor(Date.now() / HOUR) * HOUR + HOUR / 2;
  const f = await fixture({ now: () => now });
  try {
    const hour = (from: number, count: number, nx: number): Exchange[] =>
      Array.from({ length: count }, (_, i) => ({
        time: from + ((i + 0.5) * HOUR) / count,
        client: `10.0.0.${i % 3}`,
        name: `n${i % 9}.example.com`,
        answer: i % 100 < nx ? { rcode: 'NXDOMAIN' } : {},
      }));
    const days = [5, 4, 3, 2, 1].flatMap((day) => [-1, 0, 1].map((of) => now - day * DAY - HOUR / 2 + of * HOUR));
    await f.add(rowsOf([now - 6 * DAY, ...days].flatMap((from, i) => hour(from, 200 + i, 5))));
    const calm = overview.parse(await f.json('/api/v1/overview?from=-1h'));
    const find = (screen: typeof calm, key: string) => screen.tiles.find((tile) => tile.key === key);
    assert.equal(find(calm, 'qps')?.value, 0);
    await f.add(rowsOf(hour(now - HOUR, 210, 60)));
    const screen = overview.parse(await f.json('/api/v1/overview?from=-60m'));
    const rate = find(screen, 'qps');
    assert.ok(rate?.expected !== null && rate?.expected !== undefined, 'a band is known');
    assert.equal(rate.anomalous, false, `${rate.value} in ${rate.expected.low} … ${rate.expected.high}`);
    const nx = find(screen, 'nxdomain_ratio');
    assert.equal(nx?.anomalous, true, `${nx?.value} of ${nx?.expected?.low} … ${nx?.expected?.high}`);
    assert.match(screen.state.sentence, /NXDOMAIN is higher than usual/);
    assert.ok(screen.series.expected.transactions !== null);
    assert.equal(screen.series.expected.transactions.low.length, screen.series.time.length);
    const filtered = overview.parse(await f.json('/api/v1/overview?from=-60m&f=dns'));
    assert.equal(find(filtered, 'qps')?.expected, null, 'of a filter nothing is known to be usual');
  } finally {
    await f.close();
  }
});
