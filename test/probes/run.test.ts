import assert from 'node:assert/strict';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { probeOf, probeSettings } from '../../src/app/probe-settings.ts';
import type { ProbeResult } from '../../src/core/probe.ts';
import { Runner } from '../../src/probes/runner.ts';

const runner = new Runner('9.9.9');
const open: Server[] = [];
after(async () => {
  await runner.close();
  for (const server of open) {
    if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections();
    server.close();
  }
});

async function listening(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const web = (listener: RequestListener) => listening(createHttp(listener));
const sockets = new Set<Socket>();
const talker = (greet: (socket: Socket) => void) =>
  listening(
    createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      greet(socket);
    }),
  );
after(() => {
  for (const socket of sockets) socket.destroy();
});

async function check(type: string, target: string, words: string[] = [], more: object = {}): Promise<ProbeResult> {
  const definition = probeOf(type);
  const settings = await probeSettings(definition, words);
  const options = { settings, timeoutMs: 2000, signal: new AbortController().signal, ...more };
  return runner.check(definition, definition.read(target), options);
}

const said = ({ outcome, text }: ProbeResult) => `${outcome}: ${text}`;

test('http: status, parts, redirects, what is sent', async () => {
  const seen: { url?: string | undefined; agent?: string | undefined; secret?: string | undefined }[] = [];
  const port = await web((request, response) => {
    seen.push({ url: request.url, agent: request.headers['user-agent'], secret: request.headers.authorization });
    if (request.url === '/far') response.writeHead(302, { location: `http://localhost:${port}/ok` });
    else if (request.url === '/near') response.writeHead(302, { location: '/ok' });
    else if (request.url === '/loop') response.writeHead(302, { location: '/loop' });
    else if (request.url === '/gopher') response.writeHead(302, { location: 'gopher://127.0.0.1/' });
    response.end('{"status":"up","parts":[{"ok":true}]}');
  });
  const base = `127.0.0.1:${port}`;
  const ok = await check('http', `${base}/ok`);
  assert.equal(said(ok), 'ok: 200');
  assert.deepEqual(Object.keys(ok.phases), ['resolve', 'connect', 'first_byte', 'transfer']);
  const sum = Object.values(ok.phases).reduce((all, ms) => all + ms, 0);
  assert.ok(ok.ms !== null && sum <= ok.ms + 0.01, 'the parts are parts of the whole');
  assert.equal(seen[0].agent, 'nametap/9.9.9');

  assert.equal((await check('http', `${base}/near`, ['headers.Authorization=s3'])).facts.redirects, 1);
  assert.equal(seen.at(-1)?.secret, 's3', 'the same host may know');
  assert.equal(said(await check('http', `${base}/far`, ['headers.Authorization=s3'])), 'ok: 200');
  assert.equal(seen.at(-1)?.secret, undefined, 'another may not');
  assert.equal(said(await check('http', `${base}/loop`, ['redirects=3'])), 'unexpected: more than 3 redirects');
  assert.equal(said(await check('http', `${base}/near`, ['redirects=0', 'status=302'])), 'ok: 302');
  assert.equal(said(await check('http', `${base}/gopher`)), 'garbage: the redirect leads to no HTTP address');
  assert.equal(said(await check('http', `${base}/ok`, ['status=404'])), 'unexpected: 200');
});

test('http: headers, body, JSON', async () => {
  const port = await web((_, response) => {
    response.setHeader('x-cache', 'HIT');
    response.end('{"status":"up","parts":[{"ok":true}]}');
  });
  const rows: [string[], string][] = [
    [['json.status=up', 'json.parts.0.ok=true'], 'ok: 200'],
    [['json.status=down'], 'unexpected: 200, but status is up, not down'],
    [['json.nothing.here=1'], 'unexpected: 200, but nothing.here is not there, not 1'],
    [['body_matches="status":"up"'], 'ok: 200'],
    [['body_matches=down'], 'unexpected: 200, but the body does not match down'],
    [['body_lacks=up'], 'unexpected: 200, but the body matches up'],
    [['response_headers.X-Cache=^HIT$'], 'ok: 200'],
    [['response_headers.X-Cache=MISS'], 'unexpected: 200, but the header X-Cache does not match MISS'],
    [['response_headers.X-Other=.'], 'unexpected: 200, but there is no header X-Other'],
    [['body_limit=4B', 'body_matches=up'], 'unexpected: 200, but the body does not match up'],
  ];
  for (const [words, expected] of rows) assert.equal(said(await check('http', `127.0.0.1:${port}`, words)), expected);
});

