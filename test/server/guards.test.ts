import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { startServer } from '../../src/server/app.ts';
import { hashPassword } from '../../src/server/passwords.ts';
import { problem } from '../../src/server/schema/common.ts';
import { session } from '../../src/server/schema/meta.ts';
import { type Fixture, fixture, TOKEN } from './fixture.ts';

let f: Fixture;
before(async () => {
  f = await fixture();
});
after(() => f.close());

/** A request with headers that fetch does not let through. */
function raw(
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number; text: string; location: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(f.server.url + path, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, location: response.headers.location ?? '' }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

const bearer = { authorization: `Bearer ${TOKEN}` };

async function problemOf(response: Response, status: number) {
  assert.equal(response.status, status);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  return problem.parse(await response.json());
}

test('a name that points here is not answered, an address and a configured name are (DNS rebinding)', async () => {
  const { port } = f.server;
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example']) {
    const { status } = await raw('/api/v1/sensors', { ...bearer, host });
    assert.ok(status === 421 || status === 400, `${host}: ${status}`);
  }
  for (const host of [`127.0.0.1:${port}`, 'localhost', 'dns.example.net', '[::1]:1']) {
    assert.equal((await raw('/api/v1/session', { ...bearer, host })).status, 200, host);
  }
  assert.equal((await raw('/livez', { host: 'evil.example' })).status, 421, 'health too');
});

test('requests from pages of other sites are not answered', async () => {
  const { url, port } = f.server;
  const ask = (headers: Record<string, string>) => raw('/api/v1/session', { ...bearer, ...headers });
  assert.equal((await ask({ origin: url })).status, 200);
  for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${port + 1}`, `https://127.0.0.1:${port}`]) {
    assert.equal((await ask({ origin })).status, 403, origin);
  }
  assert.equal((await ask({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).status, 403);
  assert.equal((await ask({ 'sec-fetch-site': 'same-origin' })).status, 200);
  assert.equal(
    (await raw('/', { accept: 'text/html', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).status,
    200,
    'a link from elsewhere opens the page',
  );
});

test('nothing is told without a token, and wrong ones are counted', async () => {
  const found = await problemOf(await fetch(`${f.server.url}/api/v1/overview`), 401);
  assert.match(found.detail ?? '', /token/);
  await problemOf(await fetch(`${f.server.url}/api/v1/overview`, { headers: { authorization: 'Bearer wrong' } }), 401);
  await problemOf(await fetch(`${f.server.url}/api/v1/overview`, { headers: { authorization: 'Digest x' } }), 401);
  assert.equal((await fetch(`${f.server.url}/api/v1/session`, { headers: { 'x-api-key': TOKEN } })).status, 200);
  const basic = Buffer.from(`anyone:${TOKEN}`).toString('base64');
  assert.equal(
    (await fetch(`${f.server.url}/api/v1/session`, { headers: { authorization: `Basic ${basic}` } })).status,
    200,
  );
});

test('the token opens a session: a cookie that scripts and other sites do not get, and writes need its CSRF header', async () => {
  const { url } = f.server;
  const opened = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: TOKEN }),
  });
  assert.equal(opened.status, 200);
  const who = session.parse(await opened.json());
  assert.deepEqual([who.user, who.role, who.sensors], ['operator', 'operator', ['sensor-1']]);
  const set = opened.headers.get('set-cookie') ?? '';
  assert.match(set, /^nametap_\d+=[^;]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
  const cookie = set.slice(0, set.indexOf(';'));
  const view = JSON.stringify({ name: 'mine', title: 'Mine', url: '/explore' });
  const save = (headers: Record<string, string>) =>
    fetch(`${url}/api/v1/views`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json', ...headers },
      body: view,
    });
  assert.equal((await fetch(`${url}/api/v1/views`, { headers: { cookie } })).status, 200);
  assert.equal((await save({})).status, 403);
  assert.equal((await save({ 'x-nametap-csrf': 'x' })).status, 403);
  assert.equal((await save({ 'x-nametap-csrf': who.csrf })).status, 201);
  const closed = await fetch(`${url}/api/v1/session`, {
    method: 'DELETE',
    headers: { cookie, 'x-nametap-csrf': who.csrf },
  });
  assert.equal(closed.status, 204);
  assert.match(closed.headers.get('set-cookie') ?? '', /Max-Age=0/);
  assert.equal(
    (await fetch(`${url}/api/v1/views`, { headers: { cookie } })).status,
    401,
    'the cookie is worth nothing any more',
  );
});

test('a link with the token signs in, and the token leaves the address', async () => {
  const opened = await fetch(`${f.server.url}/explore?f=dns&token=${encodeURIComponent(TOKEN)}`, {
    redirect: 'manual',
  });
  assert.equal(opened.status, 303);
  assert.equal(opened.headers.get('location'), '/explore?f=dns');
  assert.match(opened.headers.get('set-cookie') ?? '', /HttpOnly/);
  const away = await raw(`//evil.example/?token=${encodeURIComponent(TOKEN)}`, {});
  assert.deepEqual([away.status, away.location], [303, '/evil.example/'], 'and the way stays here');
  assert.equal((await fetch(`${f.server.url}/?token=wrong`, { redirect: 'manual' })).status, 401);
});

