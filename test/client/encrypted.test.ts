import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { Connections } from '../../src/client/connections.ts';
import { exchange, type ExchangeOptions } from '../../src/client/exchange.ts';
import { decodeMessage } from '../../src/rr/encode.ts';
import { address, answerTo, framed, httpsServer, pem, tcpServer, tlsServer } from './servers.ts';

const question = { name: 'www.example.com', type: 'A' };
const www = address('www.example.com');
const trusted = { ca: pem('ca.pem') };
const options = (server: ExchangeOptions['server'], more: Partial<ExchangeOptions> = {}): ExchangeOptions => ({
  server: { ...server, name: 'dns.test' },
  transport: 'tls',
  timeoutMs: 2000,
  tries: 1,
  tls: trusted,
  ...more,
});

test('DoT: checked by name and by address, with the parts of the time', async (t) => {
  const server = await tlsServer(t, 'server.pem', (query, socket) =>
    socket.write(framed(answerTo(query, { answers: [www] }))),
  );
  const result = await exchange(question, options(server));
  assert.equal(result.outcome, 'answered', result.sentence);
  const [{ connectMs = 0, tlsMs = 0, ms }] = result.attempts;
  assert.ok(connectMs > 0 && tlsMs > 0 && ms >= connectMs + tlsMs);
  assert.equal((await exchange(question, { ...options(server), server })).outcome, 'answered', 'by its address');
});

test('DoT: expired, another name, an unknown authority, another key', async (t) => {
  const answer = (query: Buffer, socket: { write(bytes: Buffer): unknown }) =>
    socket.write(framed(answerTo(query, { answers: [www] })));
  const expired = await tlsServer(t, 'expired.pem', answer);
  const server = await tlsServer(t, 'server.pem', answer);
  const cases: [ExchangeOptions, RegExp][] = [
    [options(expired), /certificate that cannot be trusted: it has expired\.$/],
    [options(server, { server: { ...server, name: 'other.test' } }), /it is for another name \(.*DNS:dns\.test/],
    [options(server, { tls: {} }), /no known authority signed it|unknown authority|signed by itself/],
    [options(server, { tls: { ...trusted, pin: 'AAAA' } }), /its key is not the pinned one/],
  ];
  for (const [how, sentence] of cases) {
    const result = await exchange(question, how);
    assert.equal(result.outcome, 'certificate', result.sentence);
    assert.match(result.sentence, sentence);
    assert.equal(result.attempts.length, 1);
  }
  const opportunistic = await exchange(question, options(expired, { tls: { verify: false } }));
  assert.equal(opportunistic.outcome, 'answered');
  const key = new X509Certificate(pem('server.pem')).publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(key).digest('base64');
  assert.equal((await exchange(question, options(server, { tls: { pin } }))).outcome, 'answered', 'the key is enough');
});

test('DoT to a server that speaks none', async (t) => {
  const plain = await tcpServer(t, () => undefined);
  const silent = await exchange(question, options(plain, { timeoutMs: 200 }));
  assert.ok(['timeout', 'tls_failed'].includes(silent.outcome), silent.outcome);
  const other = await tcpServer(t, () => undefined);
  const nobody = await exchange(question, options({ ...other, port: 9 }));
  assert.equal(nobody.outcome, 'refused');
});

test('DoH: POST and GET over HTTP/2, one session for many questions', async (t) => {
  const seen: Record<string, unknown>[] = [];
  const sessions = new Set<unknown>();
  const server = await httpsServer(t, (stream, headers, body) => {
    seen.push(headers);
    sessions.add(stream.session);
    const path = String(headers[':path']);
    const query = headers[':method'] === 'GET' ? Buffer.from(path.split('dns=')[1], 'base64url') : body;
    assert.equal(decodeMessage(query).id, 0, 'the same question is the same request');
    stream.respond({ ':status': 200, 'content-type': 'application/dns-message' });
    stream.end(Buffer.from(answerTo(query, { answers: [www] })));
  });
  const connections = new Connections();
  const how = options(server, { transport: 'https', connections });
  const posted = await exchange(question, how);
  assert.equal(posted.outcome, 'answered', posted.sentence);
  assert.equal(posted.response?.answers[0].data, '192.0.2.7');
  assert.equal((await exchange(question, { ...how, httpGet: true })).outcome, 'answered');
  assert.deepEqual(
    seen.map((headers) => [headers[':method'], String(headers[':path']).split('?')[0], headers['accept']]),
    [
      ['POST', '/dns-query', 'application/dns-message'],
      ['GET', '/dns-query', 'application/dns-message'],
    ],
  );
  assert.equal(String(seen[0][':authority']), `dns.test:${server.port}`);
  await Promise.all(Array.from({ length: 10 }, () => exchange(question, how)));
  assert.equal(sessions.size, 1);
  connections.close();
});

test('DoH: pages that are no DNS answers, and a server without HTTP/2', async (t) => {
  const server = await httpsServer(t, (stream, headers) => {
    const path = String(headers[':path']);
    if (path === '/missing') stream.respond({ ':status': 404 }, { endStream: true });
    else if (path === '/page') {
      stream.respond({ ':status': 200, 'content-type': 'text/html' });
      stream.end('<html>');
    } else if (path === '/garbage') {
      stream.respond({ ':status': 200, 'content-type': 'application/dns-message' });
      stream.end('no message at all');
    } else if (path === '/huge') {
      stream.respond({ ':status': 200, 'content-type': 'application/dns-message' });
      stream.end(Buffer.alloc(70_000));
    } else stream.respond({ ':status': 200, 'content-type': 'application/dns-message' });
  });
  const ask = (path: string) =>
    exchange(
      question,
      options({ ...server }, { transport: 'https', timeoutMs: 300, server: { ...server, name: 'dns.test', path } }),
    );
  const missing = await ask('/missing');
  assert.equal(missing.outcome, 'http_failed');
  assert.match(missing.sentence, /speaks HTTP but gave no DNS answer: status 404\.$/);
  assert.match((await ask('/page')).sentence, /it sent text\/html/);
  assert.equal((await ask('/garbage')).outcome, 'garbage');
  assert.equal((await ask('/huge')).outcome, 'garbage');
  assert.equal((await ask('/silent')).outcome, 'timeout');

  const dot = await tlsServer(t, 'server.pem', () => undefined);
  const noHttp = await exchange(question, options(dot, { transport: 'https' }));
  assert.ok(['http_failed', 'tls_failed'].includes(noHttp.outcome), noHttp.sentence);
});
