import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeFrame, type Frame, readFrames, writeFrames } from '../../src/library/pcap.ts';
import { encodeMessage } from '../../src/library/wire.ts';

const captures = fileURLToPath(new URL('../captures/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nametap-frames-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const query = encodeMessage({ id: 0x1234, flags: ['rd'], questions: [{ name: 'www.example.com', type: 'AAAA' }] });
const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const u16 = (n: number) => n.toString(16).padStart(4, '0');

const ETHERNET = '02000000000b 02000000000a';
const UDP = `c001 0035 ${u16(8 + query.length)} abcd`;
const ipv4 = (protocol: string, payload: number) =>
  `4a bb ${u16(40 + payload)} beef 4000 3f ${protocol} 5a5a c0000201 c6336402 ${'01'.repeat(20)}`;
const ipv6 = (next: string, payload: number) =>
  `6bb12345 ${u16(payload)} ${next} 3e 20010db8000000000000000000000001 20010db8000000000000000000000002`;
const frame = (...parts: (string | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? hex(part) : part)));

test('Ethernet, two VLAN tags, IPv4 with options, UDP and DNS are values', () => {
  const bytes = frame(ETHERNET, '88a8 a064 8100 1fff 0800', ipv4('11', 8 + query.length), UDP, query);
  const { source, destination, layers, fate } = decodeFrame(bytes);
  assert.deepEqual([source, destination, fate], ['192.0.2.1', '198.51.100.2', 'carried']);
  assert.deepEqual(layers.ethernet, {
    offset: 0,
    source: '02:00:00:00:00:0a',
    destination: '02:00:00:00:00:0b',
    etherType: 0x88a8,
  });
  assert.deepEqual(layers.vlan, [
    { offset: 14, id: 100, priority: 5, dropEligible: false, etherType: 0x8100 },
    { offset: 18, id: 4095, priority: 0, dropEligible: true, etherType: 0x0800 },
  ]);
  assert.deepEqual(layers.ipv4, {
    offset: 22,
    source: '192.0.2.1',
    destination: '198.51.100.2',
    ttl: 63,
    protocol: 17,
    id: 0xbeef,
    dscp: 46,
    ecn: 3,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    headerBytes: 40,
    totalBytes: 48 + query.length,
    checksum: 0x5a5a,
  });
  assert.deepEqual(layers.udp, {
    offset: 62,
    sourcePort: 0xc001,
    destinationPort: 53,
    lengthBytes: 8 + query.length,
    checksum: 0xabcd,
  });
  assert.equal(layers.dns.length, 1);
  assert.deepEqual(layers.dns[0].bytes, new Uint8Array(query));
  assert.equal(layers.dns[0].message.id, 0x1234);
  assert.deepEqual(layers.dns[0].message.questions, [{ name: 'www.example.com', type: 'AAAA', class: 'IN' }]);
  assert.equal(layers.dns[0].message, layers.dns[0].message, 'decoded once');
  assert.equal(layers.ipv6 ?? layers.tcp, undefined);
});

test('IPv6 and TCP are values, and the message in a segment is found', () => {
  const segment = frame('d431 0035 01020304 a0b0c0d0 5018 7fff 1111 0000', u16(query.length), query);
  const bytes = frame(ETHERNET, '86dd', ipv6('06', segment.length), segment);
  const { source, destination, layers } = decodeFrame(bytes);
  assert.deepEqual([source, destination], ['2001:db8::1', '2001:db8::2']);
  assert.deepEqual(layers.ipv6, {
    offset: 14,
    source: '2001:db8::1',
    destination: '2001:db8::2',
    hopLimit: 62,
    nextHeader: 6,
    dscp: 46,
    ecn: 3,
    flowLabel: 0x12345,
    payloadBytes: segment.length,
  });
  assert.deepEqual(layers.tcp, {
    offset: 54,
    sourcePort: 0xd431,
    destinationPort: 53,
    sequence: 0x01020304,
    acknowledgment: 0xa0b0c0d0,
    flags: ['psh', 'ack'],
    window: 0x7fff,
    headerBytes: 20,
    checksum: 0x1111,
  });
  assert.deepEqual(
    layers.dns.map(({ transport, message }) => [transport, message.id]),
    [['tcp', 0x1234]],
  );
});

test('every packet has its ends, DNS or not; what has none says why', () => {
  const ntp = frame(ETHERNET, '0800', ipv4('11', 8), 'c001 007b 0008 0000');
  const { source, destination, layers, fate } = decodeFrame(ntp);
  assert.deepEqual([source, destination, layers.udp?.destinationPort], ['192.0.2.1', '198.51.100.2', 123]);
  assert.deepEqual(layers.dns, []);
  assert.notEqual(fate, 'carried');
  const arp = decodeFrame(frame(ETHERNET, '0806', '00'.repeat(28)));
  assert.deepEqual([arp.source, arp.fate, arp.layers.ethernet?.etherType], [undefined, 'not_ip', 0x0806]);
  assert.equal(decodeFrame(hex('450000')).fate, 'malformed');
});

test('a frame cut anywhere gives the layers before the cut and never throws', () => {
  const whole = frame(ETHERNET, '8100 0064 0800', ipv4('11', 8 + query.length), UDP, query);
  for (let length = 0; length < whole.length; length++) {
    const { layers } = decodeFrame(whole.subarray(0, length));
    assert.equal(layers.ethernet !== undefined, length >= 14, `${length} bytes`);
    assert.equal(layers.udp !== undefined, length >= 66, `${length} bytes`);
    for (const { message } of layers.dns) assert.ok(message.fault !== undefined);
  }
});

test('files give frames with layers; written again they are the same', async () => {
  const names = ['lookups.pcapng', 'tcp-pipelined.pcap', 'fragments-ipv4.pcap', 'two-interfaces.pcapng', 'mdns.pcap'];
  for (const name of names) {
    const frames = await Array.fromAsync(readFrames(join(captures, name)));
    assert.ok(frames.length > 0, name);
    const copy = join(folder, `${name}.copy`);
    assert.equal(await writeFrames(copy, frames), frames.length);
    const again = await Array.fromAsync(readFrames(copy));
    assert.equal(again.length, frames.length);
    const content = ({ time, bytes, wireLength, link, source }: Frame) => ({ time, bytes, wireLength, link, source });
    assert.deepEqual(again.map(content), frames.map(content), name);
  }
});

test('messages of TCP streams and of fragments are joined over frames', async () => {
  const piped = await Array.fromAsync(readFrames(join(captures, 'tcp-pipelined.pcap')));
  const messages = piped.flatMap(({ layers }) => layers.dns);
  assert.equal(messages.length, 40);
  assert.ok(piped.some(({ layers }) => layers.dns.length > 1));
  for (const name of ['fragments-ipv4.pcap', 'fragments-ipv6.pcap']) {
    const frames = await Array.fromAsync(readFrames(join(captures, name)));
    const joined = frames.flatMap(({ layers }) => layers.dns);
    assert.ok(
      joined.some(({ bytes }) => bytes.length > 1400),
      name,
    );
    assert.ok(joined.every(({ message }) => message.fault === undefined));
  }
});

test('a signal ends the reading of frames', async () => {
  const stop = new AbortController();
  let count = 0;
  for await (const { number } of readFrames(join(captures, 'lookups.pcapng'), { signal: stop.signal })) {
    count = number;
    stop.abort();
  }
  assert.ok(count >= 1);
});
