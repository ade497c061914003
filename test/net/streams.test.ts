import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { Carrier, TCP } from '../../src/core/carrier.ts';
import { FATE, FRAME_FATES, Ledger } from '../../src/core/ledger.ts';
import { Segment, type StreamOptions, TcpStreams } from '../../src/net/streams.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { openFiles } from '../../src/sources/files.ts';
import { corpus, hasCorpus } from '../sources/corpus.ts';

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

interface Send {
  sequence?: number;
  flags?: number;
  data?: Uint8Array;
  /** Bytes of the data that were captured. */
  captured?: number;
  /** From the server. */
  back?: boolean;
  port?: number;
}

/** The dissector's side of the contract: fills the carrier, counts each frame once. */
class Harness {
  readonly ledger = new Ledger();
  readonly streams: TcpStreams;
  readonly carrier = new Carrier();
  readonly segment = new Segment();
  /** Messages delivered, as hex, and what else was said of each. */
  readonly messages: string[] = [];
  readonly notes: {
    number: number;
    claimed: number;
    inFrame: number;
    segmented: boolean;
    stream: number;
    setup: number;
    isNew: boolean;
  }[] = [];

  constructor(options?: StreamOptions) {
    this.carrier.transport = TCP;
    this.streams = new TcpStreams((c) => this.#deliver(c), this.ledger, options);
  }

  #deliver(c: Carrier): void {
    this.messages.push(Buffer.from(c.bytes.subarray(c.at, c.at + c.length)).toString('hex'));
    this.notes.push({
      number: c.number,
      claimed: c.claimedLength,
      inFrame: c.messageInFrame,
      segmented: c.segmented,
      stream: c.stream,
      setup: c.setupNanos,
      isNew: c.setupIsNew,
    });
  }

  at(seconds: number, nanos = 0): this {
    this.carrier.seconds = seconds;
    this.carrier.nanos = nanos;
    return this;
  }

  send({
    sequence = 0,
    flags = ACK,
    data = new Uint8Array(0),
    captured = data.length,
    back = false,
    port = 4000,
  }: Send): number {
    const { carrier, segment, ledger } = this;
    carrier.number = ++ledger.received;
    carrier.source3 = back ? 2 : 1;
    carrier.destination3 = back ? 1 : 2;
    carrier.sourcePort = back ? 53 : port;
    carrier.destinationPort = back ? port : 53;
    segment.flags = flags;
    segment.sequence = sequence >>> 0;
    // Frames lie anywhere in their memory, which the next frame overwrites.
    segment.bytes = new Uint8Array(captured + 9);
    segment.bytes.set(data.subarray(0, captured), 4);
    segment.at = 4;
    segment.length = captured;
    segment.claimed = data.length;
    const fate = this.streams.segment(carrier, segment);
    ledger.frames[fate]++;
    segment.bytes.fill(0xff);
    assert.deepEqual(ledger.imbalance(), []);
    return fate;
  }

  finish(): void {
    this.streams.finish();
    assert.deepEqual(this.ledger.imbalance(), []);
    assert.equal(this.ledger.frames[FATE.held], 0);
    assert.ok(this.ledger.frames.every((n) => n >= 0));
    assert.deepEqual(this.streams.size, { flows: 0, bytes: 0 });
  }

  fates(): Record<string, number> {
    return Object.fromEntries(FRAME_FATES.map((name, i) => [name, this.ledger.frames[i]]).filter(([, n]) => n !== 0));
  }
}

/** A sound response of `size` bytes (≥ 34): a question and one NULL record. */
function message(id: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set([id >> 8, id & 255, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0x61, 0, 0, 10, 0, 1, 0, 0, 10, 0, 1, 0, 0, 0, 1]);
  const rdata = size - 30;
  bytes[28] = rdata >> 8;
  bytes[29] = rdata & 255;
  for (let i = 0; i < rdata; i++) bytes[30 + i] = (i * 37 + id * 11 + (i >> 7)) & 255;
  return bytes;
}

function streamOf(messages: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(messages.flatMap((m) => [Uint8Array.of(m.length >> 8, m.length & 255), m]));
}

