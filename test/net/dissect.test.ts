import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DNS, LLMNR, MDNS, NBNS } from '../../src/core/carrier.ts';
import { FATE, FRAME_FATES, Ledger } from '../../src/core/ledger.ts';
import { Dissector } from '../../src/net/dissect.ts';
import { shardOf } from '../../src/net/shard.ts';
import { openFiles } from '../../src/sources/files.ts';
import * as B from './build.ts';

const hex = (bytes: readonly number[]) => Buffer.from(bytes).toString('hex');
const eth4 = (protocol: number, payload: readonly number[]) => B.ethernet(0x0800, B.ipv4(protocol, payload));
const query = eth4(17, B.udp(B.QUERY));
const response = B.ethernet(0x0800, B.ipv4(17, B.udp(B.RESPONSE, 53, 40000), { from: B.SERVER4, to: B.CLIENT4 }));
const names = (fates: number[]) => fates.map((fate) => FRAME_FATES[fate]);

test('ports say which protocol a message belongs to; the lower one decides', () => {
  const cases: [number, number, number][] = [
    [40000, 53, DNS],
    [53, 53, DNS],
    [5353, 5353, MDNS],
    [40000, 5355, LLMNR],
    [137, 137, NBNS],
    [5353, 53, DNS],
    [4789, 53, DNS],
    [8053, 40000, DNS],
  ];
  for (const [from, to, protocol] of cases) {
    const { messages } = B.dissect([{ bytes: eth4(17, B.udp(B.QUERY, from, to)) }], { udpPorts: [8053] });
    assert.deepEqual(
      messages.map((message) => message.protocol),
      [protocol],
      `${from} ${to}`,
    );
  }
});

test('the common case gives what the walk gives', () => {
  const frames = [
    query,
    response,
    B.ethernet(0x86dd, B.ipv6(17, B.udp(B.QUERY))),
    B.ethernet(0x8100, B.vlan(9, 0x0800, B.ipv4(17, B.udp(B.QUERY)))),
    B.ethernet(0x8100, B.vlan(9, 0x86dd, B.ipv6(17, B.udp(B.QUERY)))),
    [...query, 0, 0],
    eth4(17, [...B.udp(B.QUERY), 1, 2, 3]),
  ];
  for (const bytes of frames) {
    const common = B.dissect([{ bytes }]);
    // One byte more on the wire than captured: such a frame is always walked through.
    const walked = B.dissect([{ bytes, wire: bytes.length + 1 }]);
    assert.equal(common.messages.length, 1);
    assert.deepEqual(common, walked);
  }
});

test('a datagram ends where UDP says, and a cut one tells how long it was', () => {
  const [trailed] = B.dissect([{ bytes: eth4(17, [...B.udp(B.QUERY), 9, 9, 9]) }]).messages;
  assert.equal(trailed.text, hex(B.QUERY));
  const [cut] = B.dissect([{ bytes: query.slice(0, -10), wire: query.length }]).messages;
  assert.deepEqual([cut.length, cut.claimedLength], [B.QUERY.length - 10, B.QUERY.length]);
  assert.deepEqual(names(B.dissect([{ bytes: query.slice(0, 42), wire: query.length }]).fates), ['cut']);
});

