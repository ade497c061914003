import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { unsealInitial } from '../../src/app/quic.ts';
import { runRows } from '../../src/app/run.ts';
import { addressText } from '../../src/core/address.ts';
import { UDP } from '../../src/core/carrier.ts';
import type { EncryptedFlow } from '../../src/core/encrypted-flow.ts';
import { readClientHello } from '../../src/net/client-hello.ts';
import { cryptoPieces, readInitial } from '../../src/net/quic-initial.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { ethernet, ipv4, ipv6, tcp, udp } from '../net/build.ts';
import { cryptoFrame, initialPacket, RFC_HELLO } from '../net/quic.ts';
import { corpus, hasCorpus } from '../sources/corpus.ts';
import { pcap, type Record } from '../sources/containers.ts';
import { putFile, temporaryFolder } from '../sources/frames.ts';

const signal = new AbortController().signal;

/** What a real TLS client sends first. */
function firstRecord(servername: string, ALPNProtocols: string[]): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read: () => undefined,
      write: (chunk: Uint8Array) => resolve(Uint8Array.from(chunk)),
    });
    connect({ socket, servername, ALPNProtocols }).on('error', () => undefined);
  });
}

/** Flows of a capture, as text, with how many rows had come before each. */
async function flowsOf(path: string, threads: number): Promise<string[]> {
  const seen: string[] = [];
  let rows = 0;
  const tell = ({ kind, family, client, server, serverPort, serverName, alpn }: EncryptedFlow) => {
    const ends = `${addressText(family, ...client)} ${addressText(family, ...server)} ${serverPort}`;
    seen.push(`${rows}: ${kind} ${ends} ${serverName ?? '-'} ${alpn?.join(',') ?? '-'}`);
  };
  const input = { kind: 'files' as const, paths: [path] };
  await runRows(
    { input, threads, encrypted: true, dissect: { heuristic: true } },
    { signal, encrypted: tell },
    (_, from, to) => {
      rows += to - from;
    },
  );
  return seen;
}

const client = (n: number) => [10, 0, 0, n];
const web = [203, 0, 113, 80];
const over = (protocol: number, payload: readonly number[], from: number[], to: number[]) =>
  ethernet(0x800, ipv4(protocol, payload, { from, to }));

test('a real ClientHello is read, whole, in part and cut', async () => {
  const record = await firstRecord('dns.google', ['h2', 'http/1.1']);
  const hello = readClientHello(record, 5, record.length);
  assert.deepEqual(hello, { isWhole: true, serverName: 'dns.google', alpn: ['h2', 'http/1.1'] });
  for (let end = 0; end < record.length; end++) {
    assert.notEqual(readClientHello(record, 5, end)?.isWhole, true, `${end} octets`);
  }
  assert.equal(readClientHello(Uint8Array.of(2, 0, 0, 0), 0, 4), null);
});

test('the Initial packet of RFC 9001, Appendix A.2, opens', () => {
  const packet = initialPacket(cryptoFrame(RFC_HELLO, 0));
  // As the appendix prints it: what is checked here was not made here.
  const printed = 'c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b';
  assert.equal(Buffer.from(packet).toString('hex', 0, printed.length / 2), printed);
  const place = readInitial(packet, 0, packet.length);
  assert.ok(place !== null);
  const frames = unsealInitial(packet, place);
  assert.ok(frames !== null);
  const pieces: number[] = [];
  cryptoPieces(frames, (bytes, at, length, offset) => {
    pieces.push(offset, length);
    assert.deepEqual(readClientHello(bytes, at, at + length), {
      isWhole: true,
      serverName: 'example.com',
      alpn: ['alpn'],
    });
  });
  assert.deepEqual(pieces, [0, RFC_HELLO.length]);
  packet[60] ^= 1;
  assert.equal(unsealInitial(packet, place), null, 'a forged one does not');
  for (let end = 0; end < packet.length; end++) assert.equal(readInitial(packet, 0, end), null);
});

