import { randomBytes } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { addressText } from '../core/address.ts';
import { type Carrier, TCP } from '../core/carrier.ts';
import { timeText } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import { Ledger } from '../core/ledger.ts';
import { instantOf } from '../filter/times.ts';
import { type DissectOptions, Dissector } from '../net/dissect.ts';
import { recordReader } from '../rr/define.ts';
import type { Transaction } from '../rr/transaction.ts';
import { questionValues } from '../rr/value.ts';
import { type CaptureWriter, createCaptureFile } from '../sinks/capture-file.ts';
import type { FrameToWrite } from '../sinks/frame-writers.ts';
import { ringFiles } from '../sinks/packet-ring.ts';
import { openFiles } from '../sources/files.ts';
import { MessageView } from '../wire/message.ts';
import { FrameFile } from './frame-file.ts';

/** A packet of a transaction: its octets in hexadecimal. `number`: as in `frames`, 0 where it is none of those. */
export interface RingPacket {
  number: number;
  /** RFC 3339, 9 digits. */
  time: string;
  /** On the wire. */
  length: number;
  hex: string;
}

/** What a ring holds: times in ns since 1970. */
export interface RingCoverage {
  from: bigint;
  bytes: number;
  files: number;
}

type Wanted = Pick<
  Transaction,
  | 'time'
  | 'client'
  | 'client_port'
  | 'server'
  | 'server_port'
  | 'transport'
  | 'id'
  | 'name'
  | 'type'
  | 'latency_ms'
  | 'queries'
  | 'responses'
  | 'duplicates'
  | 'late'
  | 'frames'
>;

/** Most transactions whose packets are looked for at once. */
const MAX_TRANSACTIONS = 1_000_000;
const SECOND = 1_000_000_000n;
/** Copies come until the transaction is given up: 5 s after the last, late responses 30 s after. */
const LAST_COPY = 35n * SECOND;
/** A message's first fragment or segment comes so much before it is whole. */
const ASSEMBLY = 30n * SECOND;

/** A transaction looked for, and how many of its messages are still to come. */
interface Target {
  /** Its question; empty without. */
  question: string;
  from: bigint;
  to: bigint;
  left: number;
  queries: number[];
  responses: number[];
}

/** Finds packets of transactions in a ring (see PacketRing). */
export class RingReader {
  readonly #folder: string;
  readonly #dissect: DissectOptions;

  /** `dissect`: as the capture that wrote the ring dissects. */
  constructor(folder: string, dissect: DissectOptions = {}) {
    this.#folder = folder;
    this.#dissect = dissect;
  }

  /** What there is; null for an empty ring. */
  coverage(): RingCoverage | null {
    const files = ringFiles(this.#folder);
    if (files.length === 0) return null;
    return { from: files[0].from, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), files: files.length };
  }

  /** True when the ring holds every packet since then, ms since 1970. */
  covers(from: number): boolean {
    const held = this.coverage();
    // Times of rows are told in whole milliseconds.
    return held !== null && held.from < BigInt(Math.floor(from) + 1) * 1_000_000n;
  }

  /** The packets of a transaction, oldest first; null when the ring does not hold any. */
  async of(transaction: Wanted): Promise<RingPacket[] | null> {
    const targets = new Targets();
    targets.add(transaction);
    const packets: RingPacket[] = [];
    const writer = collector((frame) => packets.push(packetOf(frame, targets.numberOf)));
    await this.#pass(targets, () => writer, AbortSignal.timeout(30_000));
    return packets.length === 0 ? null : packets;
  }

  /**
   * A pcapng file of exactly the packets of these transactions, in order of time. Throws UserError where the ring does
   * not hold any of them, or there are more than a million.
   */
  async *export(
    transactions: AsyncIterable<readonly Wanted[]>,
    signal: AbortSignal = new AbortController().signal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const targets = new Targets();
    for await (const some of transactions) {
      for (const one of some) targets.add(one);
      if (targets.count > MAX_TRANSACTIONS) {
        throw new UserError(`Packets of at most ${MAX_TRANSACTIONS} transactions are exported. Narrow the filter.`);
      }
      signal.throwIfAborted();
    }
    // Not the name of a ring file: the ring leaves it alone.
    const path = join(this.#folder, `export-${randomBytes(8).toString('hex')}.pcapng`);
    try {
      const open = (interfaces: Parameters<typeof createCaptureFile>[1]) => createCaptureFile(path, interfaces);
      const frames = await this.#pass(targets, open, signal);
      if (frames === 0) throw new UserError(this.#whyNone(targets));
      for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) yield chunk as Uint8Array;
    } finally {
      rmSync(path, { force: true });
    }
  }

  #whyNone(targets: Targets): string {
    if (targets.count === 0) return 'No transaction matches: there are no packets to export.';
    const covered = this.coverage();
    if (covered === null) return 'The packet ring is empty: no packets of these transactions were kept.';
    const since = new Date(Number(covered.from / 1_000_000n)).toISOString();
    return `The packet ring begins at ${since}: packets of these transactions are not kept any more.`;
  }