const hex = (messages: readonly Uint8Array[]) => messages.map((m) => Buffer.from(m).toString('hex'));

/** Messages with their stream cut anywhere: `parts` as [from, to). */
const cutStream = fc
  .record({
    sizes: fc.array(fc.oneof(fc.integer({ min: 34, max: 90 }), fc.integer({ min: 34, max: 6000 })), {
      minLength: 1,
      maxLength: 12,
    }),
    cuts: fc.array(fc.nat(20_000), { maxLength: 40 }),
    isn: fc.oneof(fc.nat(0xffffffff), fc.constant(0xffffff00)),
  })
  .map(({ sizes, cuts, isn }) => {
    const messages = sizes.map((size, i) => message(0x1000 + i, size));
    const stream = streamOf(messages);
    const at = [...new Set(cuts.map((cut) => cut % stream.length))].filter((cut) => cut > 0).sort((a, b) => a - b);
    const edges = [0, ...at, stream.length];
    return { messages, stream, isn, parts: edges.slice(1).map((to, i): [number, number] => [edges[i], to]) };
  });

test('any split of a stream into segments gives the same messages, in order', () => {
  fc.assert(
    fc.property(cutStream, ({ messages, stream, isn, parts }) => {
      const h = new Harness();
      h.send({ sequence: isn, flags: SYN });
      for (const [from, to] of parts) h.send({ sequence: isn + 1 + from, data: stream.subarray(from, to) });
      assert.deepEqual(h.messages, hex(messages));
      assert.equal(h.ledger.frames[FATE.carried], parts.length);
      h.finish();
    }),
    { numRuns: 300 },
  );
});

test('any order of segments, repeated or cut anew any number of times, gives every message once', () => {
  const shuffled = cutStream.chain(({ parts, ...rest }) =>
    fc.record({
      rest: fc.constant(rest),
      order: fc.shuffledSubarray(parts, { minLength: parts.length }),
      again: fc.array(fc.tuple(fc.nat(), fc.nat(20_000), fc.nat(3000)), { maxLength: 10 }),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ rest: { messages, stream, isn }, order, again }) => {
      const h = new Harness();
      h.send({ sequence: isn, flags: SYN });
      const send = (from: number, to: number) => h.send({ sequence: isn + 1 + from, data: stream.subarray(from, to) });
      order.forEach(([from, to], i) => {
        for (const [when, start, size] of again) {
          if (when % order.length === i)
            send(start % stream.length, Math.min(stream.length, (start % stream.length) + 1 + size));
        }
        send(from, to);
      });
      assert.deepEqual(h.messages.toSorted(), hex(messages).toSorted());
      assert.equal(h.ledger.frames[FATE.carried] + h.ledger.frames[FATE.segment_repeated], h.ledger.received - 1);
      h.finish();
    }),
    { numRuns: 400 },
  );
});

test('a stream cut at every byte, and given byte by byte', () => {
  const messages = [message(1, 40), message(2, 34), message(3, 77)];
  const stream = streamOf(messages);
  for (let cut = 1; cut < stream.length; cut++) {
    for (const swapped of [false, true]) {
      const h = new Harness();
      h.send({ sequence: 7, flags: SYN });
      const halves: [number, number][] = [
        [0, cut],
        [cut, stream.length],
      ];
      for (const [from, to] of swapped ? halves.toReversed() : halves) {
        h.send({ sequence: 8 + from, data: stream.subarray(from, to) });
      }
      assert.deepEqual(h.messages.toSorted(), hex(messages).toSorted(), `cut at ${cut}`);
      h.finish();
    }
  }
  const large = [message(1, 65_535), message(2, 100)];
  const bytes = streamOf(large);
  const h = new Harness();
  h.send({ sequence: 0, flags: SYN });
  for (let i = 0; i < bytes.length; i++) h.send({ sequence: 1 + i, data: bytes.subarray(i, i + 1) });
  assert.deepEqual(h.messages, hex(large));
  assert.equal(h.ledger.frames[FATE.carried], bytes.length);
  h.finish();
});