test('who speaks encrypted DNS is told of: by port, SNI, ALPN and address; the same with 0, 1 and 2 workers', async (t) => {
  const known = [...(await firstRecord('dns.google', ['h2']))];
  const shop = [...(await firstRecord('www.shop.example', ['h2']))];
  const dot = [...(await firstRecord('resolver.own.example', ['dot']))];
  const half = known.length >> 1;
  const quic = [...initialPacket(cryptoFrame(RFC_HELLO.subarray(100), 100), 0)];
  const rest = [...initialPacket(cryptoFrame(RFC_HELLO.subarray(0, 100), 0), 1)];
  const query = [...encodeMessage({ id: 7, flags: ['rd'], questions: [{ name: 'a.example', type: 'A' }] })];
  const answer = [...encodeMessage({ id: 7, flags: ['qr', 'rd'], questions: [{ name: 'a.example', type: 'A' }] })];
  const asked = (n: number) => over(UDP, udp(query, 4000 + n), client(n), [10, 0, 0, 53]);
  const said = (n: number) => over(UDP, udp(answer, 53, 4000 + n), [10, 0, 0, 53], client(n));
  const frames = [
    asked(1),
    // The name stands in two segments; an address that nobody knows.
    over(6, tcp(known.slice(0, half), 100, 0x18, 4001, 443), client(1), web),
    said(1),
    over(6, tcp(known.slice(half), 100 + half, 0x18, 4001, 443), client(1), web),
    // A shop is nobody's business; neither is its connection set-up, nor a scan of ports.
    over(6, tcp(shop, 100, 0x18, 4002, 443), client(2), web),
    over(6, tcp([], 100, 2, 4002, 853), client(2), web),
    asked(2),
    over(6, tcp(dot, 100, 0x18, 4003, 8443 - 8000), client(3), web),
    // Begun before the capture: by the port, and by the address.
    over(6, tcp([23, 3, 3, 0, 1, 0], 900, 0x18, 853, 4004), web, client(4)),
    over(6, tcp([23, 3, 3, 0, 1, 0], 900, 0x18, 4005, 443), client(5), [1, 1, 1, 1]),
    over(6, tcp([23, 3, 3, 0, 1, 0], 906, 0x18, 4005, 443), client(5), [1, 1, 1, 1]),
    said(2),
    // A first message in two packets of QUIC, the second part first.
    ethernet(0x86dd, ipv6(UDP, udp(quic, 4006, 853))),
    ethernet(0x86dd, ipv6(UDP, udp(rest, 4006, 853))),
    over(UDP, udp([0x72, 0x36, 0x66, 0x6e, 0x76, 0x57, 0x6a, 0x38, ...shop.slice(0, 60)], 5443, 4007), web, client(7)),
  ];
  const records: Record[] = frames.map((data, i) => ({
    seconds: 1_700_000_000,
    fraction: 10_000 * i,
    data: Uint8Array.from(data),
  }));
  const path = putFile(temporaryFolder(t), 'encrypted.pcap', pcap(records));
  const seen = await flowsOf(path, 0);
  assert.deepEqual(seen, [
    '1: doh 10.0.0.1 203.0.113.80 443 dns.google h2',
    '1: dot 10.0.0.3 203.0.113.80 443 resolver.own.example dot',
    '1: dot 10.0.0.4 203.0.113.80 853 - -',
    '1: doh 10.0.0.5 1.1.1.1 443 - -',
    '2: doq 2001:db8::7 2001:db8::53 853 example.com alpn',
    '2: dnscrypt 10.0.0.7 203.0.113.80 5443 - -',
  ]);
  for (const threads of [1, 2]) assert.deepEqual(await flowsOf(path, threads), seen, `${threads} workers`);
});

test('a scan of many clients takes no more room than a second allows; what is left out is counted', async (t) => {
  const record: Record[] = Array.from({ length: 5000 }, (_, i) => ({
    seconds: 1_700_000_000 + Math.floor(i / 4999),
    fraction: i,
    data: Uint8Array.from(over(UDP, udp([1, 2, 3, 4, 5, 6, 7, 8], 4000, 853), [10, 1, i >> 8, i & 255], web)),
  }));
  const path = putFile(temporaryFolder(t), 'scan.pcap', pcap(record));
  let flows = 0;
  let missed = 0;
  const encrypted = (flow: EncryptedFlow) => {
    flows++;
    missed += flow.missed ?? 0;
  };
  const input = { kind: 'files' as const, paths: [path] };
  await runRows({ input, threads: 0, encrypted: true }, { signal, encrypted }, () => {});
  assert.deepEqual([flows, missed], [1001, 3999]);
});

test('real captures of DoH, DoT, DoQ and DNSCrypt', async () => {
  if (!hasCorpus()) return;
  const inFile = async (name: string) =>
    (await flowsOf(`${corpus.pathname}encrypted/${name}`, 0)).map((text) => text.replace(/^\d+: /, ''));
  assert.deepEqual(await inFile('ndpi--dns_doh.pcap'), [
    'doh 172.20.10.4 104.16.248.249 443 mozilla.cloudflare-dns.com h2,http/1.1',
  ]);
  assert.deepEqual(await inFile('ndpi--dns_dot.pcap'), ['dot 192.168.1.185 8.8.8.8 853 - -']);
  assert.deepEqual(await inFile('zeek--quicdoq.pcap'), ['doq 127.0.0.1 127.0.0.1 853 - doq']);
  assert.equal((await inFile('ndpi--dnscrypt-v1-and-resolver-pings.pcap')).length, 4);
  assert.deepEqual(await inFile('ndpi--simple-dnscrypt.pcap'), [], 'a web site about it is none');
});

test('whatever a first message or packet holds, nothing is thrown and nothing is believed beyond its end', async () => {
  const record = await firstRecord('dns.google', ['h2']);
  const packet = initialPacket(cryptoFrame(RFC_HELLO, 0));
  let seed = 1;
  const draw = (n: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % n;
  };
  let read = 0;
  for (let i = 0; i < 4000; i++) {
    const of = i % 2 === 0 ? record : packet;
    const bytes = Uint8Array.from(of);
    for (let k = 1 + draw(6); k > 0; k--) bytes[draw(k === 1 ? bytes.length : 60)] = draw(256);
    const end = draw(4) === 0 ? draw(bytes.length + 1) : bytes.length;
    const hello = readClientHello(bytes, 5, end);
    if (hello?.serverName !== undefined) assert.match(hello.serverName, /^[\x21-\x7e]{1,255}$/);
    const initial = readInitial(bytes, 0, end);
    if (initial === null) continue;
    read++;
    assert.ok(initial.end <= end && initial.idAt + initial.idLength <= end && initial.numberAt + 20 <= initial.end);
    unsealInitial(bytes, initial);
    cryptoPieces(bytes, (_, at, length) => assert.ok(at + length <= bytes.length));
  }
  assert.ok(read > 500);
});