test('ICMP errors tell which query did not arrive; other ICMP is none of ours', () => {
  const quoted = B.ipv4(17, B.udp(B.QUERY));
  const icmp = (type: number, code: number, inner: readonly number[]) => ({
    bytes: B.ethernet(0x0800, B.ipv4(1, [type, code, ...B.zeros(6), ...inner], { from: B.SERVER4, to: B.CLIENT4 })),
  });
  const unreachable = B.dissect([icmp(3, 3, quoted)]);
  assert.deepEqual(names(unreachable.fates), ['icmp']);
  assert.equal(unreachable.messages.length, 0);
  const [message] = unreachable.unreachable;
  assert.deepEqual([message.source, message.destination], [hex(B.CLIENT4), hex(B.SERVER4)]);
  assert.deepEqual([message.ports, message.text], ['40000>53', hex(B.QUERY)]);
  // RFC 792 quotes 8 bytes only: what the message was is not known, but the length is.
  const [short] = B.dissect([icmp(11, 0, quoted.slice(0, 28))]).unreachable;
  assert.deepEqual([short.length, short.claimedLength], [0, B.QUERY.length]);
  for (const [type, code] of [
    [3, 4],
    [5, 1],
    [4, 0],
  ]) {
    const { fates, unreachable: none } = B.dissect([icmp(type, code, quoted)]);
    assert.deepEqual([...names(fates), none.length], ['icmp', 0], `type ${type}`);
  }
  const six = B.ethernet(0x86dd, B.ipv6(58, [1, 4, ...B.zeros(6), ...B.ipv6(17, B.udp(B.QUERY))]));
  assert.equal(B.dissect([{ bytes: six }]).unreachable.length, 1);
  assert.deepEqual(names(B.dissect([icmp(3, 3, B.ipv4(6, B.tcp([], 1)))]).fates), ['icmp']);
  assert.deepEqual(names(B.dissect([icmp(3, 3, B.ipv4(17, B.udp([1], 1, 2)))]).fates), ['not_dns']);
  assert.deepEqual(names(B.dissect([icmp(0, 0, quoted)]).fates), ['not_dns']);
  // An error about an error quotes nothing that counts.
  assert.deepEqual(names(B.dissect([icmp(3, 3, B.ipv4(1, [3, 3, ...B.zeros(6), ...quoted]))]).fates), ['not_dns']);
});

test('fragments become one datagram: every frame of it carried the message', () => {
  const datagram = B.udp(B.QUERY);
  const pieces = [datagram.slice(0, 16), datagram.slice(16, 24), datagram.slice(24)];
  const four = pieces.map((piece, i) => ({
    bytes: B.ethernet(0x0800, B.ipv4(17, piece, { fragment: [0x2000, 0x2002, 3][i] })),
  }));
  const six = pieces.map((piece, i) => ({
    bytes: B.ethernet(0x86dd, B.ipv6(44, [17, 0, ...B.u16([1, 17, 24][i]), 0, 0, 0, 9, ...piece])),
  }));
  for (const frames of [four, six]) {
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
    ]) {
      const { messages, ledger } = B.dissect(order.map((i) => frames[i]));
      assert.deepEqual(ledger.imbalance(), []);
      assert.equal(ledger.frames[FATE.carried], 3);
      assert.equal(ledger.frames[FATE.held], 0);
      assert.equal(messages.length, 1);
      assert.deepEqual([messages[0].text, messages[0].fragmented, messages[0].at[3]], [hex(B.QUERY), true, -1]);
    }
    const { messages, ledger } = B.dissect(frames.slice(1));
    assert.deepEqual([messages.length, ledger.frames[FATE.fragment_unfinished]], [0, 2]);
    assert.deepEqual(ledger.imbalance(), []);
  }
});

test('a first fragment longer than its frame, which does not say that it was cut, is read as far as it goes', () => {
  const whole = B.ipv4(17, B.udp([...B.RESPONSE, ...B.zeros(40)], 53, 40000, 2000), { fragment: 0x2000 });
  whole.splice(2, 2, 1500 >> 8, 1500 & 0xff);
  // Neither its length nor that of the next is a multiple of eight.
  const [message, ...more] = B.dissect([{ bytes: B.ethernet(0x0800, whole.slice(0, 20 + 8 + 45)) }]).messages;
  assert.equal(message.text, hex([...B.RESPONSE, ...B.zeros(40)].slice(0, 45)));
  assert.deepEqual([more.length, message.fragmented], [0, true]);
});

test('fragments within fragments: a tunnel whose packets were cut twice', () => {
  const datagram = B.udp(B.QUERY);
  const inner = [
    B.ipv4(17, datagram.slice(0, 24), { fragment: 0x2000 }),
    B.ipv4(17, datagram.slice(24), { fragment: 3 }),
  ];
  const outer = (payload: readonly number[], fragment: number, id: number) => {
    const packet = B.ipv4(47, payload, { fragment, from: [10, 0, 0, 1], to: [10, 0, 0, 2] });
    packet[5] = id;
    return { bytes: B.ethernet(0x0800, packet) };
  };
  const frames = inner.flatMap((packet, id) => {
    const tunneled = B.gre(0, 0x0800, [], packet);
    return [outer(tunneled.slice(0, 16), 0x2000, id), outer(tunneled.slice(16), 2, id)];
  });
  const { messages, ledger } = B.dissect(frames);
  assert.equal(messages.length, 1);
  assert.equal(messages[0].text, hex(B.QUERY));
  assert.deepEqual([ledger.frames[FATE.carried], ledger.frames[FATE.held]], [4, 0]);
  assert.deepEqual(ledger.imbalance(), []);
});