test('whole messages of a segment come from the frame itself, numbered; one that ends later is segmented', () => {
  const messages = [message(1, 50), message(2, 60), message(3, 70)];
  const stream = streamOf(messages);
  const h = new Harness();
  h.send({ sequence: 0, flags: SYN });
  assert.equal(h.send({ sequence: 1, data: stream.subarray(0, 120) }), FATE.carried);
  assert.equal(h.send({ sequence: 121, data: stream.subarray(120, 125) }), FATE.held);
  assert.equal(h.send({ sequence: 126, data: stream.subarray(125) }), FATE.carried);
  const short = h.notes.map(({ number, inFrame, segmented }) => [number, inFrame, segmented]);
  assert.deepEqual(short, [
    [2, 1, false],
    [2, 2, false],
    [4, 1, true],
  ]);
  h.finish();
  assert.deepEqual(h.fates(), { carried: 3, no_payload: 1 });
});

test('data in the SYN (TCP Fast Open), taken once when the server asks for it again', () => {
  const query = streamOf([message(1, 40)]);
  const h = new Harness();
  assert.equal(h.send({ sequence: 100, flags: SYN, data: query }), FATE.carried);
  assert.equal(h.send({ sequence: 101, data: query }), FATE.segment_repeated);
  assert.equal(h.send({ sequence: 101 + query.length, data: query }), FATE.carried);
  assert.equal(h.messages.length, 2);
  h.finish();
});

test('both directions are streams of their own, with the number of their connection, set up once', () => {
  const h = new Harness();
  h.at(10, 0).send({ sequence: 1, flags: SYN });
  h.at(11, 0).send({ sequence: 1, flags: SYN });
  h.at(11, 4e6).send({ sequence: 900, flags: SYN | ACK, back: true });
  h.at(11, 4_200_000).send({ sequence: 2 });
  h.send({ sequence: 2, data: streamOf([message(1, 40)]) });
  h.send({ sequence: 901, data: streamOf([message(1, 90)]), back: true });
  h.send({ sequence: 5, flags: SYN, port: 4001 });
  h.send({ sequence: 6, data: streamOf([message(2, 40)]), port: 4001 });
  assert.deepEqual(
    h.notes.map(({ stream, setup, isNew }) => [stream, setup, isNew]),
    [
      [0, 1_004_200_000, true],
      [0, 1_004_200_000, false],
      [1, 0, true],
    ],
  );
  assert.ok(Number.isNaN(h.carrier.setupNanos), 'the carrier goes back as it came');
  h.finish();
});

test('the same ports again are another connection; a SYN that comes late or twice is not', () => {
  const h = new Harness();
  const one = streamOf([message(1, 40)]);
  h.send({ sequence: 50, data: one });
  h.send({ sequence: 49, flags: SYN });
  h.send({ sequence: 49, flags: SYN });
  h.send({ sequence: 50 + one.length, data: one.subarray(0, 10) });
  h.send({ sequence: 70_000_000, flags: SYN });
  assert.deepEqual(h.fates(), { carried: 1, no_payload: 3, stream_unfinished: 1 });
  h.send({ sequence: 70_000_001, data: one });
  h.send({ sequence: 1, flags: SYN | ACK, back: true });
  h.send({ sequence: 2, data: one, back: true });
  assert.deepEqual(
    h.notes.map((note) => note.stream),
    [0, 1, 1],
  );
  h.finish();
});

test('a capture that begins in the middle: whole messages are found at once, others by their form', () => {
  const messages = [message(1, 300), message(2, 200), message(3, 400), message(4, 60)];
  const stream = streamOf(messages);
  // From every byte of the first message on, cut into segments of 100 bytes.
  for (let from = 1; from < 302; from++) {
    const h = new Harness();
    for (let at = from; at < stream.length; at += 100) h.send({ sequence: at, data: stream.subarray(at, at + 100) });
    assert.deepEqual(h.messages, hex(messages.slice(1)), `from ${from}`);
    h.finish();
  }
  const h = new Harness();
  h.send({ sequence: 500, data: streamOf([message(2, 60)]) });
  h.send({ sequence: 500 - 52, data: streamOf([message(1, 50)]) });
  assert.deepEqual(h.messages, hex([message(2, 60), message(1, 50)]));
  // One segment with the message before those, both of them again, and a new one.
  const all = streamOf([message(0, 70), message(1, 50), message(2, 60), message(3, 80)]);
  assert.equal(h.send({ sequence: 500 - 52 - 72, data: all }), FATE.carried);
  assert.deepEqual(h.messages.slice(2), hex([message(0, 70), message(3, 80)]));
  h.finish();
});