  /** Writes the frames of the targets; how many there were. */
  async #pass(
    targets: Targets,
    open: (interfaces: Parameters<typeof createCaptureFile>[1]) => CaptureWriter,
    signal: AbortSignal,
  ): Promise<number> {
    const paths = this.pathsFor(targets);
    if (paths.length === 0) return 0;
    const source = await openFiles(paths);
    const file = new FrameFile(open(source.interfaces));
    const dissector = new Dissector(
      {
        message: (carrier) => {
          if (targets.takes(carrier)) file.writeMessage(carrier);
        },
        unreachable: () => {},
        frame: (carrier, fate) => file.seen(carrier, fate),
      },
      new Ledger(),
      this.#dissect,
    );
    try {
      dissector.interfaces = source.interfaces;
      for await (const batch of source.batches(signal)) {
        if (batch.count > 0 && !targets.isBefore(batch.seconds[0])) break;
        dissector.frames(batch);
      }
      signal.throwIfAborted();
      return file.count;
    } finally {
      file.close();
    }
  }

  /** Files that may hold frames of messages in a range of time, ns since 1970. */
  pathsFor({ from, to }: { from: bigint; to: bigint }): string[] {
    const files = ringFiles(this.#folder);
    return files
      .filter(({ worker, from: begin }, i) => {
        const next = files.slice(i + 1).find((other) => other.worker === worker);
        return begin <= to + SECOND && (next === undefined || next.from >= from - ASSEMBLY);
      })
      .map(({ path }) => path);
  }
}

/** The transactions looked for, by their ends and id. */
class Targets {
  count = 0;
  from = 0n;
  to = 0n;
  /** Number of the frame at hand among the frames of its transaction. */
  numberOf = new Map<string, number>();
  readonly #byKey = new Map<string, Target[]>();
  readonly #view = new MessageView();

  add(one: Wanted): void {
    const time = instantOf(one.time) ?? 0n;
    const { queries, responses, duplicates, late, frames, latency_ms } = one;
    // A response may be stamped before its query.
    const answered = latency_ms === undefined ? time : time + BigInt(Math.round(latency_ms * 1e6));
    // Everything lies between query and response, but for copies that came after it, or without one.
    const isOpen = duplicates > 0 || late > 0 || responses > 1 || (responses === 0 && queries > 1);
    const last = answered < time ? time : answered;
    const target: Target = {
      question: questionOf(one),
      from: answered < time ? answered : time,
      to: isOpen ? last + LAST_COPY : last,
      left: queries + responses + duplicates + late,
      queries: [...frames.query],
      responses: [...frames.response],
    };
    const key = keyOf(one.transport, `${one.client} ${one.client_port}`, `${one.server} ${one.server_port}`, one.id);
    const same = this.#byKey.get(key);
    if (same === undefined) this.#byKey.set(key, [target]);
    else same.push(target);
    if (this.count++ === 0) this.from = target.from;
    if (target.from < this.from) this.from = target.from;
    if (target.to > this.to) this.to = target.to;
  }

  /** True when a message at this second may still be looked for. */
  isBefore(seconds: number): boolean {
    return BigInt(Math.max(0, seconds)) * SECOND <= this.to;
  }

  /** Says whether the message at hand belongs to a transaction looked for. */
  takes(c: Carrier): boolean {
    if (c.length < 4) return false;
    const source = `${addressText(c.family, c.source0, c.source1, c.source2, c.source3)} ${c.sourcePort}`;
    const { destination0, destination1, destination2, destination3 } = c;
    const destination = `${addressText(c.family, destination0, destination1, destination2, destination3)} ${c.destinationPort}`;
    const id = (c.bytes[c.at] << 8) | c.bytes[c.at + 1];
    const found = this.#byKey.get(keyOf(c.transport === TCP ? 'tcp' : 'udp', source, destination, id));
    if (found === undefined) return false;
    const time = BigInt(c.seconds) * SECOND + BigInt(c.nanos);
    // On the link, ids are 0 and ports the same: only the question tells transactions apart.
    this.#view.read(c.bytes, c.at, c.length, c.claimedLength);
    recordReader.begin(this.#view);
    const asked = questionOf(questionValues(this.#view, c.protocol)[0] ?? {});
    const target = found.find(
      ({ from, to, left, question }) => left > 0 && time >= from && time <= to && (asked === '' || question === asked),
    );
    if (target === undefined) return false;
    target.left--;
    const isResponse = (c.bytes[c.at + 2] & 0x80) !== 0;
    const number = (isResponse ? target.responses : target.queries).shift();
    if (number !== undefined) this.numberOf.set(momentOf(c.seconds, c.nanos), number);
    return true;
  }
}

function questionOf({ name = '', type = '' }: { name?: string; type?: string }): string {
  return name === '' ? '' : `${name.toLowerCase()} ${type}`;
}

function momentOf(seconds: number, nanos: number): string {
  return `${seconds}.${nanos}`;
}

/** The same for both directions. */
function keyOf(transport: string, a: string, b: string, id: number): string {
  return `${transport} ${a < b ? `${a} ${b}` : `${b} ${a}`} ${id}`;
}

/** Takes frames instead of a file. */
function collector(take: (frame: FrameToWrite) => void): CaptureWriter {
  return { write: take, flush: () => {}, reopen: () => {}, close: () => {} };
}

function packetOf(frame: FrameToWrite, numbers: ReadonlyMap<string, number>): RingPacket {
  const { bytes, at, captured, wire, seconds, nanos } = frame;
  return {
    number: numbers.get(momentOf(seconds, nanos)) ?? 0,
    time: timeText(seconds, nanos),
    length: wire,
    hex: Buffer.from(bytes.buffer, bytes.byteOffset + at, captured).toString('hex'),
  };
}