test('UDP checksums: checked on reassembled datagrams, on request on all', () => {
  const wrong: boolean[] = [];
  const dissector = new Dissector(
    { message: (carrier) => wrong.push(carrier.badChecksum), unreachable: () => undefined },
    new Ledger(),
    { checksums: true },
  );
  const frames = [query, response, eth4(17, [...B.udp(B.QUERY).slice(0, 6), 0x12, 0x34, ...B.QUERY])];
  // The right sum of the query, worked out by hand from RFC 768's words.
  const words = [...B.CLIENT4, ...B.SERVER4, 0, 17, ...B.u16(B.QUERY.length + 8), ...B.udp(B.QUERY)];
  let sum = 0;
  for (let i = 0; i < words.length; i += 2) sum += (words[i] << 8) | (words[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  frames.push(eth4(17, [...B.udp(B.QUERY).slice(0, 6), ...B.u16(~sum & 0xffff), ...B.QUERY]));
  frames.push(B.ethernet(0x86dd, B.ipv6(17, B.udp(B.QUERY))));
  B.feed(
    dissector,
    frames.map((bytes) => ({ bytes })),
  );
  assert.deepEqual(wrong, [false, false, true, false, true]);
});

test('flows are numbered in order of appearance, in both directions, tunnels and quotes included', () => {
  const other = eth4(17, B.udp([1, 2, 3], 1111, 2222));
  const tunnel = eth4(17, B.udp(B.vxlan(B.ethernet(0x0800, B.ipv4(17, B.udp(B.QUERY, 5000, 53)))), 6000, 4789));
  const { messages } = B.dissect([{ bytes: other }, { bytes: query }, { bytes: tunnel }, { bytes: response }]);
  assert.deepEqual(
    messages.map((message) => message.stream),
    [1, 3, 1],
  );
  assert.equal(B.dissect([{ bytes: query }], { streams: false }).messages[0].stream, -1);
});

test('the heuristic finds sound messages on other ports, and only those', () => {
  const on = (payload: readonly number[], port = 9999) => B.dissect([{ bytes: eth4(17, B.udp(payload, 40000, port)) }]);
  assert.equal(on(B.QUERY).messages.length, 1);
  assert.equal(on(B.RESPONSE, 443).messages.length, 1);
  const frame = { bytes: eth4(17, B.udp(B.QUERY, 40000, 9999)) };
  assert.deepEqual(names(B.dissect([frame], { heuristic: false }).fates), ['not_dns']);
  const changed = (at: number, value: number) => B.QUERY.map((byte, i) => (i === at ? value : byte));
  const refused: Record<string, readonly number[]> = {
    'bytes behind the message': [...B.QUERY, 0],
    'cut within the question': B.QUERY.slice(0, -1),
    'two questions claimed': changed(5, 2),
    'an answer in a query': changed(7, 1),
    'a query with an rcode': changed(3, 5),
    'the reserved bit': changed(3, 0x40),
    'opcode 3': changed(2, 0x18),
    'class 7': changed(B.QUERY.length - 1, 7),
    'a pointer first': changed(12, 0xc0),
    'type 0': changed(B.QUERY.length - 3, 0),
  };
  for (const [what, payload] of Object.entries(refused)) {
    assert.deepEqual(names(on(payload).fates), ['not_dns'], what);
  }
});

test('random payloads, QUIC and DNSCrypt do not pass the heuristic', () => {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed >>> 24;
  };
  for (let round = 0; round < 3000; round++) {
    const payload = Array.from({ length: 20 + (round % 200) }, random);
    if (round % 3 === 0) payload.splice(0, 7, 0xc0 | (payload[0] & 0x3f), 0, 0, 0, 1, 8, 1);
    const { messages } = B.dissect([{ bytes: eth4(17, B.udp(payload, 40000, 443)) }]);
    assert.equal(messages.length, 0);
  }
  const magic = [0x72, 0x36, 0x66, 0x6e, 0x76, 0x57, 0x6a, 0x38];
  const answer = B.ethernet(
    0x0800,
    B.ipv4(17, B.udp([...magic, ...B.zeros(100)], 8443, 40000), { from: B.SERVER4, to: B.CLIENT4 }),
  );
  const asked = eth4(17, B.udp(B.zeros(512), 40000, 8443));
  assert.deepEqual(names(B.dissect([{ bytes: asked }, { bytes: answer }, { bytes: asked }]).fates), [
    'not_dns',
    'encrypted',
    'encrypted',
  ]);
  // On port 53 too, where such a server may also answer in clear.
  const mixed = B.ipv4(17, B.udp([...magic, ...B.zeros(100)], 53, 40000), { from: B.SERVER4, to: B.CLIENT4 });
  assert.deepEqual(names(B.dissect([{ bytes: B.ethernet(0x0800, mixed) }, { bytes: query }]).fates), [
    'encrypted',
    'carried',
  ]);
});

test('DNS over cleartext HTTP/2 is known by its preface and media type', () => {
  const text = (value: string) => Array.from(Buffer.from(value));
  const media = [0x5f, 0x90, ...Buffer.from('1d75d0620d263d4c495216a4a840e62f', 'hex')];
  const segment = (payload: readonly number[], to = 80) => ({ bytes: eth4(6, B.tcp(payload, 1, 0x18, 40000, to)) });
  const preface = text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  for (const streams of [true, false]) {
    const frames = [segment(preface), segment([1, 2, ...media]), segment([3]), segment([...media], 81)];
    assert.deepEqual(names(B.dissect(frames, { streams }).fates), ['not_dns', 'encrypted', 'encrypted', 'not_dns']);
  }
});

test('workers share frames by address pair: each frame once, both directions and ICMP errors together', async () => {
  const quoted = B.ipv4(17, B.udp(B.QUERY));
  const router = { from: [203, 0, 113, 9], to: B.CLIENT4 };
  const error = B.ethernet(0x0800, B.ipv4(1, [3, 1, ...B.zeros(6), ...quoted], router));
  const tcp = eth4(6, B.tcp([0, B.QUERY.length, ...B.QUERY], 1));
  const tagged = B.ethernet(0x8100, B.vlan(3, 0x0800, B.ipv4(17, B.udp(B.QUERY))));
  const together = [query, response, error, tcp, tagged].map((bytes) => ({ bytes }));
  for (let shards = 2; shards < 9; shards++) {
    const received = Array.from(
      { length: shards },
      (_, shard) => B.dissect(together, { shard, shards }).ledger.received,
    );
    assert.deepEqual(
      received.filter((count) => count > 0),
      [together.length],
    );
  }
  const spread = new Set(Array.from({ length: 200 }, (_, i) => shardOf(0x0a000000 ^ i, 8)));
  assert.equal(spread.size, 8);
  for (const name of ['udp.pcap', 'tcp-pipelined.pcap', 'fragments-ipv6.pcap', 'lookups.pcapng', 'mdns.pcap']) {
    const path = fileURLToPath(new URL(`../captures/${name}`, import.meta.url));
    const run = async (shard: number, shards: number) => {
      const ledger = new Ledger();
      const ids: string[] = [];
      const dissector = new Dissector(
        {
          message: (c) => ids.push(`${c.number}/${c.messageInFrame} ${c.length}`),
          unreachable: () => undefined,
        },
        ledger,
        { shard, shards },
      );
      const source = await openFiles([path]);
      for await (const batch of source.batches(new AbortController().signal)) dissector.frames(batch);
      dissector.finish();
      assert.deepEqual(ledger.imbalance(), []);
      return { ledger, ids };
    };
    const whole = await run(0, 1);
    assert.ok(whole.ids.length > 0, name);
    const total = new Ledger();
    const ids: string[] = [];
    for (let shard = 0; shard < 3; shard++) {
      const part = await run(shard, 3);
      total.add(part.ledger);
      ids.push(...part.ids);
    }
    assert.deepEqual(total, whole.ledger, name);
    assert.deepEqual(ids.sort(), whole.ids.sort(), name);
  }
});