test('what a RST carries is no part of the stream', () => {
  const h = new Harness();
  const query = streamOf([message(1, 40)]);
  h.send({ sequence: 0, flags: SYN });
  assert.equal(h.send({ sequence: 1, flags: RST | ACK, data: query }), FATE.no_payload);
  assert.equal(h.send({ sequence: 1, data: query }), FATE.carried);
  assert.equal(h.messages.length, 1);
  h.finish();
});

test('a capture that begins between prefix and message', () => {
  const h = new Harness();
  assert.equal(h.send({ sequence: 2, data: message(1, 44) }), FATE.carried);
  assert.equal(h.send({ sequence: 0, data: Uint8Array.of(0, 44) }), FATE.stream_gap);
  assert.equal(h.send({ sequence: 46, data: streamOf([message(2, 44)]) }), FATE.carried);
  assert.deepEqual(h.messages, hex([message(1, 44), message(2, 44)]));
  h.finish();
});

test('behind a hole the next message found is delivered when it comes, and the stream is in step again', () => {
  const messages = Array.from({ length: 40 }, (_, i) => message(i, 40 + i * 13));
  const stream = streamOf(messages);
  const ends = messages.map((_, i) => streamOf(messages.slice(0, i + 1)).length);
  for (let lost = 1; lost < 30; lost++) {
    const h = new Harness();
    h.send({ sequence: 0, flags: SYN });
    // One segment of 100 bytes is missing.
    for (let at = 0; at < stream.length; at += 100) {
      if (at !== lost * 100) h.at(at / 100).send({ sequence: 1 + at, data: stream.subarray(at, at + 100) });
    }
    const whole = messages.filter((_, i) => ends[i] <= lost * 100 || (i > 0 && ends[i - 1] >= lost * 100 + 100));
    assert.deepEqual(h.messages, hex(whole), `without segment ${lost}`);
    assert.ok(h.streams.size.bytes <= 1024, 'the hole was given up after ten seconds');
    h.finish();
    const gap = h.ledger.frames[FATE.stream_gap] + h.ledger.frames[FATE.stream_unfinished];
    assert.ok(gap <= 12, `${gap} frames lost`);
  }
});

test('segments cut by the snapshot length give their message as far as it goes, and the next one whole', () => {
  const messages = [message(1, 500), message(2, 600), message(3, 60)];
  const h = new Harness();
  h.send({ sequence: 0, flags: SYN });
  h.send({ sequence: 1, data: streamOf([messages[0]]), captured: 60 });
  h.send({ sequence: 503, data: Uint8Array.of(600 >> 8, 600 & 255) });
  h.send({ sequence: 505, data: messages[1], captured: 70 });
  h.send({ sequence: 1105, data: streamOf([messages[2]]) });
  assert.deepEqual(h.messages, hex([messages[0].subarray(0, 58), messages[1].subarray(0, 70), messages[2]]));
  assert.deepEqual(
    h.notes.map((note) => note.claimed),
    [500, 600, 60],
  );
  h.finish();
  assert.deepEqual(h.fates(), { carried: 4, no_payload: 1 });
});

test('cut segments of a stream whose start was not captured: each begins a message of its length', () => {
  const h = new Harness();
  const data = [message(1, 500), message(2, 600)];
  assert.equal(h.send({ sequence: 10, data: streamOf([data[0]]), captured: 60 }), FATE.carried);
  assert.equal(h.send({ sequence: 512, data: streamOf([data[1]]), captured: 70 }), FATE.carried);
  // Nothing says where in this one a message begins.
  assert.equal(h.send({ sequence: 5000, data: data[0].subarray(100), captured: 60 }), FATE.held);
  assert.deepEqual(h.messages, hex([data[0].subarray(0, 58), data[1].subarray(0, 68)]));
  h.finish();
  assert.deepEqual(h.fates(), { carried: 2, stream_gap: 1 });
});

