/** Servers and targets that mean harm: what they get is a failure that is told, in bounded time and memory. */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, test, type TestContext } from 'node:test';
import { probeOf, probeSettings } from '../../src/app/probe-settings.ts';
import { leadsInside } from '../../src/probes/redirect.ts';
import { type CheckOptions, Runner } from '../../src/probes/runner.ts';

const runner = new Runner('0.0.0');
after(() => runner.close());

async function check(type: string, target: string, more: Partial<CheckOptions> = {}) {
  const definition = probeOf(type);
  const settings = await probeSettings(definition, []);
  const options = { settings, timeoutMs: 1000, signal: new AbortController().signal, ...more };
  return runner.check(definition, definition.read(target), options);
}

/** A server on the loopback that does this once it has heard something. */
async function serving(t: TestContext, reply: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => reply(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const OK = 'HTTP/1.1 200 OK\r\n';

test('what is no HTTP is an answer that is wrong, not a check that could not be made', async (t) => {
  for (const [reply, expected] of [
    ['SSH-2.0-OpenSSH_9\r\n', /^garbage: no HTTP: /],
    [`${OK}X: ${'a'.repeat(100_000)}\r\n\r\n`, /^garbage: no HTTP: Header overflow/],
    [`${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, /^garbage: no HTTP: /],
    ['HTTP/1.1 101 So\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', /^garbage: it changed to a protocol/],
    ['', /^closed: it closed the connection without an answer/],
    [`${OK}Content-Length: 10\r\n\r\nabc`, /^closed: /],
  ] as const) {
    const port = await serving(t, (socket) => socket.end(reply));
    const { outcome, text } = await check('http', `http://127.0.0.1:${port}/`);
    assert.match(`${outcome}: ${text}`, expected);
  }
});

test('headers and bodies that drip, or never end, end with the time there is', async (t) => {
  const every = (write: (socket: Socket) => void) => (socket: Socket) => {
    const timer = setInterval(() => write(socket), 10);
    socket.on('close', () => clearInterval(timer));
  };
  for (const [reply, expected] of [
    [every((socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n')), /^timeout: /],
    [
      (socket: Socket) => {
        socket.write(`${OK}\r\n`);
        every((one) => one.write('x'))(socket);
      },
      /^slow: \d+ bytes of the body within 300 ms/,
    ],
  ] as const) {
    const port = await serving(t, reply);
    const began = performance.now();
    const { outcome, text } = await check('http', `http://127.0.0.1:${port}/`, { timeoutMs: 300 });
    assert.match(`${outcome}: ${text}`, expected);
    assert.ok(performance.now() - began < 5000);
  }
});

test('a name that begins like an address is no address, and is resolved by nobody', async () => {
  const asked: string[] = [];
  const allows = (address: string): boolean => asked.push(address) > 0;
  for (const [type, target] of [
    ['tcp', '10.0.0.1%.evil.example:22'],
    ['tcp', '10.0.0.1%eth0:22'],
    ['dns', '10.0.0.1%.evil.example'],
    ['dns', 'tcp://10.0.0.1%.evil.example:53'],
  ] as const) {
    const { outcome, text } = await check(type, target, { allows });
    assert.equal(outcome, 'unresolved', `${target}: ${text}`);
  }
  assert.deepEqual(asked, []);
  assert.throws(() => probeOf('icmp').read('10.0.0.1%.evil.example'), /is no host to ping/);
});

test('a redirect leads no further in than where it comes from', async (t) => {
  for (const [from, to, expected] of [
    ['198.41.0.4', '169.254.169.254', true],
    ['198.41.0.4', '10.0.0.1', true],
    ['198.41.0.4', '::1', true],
    ['2620:fe::fe', '::ffff:127.0.0.1', true],
    ['2620:fe::fe', '64:ff9b::7f00:1', true],
    ['2620:fe::fe', 'fd00:ec2::254', true],
    ['2620:fe::fe', '64:ff9b:1::a00:1', true],
    ['2620:fe::fe', '2002:a00:1::', true],
    ['10.0.0.1', '169.254.169.254', true],
    ['10.0.0.1', '127.0.0.1', true],
    ['10.0.0.1', '0.0.0.0', true],
    ['10.0.0.1', '192.168.7.7', false],
    ['10.0.0.1', '198.41.0.4', false],
    ['127.0.0.1', '127.0.0.2', false],
  ] as const)
    assert.equal(leadsInside(from, to), expected, `${from} → ${to}`);
  const port = await serving(t, (socket) =>
    socket.end('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.9/\r\nContent-Length: 0\r\n\r\n'),
  );
  const asked: string[] = [];
  const mayFollow = (from: string, to: string): boolean => asked.push(`${from} → ${to}`) < 0;
  const { outcome, text } = await check('http', `http://127.0.0.1:${port}/`, { mayFollow });
  assert.equal(`${outcome}: ${text}`, 'not_allowed: the redirect leads inside, to 127.0.0.9 (probes.allow)');
  assert.deepEqual(asked, ['127.0.0.1 → 127.0.0.9']);
});

test('a body nested a hundred thousand times deep is an answer that is wrong', async (t) => {
  const body = `{"status":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const port = await serving(t, (socket) => socket.end(`${OK}Content-Length: ${body.length}\r\n\r\n${body}`));
  const settings = await probeSettings(probeOf('http'), ['json.status=up']);
  const { outcome, text } = await check('http', `http://127.0.0.1:${port}/`, { settings });
  assert.equal(outcome, 'unexpected', text);
  assert.ok(text.length < 1200);
});