test('every answer carries the policy of content and its siblings', async () => {
  for (const path of ['/', '/api/v1/session', '/api/v1/nothing', '/livez', '/metrics', '/nothing.js']) {
    const { headers } = await f.get(path, { accept: 'text/html' });
    assert.match(headers.get('content-security-policy') ?? '', /^default-src 'self'; .*frame-ancestors 'none'$/, path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    assert.equal(headers.get('x-frame-options'), 'DENY', path);
    assert.equal(headers.get('referrer-policy'), 'no-referrer', path);
    assert.equal(headers.get('access-control-allow-origin'), null, path);
    assert.equal(headers.get('x-powered-by'), null, path);
  }
  assert.equal((await f.get('/api/v1/session')).headers.get('cache-control'), 'no-store');
});

test('bodies are bounded, and have to be what they say', async () => {
  const huge = await f.send('POST', '/api/v1/views', { name: 'x', title: 'x'.repeat(70_000), url: '/' });
  await problemOf(huge, 413);
  const broken = await fetch(`${f.server.url}/api/v1/views`, {
    method: 'POST',
    headers: { ...bearer, 'content-type': 'application/json' },
    body: '{"name":',
  });
  await problemOf(broken, 400);
  const form = await fetch(`${f.server.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `token=${TOKEN}`,
  });
  assert.ok(form.status === 415 || form.status === 400, `a form of another site signs nobody in: ${form.status}`);
});

test('too many requests of one address are told when to come back', async () => {
  const own = await fixture({ now: () => 1_800_000_000_000 });
  try {
    const answers = await Promise.all(
      Array.from({ length: 510 }, async () => {
        const response = await fetch(`${own.server.url}/livez`);
        await response.arrayBuffer();
        return response;
      }),
    );
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(refused.length, 10);
    assert.equal(refused[0].headers.get('retry-after'), '1');
  } finally {
    await own.close();
  }
});

test('people sign in by name and password; a viewer changes nothing; guessing is slowed down', async () => {
  const password = await hashPassword('correct horse battery');
  const own = await fixture({
    options: {
      ...f.services.options,
      token: null,
      users: [
        { name: 'ada', role: 'viewer', password },
        { name: 'grace', role: 'operator', password },
      ],
    },
  });
  try {
    const signIn = (name: string, word: string) =>
      fetch(`${own.server.url}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name, password: word }),
      });
    const opened = await signIn('ada', 'correct horse battery');
    const who = session.parse(await opened.json());
    assert.deepEqual([who.user, who.role, who.features.users], ['ada', 'viewer', true]);
    const cookie = (opened.headers.get('set-cookie') ?? '').split(';')[0];
    const headers = { cookie, 'x-nametap-csrf': who.csrf, 'content-type': 'application/json' };
    const write = (body: object) =>
      fetch(`${own.server.url}/api/v1/views`, { method: 'POST', headers, body: JSON.stringify(body) });
    const refused = await problemOf(await write({ name: 'a', title: 'A', url: '/' }), 403);
    assert.match(refused.detail ?? '', /ada/);
    assert.equal((await fetch(`${own.server.url}/api/v1/config`, { headers })).status, 403);
    assert.equal((await fetch(`${own.server.url}/api/v1/audit`, { headers })).status, 403);
    assert.equal((await fetch(`${own.server.url}/api/v1/fields`, { headers })).status, 200);
    const tries: number[] = [];
    for (let i = 0; i < 11; i++) tries.push((await signIn('grace', `wrong ${i}`)).status);
    assert.deepEqual(tries, [...Array<number>(10).fill(401), 429]);
    assert.equal((await signIn('grace', 'correct horse battery')).status, 429, 'also the right one has to wait');
  } finally {
    await own.close();
  }
});

test('beyond this machine it does not listen without credentials', async () => {
  const listen = (more: object) =>
    startServer({ ...f.services, options: { ...f.services.options, address: '0.0.0.0', ...more } });
  await assert.rejects(
    listen({}),
    (error) => error instanceof UserError && error.exit === 1 && /server\.users/.test(error.message),
  );
  await assert.rejects(listen({ token: null }), UserError);
  const server = await listen({ token: { value: TOKEN, chosen: true } });
  assert.match(server.url, /^http:\/\/0\.0\.0\.0:\d+$/);
  await server.close();
});

test('a port in use, an address that is none, a certificate that is not there: one sentence each', async () => {
  const listen = (more: object) => startServer({ ...f.services, options: { ...f.services.options, ...more } });
  await assert.rejects(listen({ port: f.server.port }), /another program uses it/);
  await assert.rejects(listen({ address: '192.0.2.1', token: { value: TOKEN, chosen: true } }), /no such address/);
  await assert.rejects(
    listen({ tls: { certificate: '/nowhere/cert.pem', key: '/nowhere/key.pem' } }),
    /Cannot read \/nowhere\/cert\.pem for TLS: there is no such file/,
  );
});
