/** Whatever servers say, nothing of it steers the terminal or breaks the format it is printed in. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { decodeMessage, encodeMessage } from '../../src/rr/encode.ts';
import { address, answerTo, framed, httpsServer, tcpServer, udpServer } from '../client/servers.ts';
import { folder, type Ran, started } from './nametap.ts';

const run = (...words: string[]): Promise<Ran> => started(words).ended;

/** Control characters but line ends and tabs, bidirectional and other invisible ones. */
const STEERING = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]/u;
const EVIL = '\x1b]0;owned\x07\x9b31m\u202e\u2028';
const OCTETS = [...Buffer.from(EVIL)].map((octet) => `\\${String(octet).padStart(3, '0')}`).join('');

function isClean({ out, err }: Ran, what: string): void {
  assert.doesNotMatch(out, STEERING, what);
  assert.doesNotMatch(err, STEERING, what);
  assert.ok(out.length + err.length > 0, what);
}

async function evilServer(t: TestContext, data = `"${OCTETS}"`): Promise<string> {
  const { port } = await udpServer(t, (query, reply) => {
    const { id, questions } = decodeMessage(query);
    const [{ name, type }] = questions;
    const owner = `${OCTETS}.test`;
    const answers =
      type === 'TXT' ? [{ name, type, ttl: 1, data }] : [{ name, type: 'CNAME', ttl: 1, data: owner }, address(owner)];
    // Extended DNS error with text (RFC 8914).
    const ede = Buffer.concat([Buffer.from([0, 15]), Buffer.from(EVIL)]);
    const options = [{ code: 15, name: 'EDE', data: `\\# ${ede.length} ${ede.toString('hex')}` }];
    const edns = { udp_size: 1232, version: 0, do: false, options };
    reply(encodeMessage({ id, flags: ['qr', 'aa', 'ra'], questions, answers, edns }));
  });
  return `127.0.0.1:${port}`;
}

test('query, compare and trace: names, texts and reasons of servers', async (t) => {
  const at = await evilServer(t);
  const other = await evilServer(t, '"other"');
  for (const format of ['pretty', 'dig', 'short', 'json', 'dns-json', 'yaml']) {
    isClean(await run('query', `@${at}`, 'a.test', 'TXT', '-T', format), format);
    isClean(await run('query', `@${at}`, 'a.test', 'A', '-T', format), format);
  }
  for (const format of ['text', 'json'])
    isClean(await run('compare', `@${at}`, `@${other}`, 'a.test', 'TXT', '-T', format), format);
  const port = at.split(':')[1];
  for (const format of ['tree', 'json'])
    isClean(
      await run('trace', 'a.test', 'TXT', '--root', '127.0.0.1', '-p', port, '--no-dnssec', '-T', format),
      format,
    );
  isClean(await run('discover', `@${at}`, '_sip._tcp.a.test'), 'discover');
  isClean(
    await run('probe', 'dns', at, '-o', 'query_type=TXT', '-o', 'query_name=a.test', '-o', 'answers_match=x'),
    'probe',
  );
});

test('query: what is quoted of HTTP headers', async (t) => {
  const { port } = await httpsServer(t, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/\u009b31m' });
    stream.end('x');
  });
  for (const format of ['pretty', 'dig', 'json', 'dns-json', 'yaml']) {
    const ran = await run('query', `@https://127.0.0.1:${port}/`, 'a.test', '+notls-verify', '-T', format);
    assert.equal(ran.code, 9);
    isClean(ran, format);
  }
});

test('probe: what is quoted of a body, as text, JSON and JUnit', async (t) => {
  const body = JSON.stringify({ status: `${EVIL}]]></failure>` });
  const server = createServer((socket) =>
    socket
      .on('error', () => undefined)
      .once('data', () => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (const format of ['text', 'json', 'junit']) {
    const ran = await run('probe', 'http', url, '-o', 'json.status=up', '-T', format);
    assert.equal(ran.code, 1);
    isClean(ran, format);
    if (format === 'json') for (const line of ran.out.trimEnd().split('\n')) JSON.parse(line);
  }
});

test('files of words: read as they come, a line without an end is told', async (t) => {
  const { port } = await tcpServer(t, (query, socket) => socket.write(framed(answerTo(query))));
  const path = join(folder(), 'endless.txt');
  writeFileSync(path, `a.test\nb.test\n${'x'.repeat(200_000)}`);
  const words = [`@tcp://127.0.0.1:${port}`, '+short'];
  const query = await run('query', ...words, '-f', path);
  assert.equal(query.code, 8);
  assert.match(query.err, /endless\.txt, line 3 is longer than 65536 characters/);
  const compare = await run('compare', words[0], `@tcp://127.0.0.1:${port}`, '-f', path);
  assert.equal(compare.code, 3);
  const probe = await run('probe', 'tcp', '-f', path);
  assert.equal(probe.code, 2);
  // What stands before comes at once, however long the rest takes.
  const child = started(['query', ...words, '-f', '-', '+dig']);
  child.child.stdin.write('first.test\n');
  await child.until('first.test');
  child.child.stdin.end();
  assert.equal((await child.ended).code, 0);
});
