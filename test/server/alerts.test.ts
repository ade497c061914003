import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AlertBook } from '../../src/alerts/book.ts';
import type { z } from '@hono/zod-openapi';
import {
  alert,
  type AlertDetail,
  alertDetail,
  alertEvent,
  type AlertEvent,
  type Alerts,
  alerts,
} from '../../src/server/schema/alerts.ts';
import type { Audit } from '../../src/server/schema/meta.ts';
import type { TransactionsPage } from '../../src/server/schema/transactions.ts';
import { evidence, finding } from '../alerts/findings.ts';
import { eventsOf } from './events.ts';
import { type Fixture, fixture, rowsOf } from './fixture.ts';

const NOW = Math.floor(Date.now() / 1000);
const ROOT = '/api/v1/alerts';
let f: Fixture;

before(async () => {
  f = await fixture({ options: { ...(await options()) } });
  await f.add(rowsOf([{ time: (NOW - 60) * 1000, client: '192.0.2.7', name: 'a.evil.example', type: 'TXT' }]));
});
after(() => f.close());

/** Those of the fixture, with somebody who may only look. */
async function options() {
  const { hashPassword } = await import('../../src/server/passwords.ts');
  return {
    address: '127.0.0.1',
    port: 0,
    hosts: [],
    token: { value: 'token-only-for-tests', chosen: false },
    users: [{ name: 'viewer', role: 'viewer' as const, password: await hashPassword('only to look') }],
    tls: null,
    metrics: 'loopback' as const,
    sessionHours: 12,
  };
}

async function read<S extends z.ZodType>(schema: S, path: string): Promise<z.output<S>> {
  return schema.parse(await f.json(path));
}
const list = (query = ''): Promise<Alerts> => read(alerts, `${ROOT}?${query}`);
const act = async (id: string, body: object) => f.send('POST', `${ROOT}/${id}`, body);