test('a SYN behind the first bytes says that a message begins there, sound or not', () => {
  const unsound = new Uint8Array(60).fill(0xab);
  const stream = streamOf([unsound]);
  const h = new Harness();
  assert.equal(h.send({ sequence: 0, data: stream.subarray(0, 20) }), FATE.held);
  h.send({ sequence: -1, flags: SYN });
  assert.equal(h.send({ sequence: 20, data: stream.subarray(20) }), FATE.carried);
  assert.deepEqual(h.messages, hex([unsound]));
  h.finish();
  assert.deepEqual(h.fates(), { carried: 2, no_payload: 1 });
});

test('a message over cut segments: its rest is counted as cut, and what follows is found', () => {
  const stream = streamOf([message(1, 3000), message(2, 50)]);
  const h = new Harness();
  h.send({ sequence: 0, flags: SYN });
  assert.equal(h.send({ sequence: 1, data: stream.subarray(0, 1000), captured: 68 }), FATE.carried);
  assert.equal(h.send({ sequence: 1001, data: stream.subarray(1000, 2000), captured: 68 }), FATE.cut);
  assert.equal(h.send({ sequence: 2001, data: stream.subarray(2000, 3002), captured: 68 }), FATE.cut);
  assert.equal(h.send({ sequence: 3003, data: stream.subarray(3002) }), FATE.carried);
  assert.deepEqual(h.messages, hex([message(1, 3000).subarray(0, 66), message(2, 50)]));
  h.finish();
});

test('a prefix too short for a header ends the framing, until a message is found', () => {
  const h = new Harness();
  h.send({ sequence: 0, flags: SYN });
  assert.equal(h.send({ sequence: 1, data: Uint8Array.of(0, 3, 1, 2, 3) }), FATE.held);
  assert.equal(h.send({ sequence: 6, data: streamOf([message(1, 50)]) }), FATE.carried);
  assert.equal(h.send({ sequence: 58, data: streamOf([message(2, 50)]) }), FATE.carried);
  assert.deepEqual(h.messages, hex([message(1, 50), message(2, 50)]));
  h.finish();
  assert.deepEqual(h.fates(), { carried: 2, no_payload: 1, stream_gap: 1 });
});

test('a message whose rest never comes is unfinished: at the end, or after two silent minutes', () => {
  const h = new Harness();
  const half = streamOf([message(1, 500)]).subarray(0, 200);
  for (const port of [1, 2]) {
    h.at(1000 + port).send({ sequence: 0, flags: SYN, port });
    h.send({ sequence: 1, data: half, port });
    h.send({ sequence: 201, flags: FIN | ACK, port });
  }
  h.streams.advance(1121, 1);
  assert.equal(h.ledger.frames[FATE.stream_unfinished], 1);
  h.finish();
  assert.deepEqual(h.fates(), { no_payload: 4, stream_unfinished: 2 });
});

test('a message hidden in the data of another does not hide that one, in any order of segments', () => {
  const inner = streamOf([message(9, 50)]);
  const outer = message(1, 400);
  outer.set(inner, 198);
  const stream = streamOf([outer, message(2, 60)]);
  const halves: [number, number][] = [
    [0, 200],
    [200, stream.length],
  ];
  for (const order of [halves, halves.toReversed()]) {
    const h = new Harness();
    h.send({ sequence: 0, flags: SYN });
    for (const [from, to] of order) h.send({ sequence: 1 + from, data: stream.subarray(from, to) });
    const found = hex([outer, message(2, 60)]);
    assert.ok(
      found.every((one) => h.messages.includes(one)),
      `${h.messages.length} messages`,
    );
    h.finish();
  }
});

