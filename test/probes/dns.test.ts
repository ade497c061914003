import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { probeOf, probeSettings } from '../../src/app/probe-settings.ts';
import { isOwnTraffic } from '../../src/client/own-traffic.ts';
import type { ProbeResult } from '../../src/core/probe.ts';
import { HostResolver } from '../../src/probes/resolve.ts';
import { Runner } from '../../src/probes/runner.ts';
import { decodeMessage, encodeMessage } from '../../src/rr/encode.ts';

interface Zone {
  rcode?: string;
  flags?: string[];
  answers?: { name: string; type: string; ttl: number; data: string }[];
}
const a = (name: string, data: string, ttl = 300) => ({ name, type: 'A', ttl, data });

/** A server that answers from a table; what is not there does not exist. */
const server = createSocket('udp4');
const zones = new Map<string, Zone>();
const askedFrom: number[] = [];
let dnsPort = 0;
let runner: Runner;
const listener = createServer((socket) => socket.on('error', () => undefined).end());
let openPort = 0;

before(async () => {
  server.on('message', (bytes, from) => {
    askedFrom.push(from.port);
    const { id, questions } = decodeMessage(bytes);
    const [{ name, type, class: of }] = questions;
    const zone = zones.get(`${name.toLowerCase()} ${type}`) ?? { rcode: 'NXDOMAIN' };
    const answers = (zone.answers ?? []).map((record) => ({ ...record, class: of }));
    const flags = ['qr', 'rd', 'ra', ...(zone.flags ?? [])];
    const reply = encodeMessage({ id, flags, rcode: zone.rcode ?? 'NOERROR', questions, answers });
    server.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  dnsPort = server.address().port;
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  openPort = (listener.address() as AddressInfo).port;
  runner = new Runner('0.0.0', new HostResolver([{ address: '127.0.0.1', port: dnsPort }]));
  zones.set('www.example.test A', { flags: ['ad'], answers: [a('www.example.test', '127.0.0.1')] });
  zones.set('example.test SOA', {
    answers: [{ name: 'example.test', type: 'SOA', ttl: 60, data: 'ns.example.test. root.example.test. 7 1 2 3 4' }],
  });
  const srv = (data: string, name = '_x._tcp.example.test') => ({ name, type: 'SRV', ttl: 60, data });
  zones.set('_x._tcp.example.test SRV', {
    answers: [srv(`10 5 ${openPort} www.example.test.`), srv('20 5 1 www.example.test.')],
  });
  zones.set('_bad._tcp.example.test SRV', {
    answers: [
      srv('10 5 1 www.example.test.', '_bad._tcp.example.test'),
      srv(`20 5 ${openPort} www.example.test.`, '_bad._tcp.example.test'),
    ],
  });
  zones.set('_no._tcp.example.test SRV', { answers: [srv('0 0 0 .', '_no._tcp.example.test')] });
});
after(async () => {
  await runner.close();
  server.close();
  listener.close();
});

async function check(type: string, target: string, words: string[] = []): Promise<ProbeResult> {
  const definition = probeOf(type);
  const settings = await probeSettings(definition, words);
  const { signal } = new AbortController();
  return runner.check(definition, definition.read(target), { settings, timeoutMs: 1000, signal });
}
const said = ({ outcome, text }: ProbeResult) => `${outcome}: ${text}`;

test('dns: what an answer has to be', async () => {
  const ask = (...words: string[]) =>
    check('dns', `127.0.0.1:${dnsPort}`, ['query_name=www.example.test', 'query_type=A', ...words]);
  const rows: [string[], string][] = [
    [[], 'ok: NOERROR 1 answer'],
    [['authenticated=true', 'flags=ra'], 'ok: NOERROR 1 answer'],
    [['flags=aa'], 'unexpected: the flag aa is not set'],
    [['lacks_flags=ad'], 'unexpected: the flag ad is set'],
    [['rcode=REFUSED'], 'unexpected: NOERROR, not REFUSED'],
    [['answers_match= A 127\\.0\\.0\\.1$'], 'ok: NOERROR 1 answer'],
    [['answers_match=192\\.0\\.2'], 'unexpected: no record matches 192\\.0\\.2'],
    [['answers_lack=127'], 'unexpected: a record matches 127'],
    [['answers_least=2'], 'unexpected: 1 records, fewer than 2'],
    [['ttl_least=10m'], 'unexpected: a TTL of 300 s, shorter than 600 s'],
    [['ttl_most=1m'], 'unexpected: a TTL of 300 s, longer than 60 s'],
    [['size_most=20'], 'unexpected: 50 bytes, more than 20'],
  ];
  for (const [words, expected] of rows) assert.equal(said(await ask(...words)), expected);
  const soa = (...words: string[]) =>
    check('dns', `127.0.0.1:${dnsPort}`, ['query_name=example.test', 'query_type=SOA', ...words]);
  assert.equal(said(await soa('serial_least=7')), 'ok: NOERROR 1 answer');
  assert.equal(said(await soa('serial_least=8')), 'unexpected: serial 7, older than 8');
  assert.equal(said(await soa('serial_least=4294967295')), 'ok: NOERROR 1 answer', 'serials are a circle');
});

test('what checks ask is known to be of nametap', async () => {
  await check('dns', `127.0.0.1:${dnsPort}`, ['query_name=www.example.test', 'query_type=A']);
  const port = askedFrom.at(-1) ?? 0;
  assert.equal(isOwnTraffic('udp', '127.0.0.1', port, Date.now()), true);
  assert.equal(isOwnTraffic('udp', '127.0.0.2', port, Date.now()), false);
  assert.equal(isOwnTraffic('tcp', '127.0.0.1', port, Date.now()), false);
  assert.equal(isOwnTraffic('udp', '127.0.0.1', port, Date.now() + 60_000), false);
});

test('names of targets are asked for at the name servers', async () => {
  const result = await check('tcp', `www.example.test:${openPort}`);
  assert.equal(said(result), 'ok: connected');
  assert.equal(result.address, '127.0.0.1');
  assert.ok((result.phases.resolve ?? 0) > 0);
  assert.equal(said(await check('tcp', 'gone.example.test:80')), 'unresolved: gone.example.test does not exist');
  assert.equal(
    said(await check('tcp', `www.example.test:${openPort}`, ['family=ipv6'])),
    'unresolved: www.example.test does not exist',
  );
});

test('srv: the best, any or all of the targets', async () => {
  const ask = (name: string, ...words: string[]) => check('srv', name, words);
  assert.equal(said(await ask('_x._tcp.example.test')), 'ok: 1 of 2 targets reached');
  assert.equal(
    said(await ask('_x._tcp.example.test', 'reach=all')),
    'refused: 1 of 2 targets reached; www.example.test: connection refused',
  );
  assert.match(said(await ask('_bad._tcp.example.test')), /^refused: 1 of 2/);
  assert.equal(said(await ask('_bad._tcp.example.test', 'reach=any')), 'ok: 1 of 2 targets reached');
  assert.match(said(await ask('_no._tcp.example.test')), /^unresolved: /);
  assert.match(said(await ask('_none._tcp.example.test')), /^unresolved: /);
});

test('trace: what answers as a root answers', async () => {
  const words = ['root=127.0.0.1', `port=${dnsPort}`, 'dnssec=off'];
  zones.set('test NS', {});
  zones.set('example.test NS', {});
  zones.set('test A', {});
  zones.set('example.test A', {});
  const result = await check('trace', 'www.example.test', words);
  assert.notEqual(result.outcome, 'not_sent', result.text);
  assert.ok(Number(result.facts.queries) >= 1);
  assert.ok(result.ms !== null);
});