test('the inbox: newest first, filtered, page by page', async () => {
  const book = f.services.alerts;
  for (let i = 0; i < 25; i++) {
    const severity = (['low', 'medium', 'high'] as const)[i % 3];
    book.raise(
      finding({ time: NOW - 3000 + i, domain: `d${i}.example`, severity, detector: i % 2 ? 'BEACON' : 'DGA-NX' }),
    );
  }
  const all = await list();
  assert.equal(all.rows.length, 25);
  assert.equal(all.open, 25);
  assert.deepEqual(all.states, { open: 25, acknowledged: 0, muted: 0, closed: 0, false_positive: 0 });
  assert.equal(all.rows[0].domain, 'd24.example');
  const paged: string[] = [];
  let after: string | null = '';
  do {
    const page: Alerts = await list(`limit=10${after === '' ? '' : `&after=${after}`}`);
    paged.push(...page.rows.map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  assert.deepEqual(
    paged,
    all.rows.map(({ id }) => id),
  );
  const count = async (query: string) => (await list(query)).rows.length;
  assert.equal(await count('severity=high'), 8);
  assert.equal(await count('detector=BEACON'), 12);
  assert.equal(await count('domain=d3.example'), 1);
  assert.equal(await count('client=192.0.2.8'), 0);
  assert.equal(await count('q=D7.exam%20beacon'), 1);
  assert.equal(await count('state=closed'), 0);
  assert.equal((await f.get(`${ROOT}?stat=open`)).status, 400);
  assert.equal((await f.get(`${ROOT}?state=shut`)).status, 400);
});

test('what memory has given up is read from the store', async () => {
  const small = new AlertBook({ rules: { most: 5, perDetector: 1000 }, records: f.store.records });
  for (let i = 0; i < 30; i++) {
    small.raise(finding({ time: NOW - 90_000 + i, domain: `old${i}.example` }));
    if (i % 5 === 4) await small.flush();
  }
  const { alertRows } = await import('../../src/server/alert-rows.ts');
  const old = await alertRows(small, { limit: 100, q: 'old' });
  assert.deepEqual(
    old.rows.map(({ domain }) => domain),
    Array.from({ length: 30 }, (_, i) => `old${29 - i}.example`),
  );
  const next = await alertRows(small, { limit: 10, q: 'old', after: old.rows[12].id });
  assert.equal(next.rows[0].domain, 'old16.example');
});

test('one that goes on for long hides none of those that memory has given up since', async () => {
  const small = new AlertBook({ rules: { most: 5, perDetector: 1000 }, records: f.store.records });
  const domain = 'long0.example';
  for (let i = 0; i < 12; i++) {
    small.raise(finding({ time: NOW - 80_000 + i * 1000, domain: `long${i}.example` }));
    small.raise(finding({ time: NOW - 80_000 + i * 1000 + 1, domain }));
    await small.flush();
  }
  assert.equal(small.incidents()[0].domain, domain);
  const { alertRows } = await import('../../src/server/alert-rows.ts');
  const seen: string[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await alertRows(small, { limit: 3, q: 'long', ...(after !== undefined && { after }) });
    seen.push(...page.rows.map((row) => row.domain ?? ''));
    after = page.next;
  }
  assert.deepEqual(seen.sort(), Array.from({ length: 12 }, (_, i) => `long${i}.example`).sort());
});

test('an alert shows the transactions that are its evidence', async () => {
  const { rows } = (await f.json('/api/v1/transactions?from=-1h')) as TransactionsPage;
  const transaction = rows[0].transaction;
  f.services.alerts.raise(
    finding({
      time: NOW - 50,
      evidence: [
        evidence(transaction, NOW - 60, 'a.evil.example'),
        evidence('ffffffffffffffff', NOW - 60, 'gone.evil.example'),
      ],
      proposal: { kind: 'domain', value: 'evil.example', text: 'Block evil.example for an hour' },
    }),
  );
  const [{ id }] = (await list('domain=evil.example')).rows;
  const detail: AlertDetail = await read(alertDetail, `${ROOT}/${id}`);
  assert.deepEqual(
    detail.transactions.map((one) => one.transaction),
    [transaction],
  );
  assert.equal(detail.alert.evidence.length, 2);
  assert.equal(detail.alert.proposal?.value, 'evil.example');
  assert.equal(detail.alert.severity_parts.risk.toFixed(2), '0.81');
  assert.equal((await f.get(`${ROOT}/0000000000000000`)).status, 404);
  assert.equal((await f.get(`${ROOT}/x`)).status, 400);
  const { rows: audited } = (await f.json('/api/v1/audit')) as Audit;
  assert.ok(audited.some(({ action, detail: what }) => action === 'alert.view' && what === id));
});

test('what explains what is told with both', async () => {
  const book = f.services.alerts;
  book.raise(finding({ detector: 'NEW-DOM', domain: 'listed.example', time: NOW - 40 }));
  book.raise(finding({ detector: 'INTEL', domain: 'listed.example', time: NOW - 39 }));
  const { rows } = await list('domain=listed.example');
  assert.deepEqual(
    rows.map(({ detector, explains }) => [detector, explains]),
    [['INTEL', 1]],
  );
  const [cause] = rows;
  const { explained } = await read(alertDetail, `${ROOT}/${cause.id}`);
  assert.deepEqual(
    explained.map(({ detector }) => detector),
    ['NEW-DOM'],
  );
  assert.equal((await read(alertDetail, `${ROOT}/${explained[0].id}`)).cause?.id, cause.id);
  assert.equal((await list('domain=listed.example&explained=1')).rows.length, 2);
});

test('every action, its undo, and who did it', async () => {
  f.services.alerts.raise(finding({ time: NOW - 30, domain: 'acts.example' }));
  const [{ id }] = (await list('domain=acts.example')).rows;
  const steps: [object, Partial<z.output<typeof alert>>][] = [
    [{ action: 'acknowledge' }, { state: 'acknowledged', assignee: 'operator' }],
    [{ action: 'assign', to: 'grace' }, { assignee: 'grace' }],
    [{ action: 'note', text: 'asked' }, { state: 'acknowledged' }],
    [{ action: 'mute', scope: 'domain', seconds: 600 }, { state: 'muted' }],
    [{ action: 'undo' }, { state: 'acknowledged', muted_until: null }],
    [
      { action: 'false_positive', reason: 'backup' },
      { state: 'false_positive', reason: 'backup' },
    ],
    [{ action: 'reopen' }, { state: 'open', reason: null }],
    [{ action: 'close' }, { state: 'closed' }],
  ];
  for (const [body, expected] of steps) {
    const response = await act(id, body);
    assert.equal(response.status, 200, await response.clone().text());
    const row = alert.parse(await response.json());
    for (const [key, value] of Object.entries(expected)) {
      assert.deepEqual(row[key as keyof typeof row], value, `${JSON.stringify(body)} ${key}`);
    }
  }
  assert.equal((await act(id, { action: 'close' })).status, 409);
  assert.equal((await act(id, { action: 'mute', until: '-1h' })).status, 409);
  assert.equal((await act(id, { action: 'explode' })).status, 400);
  assert.equal((await act(id, { action: 'note' })).status, 400);
  assert.equal((await act('0000000000000000', { action: 'close' })).status, 404);
  const { rows } = (await f.json('/api/v1/audit?limit=100')) as Audit;
  const of = rows.filter(({ subject }) => subject === id).map(({ action }) => action);
  assert.deepEqual(
    of.reverse(),
    steps.map(([body]) => `alert.${(body as { action: string }).action}`),
  );
});

test('who may only look changes nothing', async () => {
  const login = await fetch(`${f.server.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'viewer', password: 'only to look' }),
  });
  const { csrf } = (await login.json()) as { csrf: string };
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  const [{ id }] = (await list('domain=acts.example')).rows;
  const ask = (method: string, body?: string) =>
    fetch(`${f.server.url}${ROOT}/${id}`, {
      method,
      headers: { cookie, 'x-nametap-csrf': csrf, 'content-type': 'application/json' },
      ...(body !== undefined && { body }),
    });
  assert.equal((await ask('GET')).status, 200);
  assert.equal((await ask('POST', '{"action":"reopen"}')).status, 403);
  assert.equal((await fetch(`${f.server.url}${ROOT}`)).status, 401);
});

test('changes come as events, and metrics count them', async () => {
  const response = await f.get(`${ROOT}/events`);
  const seen: AlertEvent[] = [];
  const heard = (async () => {
    for await (const { event, data } of eventsOf(response)) {
      if (event === 'alert') seen.push(alertEvent.parse(data));
      if (seen.length === 2) return;
    }
  })();
  f.services.alerts.raise(finding({ time: NOW - 20, domain: 'events.example', severity: 'critical' }));
  const [{ id }] = (await list('domain=events.example')).rows;
  await act(id, { action: 'acknowledge' });
  await heard;
  assert.deepEqual(
    seen.map(({ cause, news, alert: of }) => [cause, news, of.id, of.state]),
    [
      ['raised', true, id, 'open'],
      ['changed', false, id, 'acknowledged'],
    ],
  );
  // Rules are called what their users like.
  f.services.alerts.raise(finding({ time: NOW - 20, detector: 'RULE slow A lookups', severity: 'medium' }));
  const metrics = await (await f.get('/metrics')).text();
  assert.match(metrics, /^nametap_alerts_total\{detector="TUN-BYTES",severity="critical"\} 1$/m);
  assert.match(metrics, /^nametap_alerts_total\{detector="RULE slow A lookups",severity="medium"\} 1$/m);
  assert.match(metrics, /^nametap_alert_findings_total\{fate="findings"\} \d+$/m);
});