test('a million streams that are opened and left stay within the bounds', () => {
  const h = new Harness({ bytes: 1 << 20, flows: 5000 });
  const { carrier, segment, streams, ledger } = h;
  const half = streamOf([message(1, 900)]).subarray(0, 600);
  Object.assign(segment, { bytes: half, at: 0 });
  carrier.destinationPort = 53;
  for (let i = 0; i < 1_000_000; i++) {
    carrier.source3 = i >> 10;
    carrier.sourcePort = 1024 + (i & 1023);
    segment.flags = (i & 3) === 0 ? SYN : ACK;
    segment.length = segment.claimed = (i & 3) === 0 ? 0 : 1 + (i % 600);
    ledger.received++;
    ledger.frames[streams.segment(carrier, segment)]++;
  }
  const { flows, bytes } = streams.size;
  assert.ok(flows <= 5000 && bytes <= (1 << 20) + 2048, `${flows} flows, ${bytes} bytes`);
  h.finish();
  assert.ok(ledger.frames[FATE.stream_evicted] > 700_000, JSON.stringify(h.fates()));
});

test('one stream of garbage, of holes, or of single bytes in descending order is bounded too', () => {
  const start = performance.now();
  for (const step of [-1, 1, 2, 7, 1001]) {
    const h = new Harness();
    const data = new Uint8Array(step === 1001 ? 1000 : 1);
    for (let i = 0; i < 40_000; i++) {
      data.fill((i * 167) >> 3);
      h.send({ sequence: 0x8000_0000 + i * step, data });
    }
    assert.ok(h.streams.size.bytes <= (1 << 20) + 4096, `step ${step}: ${h.streams.size.bytes} bytes`);
    h.finish();
    assert.ok(h.messages.length < 4);
  }
  assert.ok(performance.now() - start < 20_000, 'watchdog');
});

test('random segments never throw, and the ledger always sums', () => {
  const any = fc.record({
    sequence: fc.oneof(fc.nat(3000), fc.nat(0xffffffff)),
    flags: fc.constantFrom(0, ACK, ACK, ACK, SYN, SYN | ACK, FIN | ACK, RST),
    data: fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.nat(9), fc.integer({ min: 34, max: 700 })).map(([id, size]) => streamOf([message(id, size)])),
      fc.integer({ min: 34, max: 90 }).map((size) => message(5, size)),
    ),
    cut: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(400)),
    back: fc.boolean(),
    port: fc.nat(2),
    seconds: fc.nat(300),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 80 }), (list) => {
      const h = new Harness({ bytes: 1, flows: 2 });
      for (const { seconds, cut, ...send } of list) {
        h.at(seconds).send({ ...send, captured: Math.max(0, send.data.length - cut) });
      }
      h.finish();
    }),
    { numRuns: 600 },
  );
});

/** Hard cases of the corpus: queries, responses. */
const HARD: Record<string, [number, number]> = {
  'wireshark--dns-ooo.pcap': [0, 1],
  'dnscap--dnso1tcp-bighole.pcap': [38, 38],
  'dnscap--dnso1tcp-midmiss.pcap': [3, 3],
  'entrada--tcp-stream-retransmision.pcap.gz': [530, 475],
  'pktvisor--dns_udp_tcp_random.pcap.gz': [2930, 2921],
  'entrada--tcp-all-malformed-packets.dups.pcap': [0, 0],
  'dnscap--do1t-nosyn-1nolen.pcap': [2, 2],
  'dnscollector--dnsdump_tcp_fastopen.pcap': [4, 4],
  'dnsjit--tcp-response-with-trailing-junk.pcap': [10, 10],
  'suricata--dns-tcp-ts-gap.pcap': [2, 3],
};
if (hasCorpus()) {
  for (const [name, [queries, responses]] of Object.entries(HARD)) {
    test(`corpus: ${name} gives ${queries} queries and ${responses} responses`, async () => {
      const found = [0, 0];
      const engine = new Engine({}, { message: (_, view) => found[view.isResponse ? 1 : 0]++ });
      const source = await openFiles([fileURLToPath(new URL(`tcp/${name}`, corpus))]);
      for await (const batch of source.batches(new AbortController().signal)) engine.frames(batch);
      engine.finish();
      assert.deepEqual(found, [queries, responses]);
      assert.deepEqual(engine.ledger.imbalance(), []);
    });
  }
}
