import { writeFileSync } from 'node:fs';
import { timeText } from '../core/clock.ts';
import { Heap } from '../core/heap.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { generate } from '../generate/generate.ts';
import type { ScenarioDefinition } from '../generate/scenario.ts';
import { SCENARIOS } from '../generate/scenarios.ts';
import type { GenerateOptions, Label } from '../generate/stage.ts';
import { type CaptureWriter, createCaptureFile } from '../sinks/capture-file.ts';
import { type RebuiltPacket, rebuiltPackets } from '../sinks/rebuilt-packets.ts';
import { popularDomains } from './judging.ts';

const LINKTYPE_RAW = 101;
/** No packet of a row lies longer than this before the packet that closed the row. */
const HORIZON = 20;
const IPV4_BYTES = 20;

export interface GeneratePlan extends Omit<GenerateOptions, 'popular'> {
  /** Names of scenarios. */
  scenarios: readonly string[];
  /** Capture file, `-` for standard output. */
  write: string;
  format: 'pcap' | 'pcapng';
  /** File for what should be noticed. */
  labels?: string | undefined;
}

/** Scenarios by name. Throws UserError for one that does not exist. */
export function scenariosOf(names: readonly string[]): ScenarioDefinition[] {
  return names.map((name) => {
    const found = SCENARIOS.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new UserError(`There is no scenario '${name}'. --scenario help lists them.`, EXIT.usage);
  });
}

/** A line for each scenario: its name, what happens, and who should notice. */
export function scenarioLines(): string {
  return SCENARIOS.map(({ name, summary, detectors }) => {
    const who = detectors.length > 0 ? ` [${detectors.join(' ')}]` : '';
    return `${name.padEnd(20)} ${summary}${who}\n`;
  }).join('');
}

/** Writes generated traffic as a capture, and what should be noticed in it. Gives the numbers of both. */
export function writeGenerated(plan: GeneratePlan): { packets: number; transactions: number; labels: Label[] } {
  const scenarios = scenariosOf(plan.scenarios);
  const file = createCaptureFile(plan.write, [{ link: LINKTYPE_RAW, snaplen: 0 }], { format: plan.format });
  const packets = new PacketOrder(file);
  let transactions = 0;
  let labels: Label[];
  try {
    labels = generate({ ...plan, popular: popularDomains({ popular: undefined }) }, scenarios, (batch) => {
      transactions += batch.count;
      packets.rows(batch);
      return true;
    });
    packets.finish();
  } finally {
    file.close();
  }
  if (plan.labels !== undefined) writeLabels(plan.labels, labels);
  return { packets: packets.written, transactions, labels };
}

/** Puts the packets of rows into the order of their times. */
class PacketOrder {
  written = 0;
  readonly #file: CaptureWriter;
  readonly #waiting = new Heap<RebuiltPacket>(
    (a, b) => a.seconds < b.seconds || (a.seconds === b.seconds && a.nanos < b.nanos),
  );

  constructor(file: CaptureWriter) {
    this.#file = file;
  }

  rows(batch: TransactionBatch): void {
    const c = batch.col;
    for (let i = 0; i < batch.count; i++) {
      const [query, ...rest] = rebuiltPackets(batch, i);
      this.#waiting.push(query);
      // What is known of copies is how many there were and when the last one was.
      const copies = c.queries[i] - 1;
      const span = (c.lastSeconds[i] - c.openSeconds[i]) * 1e9 + c.lastNanos[i] - c.openNanos[i];
      for (let n = 1; n <= copies; n++) {
        const at = c.openNanos[i] + Math.floor((span * n) / copies);
        this.#waiting.push({ ...query, seconds: c.openSeconds[i] + Math.floor(at / 1e9), nanos: at % 1e9 });
      }
      for (const packet of rest) {
        if (c.fragmented[i] === 1) for (const part of fragments(packet)) this.#waiting.push(part);
        else this.#waiting.push(packet);
      }
    }
    if (batch.count > 0) this.#write(c.closeSeconds[batch.count - 1] - HORIZON);
  }

  finish(): void {
    this.#write(Number.POSITIVE_INFINITY);
  }

  #write(until: number): void {
    const waiting = this.#waiting;
    for (let next = waiting.first; next !== undefined && next.seconds < until; next = waiting.first) {
      waiting.pop();
      const { bytes, seconds, nanos } = next;
      this.#file.write({ bytes, at: 0, captured: bytes.length, wire: bytes.length, seconds, nanos, interfaceId: 0 });
      this.written++;
    }
  }
}

/** An IPv4 packet in two fragments (RFC 791 §3.2); IPv6 stays whole. */
function fragments(packet: RebuiltPacket): RebuiltPacket[] {
  const { bytes } = packet;
  const cut = ((bytes.length - IPV4_BYTES) >> 1) & ~7;
  if (bytes[0] >> 4 !== 4 || cut === 0) return [packet];
  const part = (from: number, to: number, offset: number) => {
    const piece = new Uint8Array(IPV4_BYTES + to - from);
    piece.set(bytes.subarray(0, IPV4_BYTES));
    piece.set(bytes.subarray(IPV4_BYTES + from, IPV4_BYTES + to), IPV4_BYTES);
    const view = new DataView(piece.buffer);
    view.setUint16(2, piece.length);
    // The same for both: made of the UDP checksum, so that no two answers share it by rule.
    view.setUint16(4, (bytes[IPV4_BYTES + 6] << 8) | bytes[IPV4_BYTES + 7]);
    view.setUint16(6, offset);
    view.setUint16(10, 0);
    let sum = 0;
    for (let at = 0; at < IPV4_BYTES; at += 2) sum += view.getUint16(at);
    sum = (sum & 0xffff) + (sum >>> 16);
    view.setUint16(10, ~(sum + (sum >>> 16)) & 0xffff);
    return { ...packet, bytes: piece };
  };
  const whole = bytes.length - IPV4_BYTES;
  return [part(0, cut, 0x2000), part(cut, whole, cut >> 3)];
}

/** Tab-separated, with a line of column names. */
function writeLabels(path: string, labels: readonly Label[]): void {
  const time = (seconds: number) => timeText(Math.floor(seconds), Math.round((seconds % 1) * 1e9)).slice(0, 23) + 'Z';
  const lines = labels.map(({ scenario, detectors, from, to, subject, client = '', note = '' }) =>
    [scenario, detectors.join('|'), time(from), time(to), subject, client, note].join('\t'),
  );
  try {
    writeFileSync(path, ['scenario\tdetectors\tfrom\tto\tsubject\tclient\tnote', ...lines, ''].join('\n'));
  } catch (error) {
    throw new UserError(`Cannot write ${path}: ${reasonOf(error)}.`, EXIT.file);
  }
}