test('failures are told apart', async () => {
  const silent = await talker(() => undefined);
  const dripping = await web((_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('x');
  });
  const hanging = await talker((socket) => socket.destroy());
  const babbling = await talker((socket) => socket.end('220 mail.example ESMTP\r\n'));
  const slow = { timeoutMs: 250 };
  const rows: [() => Promise<ProbeResult>, RegExp][] = [
    [() => check('http', 'http://127.0.0.1:1/'), /^refused: connection refused$/],
    [() => check('http', `http://127.0.0.1:${silent}/`, [], slow), /^timeout: no answer within 250 ms$/],
    [() => check('http', `http://127.0.0.1:${dripping}/`, [], slow), /^slow: 1 bytes of the body within 250 ms/],
    [() => check('http', `http://127.0.0.1:${hanging}/`), /^closed: /],
    [() => check('http', `https://127.0.0.1:${babbling}/`), /^tls_failed: /],
    [() => check('http', 'http://nothing.invalid./', [], slow), /^unresolved: /],
    [() => check('tcp', '127.0.0.1:1'), /^refused: connection refused$/],
    [() => check('tcp', `127.0.0.1:${silent}`, ['dialogue=[{expect: hello}]'], slow), /^timeout: /],
    [() => check('tcp', `127.0.0.1:${babbling}`, ['dialogue=[{expect: "^550 "}]']), /^unexpected: .*\^550 /],
    [() => check('tcp', `127.0.0.1:${hanging}`, ['dialogue=[{expect: hello}]']), /^closed: /],
    [() => check('icmp', '127.0.0.1', [], { allows: () => false }), /^(?:not_allowed|not_sent): /],
    [() => check('tcp', '127.0.0.1:1', [], { allows: () => false }), /^not_allowed: 127.0.0.1 is in none/],
    [
      () => check('http', 'http://localhost:1/', [], { allows: (address: string) => address === '192.0.2.1' }),
      /^not_allowed/,
    ],
    [() => check('dns', '127.0.0.1:1', [], slow), /^refused: 127\.0\.0\.1#1 over UDP refused/],
  ];
  for (const [result, expected] of rows) assert.match(said(await result()), expected);
});

test('tcp: what is said step by step', async () => {
  const heard: string[] = [];
  const port = await talker((socket) => {
    socket.write('220 mail.example ESMTP\r\n');
    socket.on('data', (chunk) => {
      heard.push(chunk.toString());
      socket.write('221 bye\r\n');
    });
  });
  const result = await check('tcp', `127.0.0.1:${port}`, [
    'dialogue=[{expect: "^220 .* ESMTP"}, {send: "QUIT\\\\r\\\\n"}, {expect: "^221"}]',
  ]);
  assert.equal(said(result), 'ok: as expected');
  assert.deepEqual(heard, ['QUIT\r\n']);
  const plain = await check('tcp', `127.0.0.1:${port}`);
  assert.equal(plain.ms, plain.phases.connect, 'connecting is what is measured');
});

test('settings: wrong ones are said with what there is', async () => {
  const wrong = (type: string, ...words: string[]) => check(type, '127.0.0.1:1', words);
  await assert.rejects(wrong('http', 'nothing=1'), /probe http has method, headers/);
  await assert.rejects(wrong('http', 'status=999'), /status\.0 of probe http takes 200 or 2xx/);
  await assert.rejects(wrong('tcp', 'dialogue=[{expect: "("}]'), /takes a regular expression \(RE2\)/);
  await assert.rejects(wrong('icmp', 'loss=7'), /takes a share such as 20%/);
  await assert.rejects(check('ftp', 'x'), /There are http, tcp, icmp, dns/);
  await assert.rejects(check('http', 'ftp://x/'), /is no address to check/);
  await assert.rejects(check('http', 'http://me:pass@x/'), /holds no password/);
  await assert.rejects(check('tcp', '::1:80'), /IPv6 address in brackets/);
});
