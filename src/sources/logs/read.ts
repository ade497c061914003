import { setImmediate } from 'node:timers/promises';
import { EXIT, UserError } from '../../core/errors.ts';
import type { Damage } from '../../core/frames.ts';
import type { TransactionBatch } from '../../core/transactions.ts';
import { BatchWriter } from '../../rr/batch-writer.ts';
import type { Exchange } from '../../rr/exchange.ts';
import { BrokenInput, type ByteInput, Peeked } from '../byte-input.ts';
import { openBytes } from '../bytes.ts';
import { uncompressed } from '../compressed.ts';
import { csvLog } from './csv.ts';
import { eveLog } from './eve.ts';
import type { LogFormat } from './format.ts';
import { zeekJson, zeekTsv } from './zeek.ts';

/** The kinds of log, in the order in which they are looked for. */
export const LOG_FORMATS: readonly LogFormat[] = [zeekTsv, eveLog, zeekJson, csvLog];

const MAGIC_BYTES = 6;
const HEAD_BYTES = 1 << 16;
const CHUNK_BYTES = 1 << 18;
/** A line that is longer is no line of a log. */
const MOST_LINE = 1 << 20;
/** Rows are put in order of time over this span, and over so many of them. */
const HORIZON_SECONDS = 120;
const MOST_HELD = 1 << 18;

/** What reading a log found. */
export interface LogCounts {
  path: string;
  format: string;
  lines: number;
  rows: number;
  /** Lines of no use, and the first of them: its number and why. */
  bad: number;
  firstBad?: { line: number; reason: string };
  /** Answers whose question the log does not have. */
  unasked: number;
  damage?: Damage;
}

/** A log that was opened: its kind is known. */
export interface OpenLog {
  path: string;
  format: LogFormat;
  input: ByteInput;
}

/**
 * Opens a log, plain or compressed (`-` is standard input), and tells its kind by how it begins; `kind` names it
 * instead. Undefined when it is none, with the input closed. Throws UserError (exit 3) when it cannot be opened.
 */
export async function openLogFile(path: string, kind?: string): Promise<OpenLog | undefined> {
  const raw = await openBytes(path);
  const magic = await begin(raw, MAGIC_BYTES);
  const input = (magic.length === MAGIC_BYTES ? uncompressed(raw, magic) : undefined) ?? new Peeked(raw, magic);
  let start: Uint8Array;
  try {
    start = await begin(input, HEAD_BYTES);
  } catch (error) {
    input.close();
    if (error instanceof BrokenInput && kind === undefined) return undefined;
    throw error;
  }
  const head = Buffer.from(start)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  const first = /[^\s][^\n]*/.exec(head)?.[0].trimEnd() ?? '';
  const format =
    kind === undefined
      ? LOG_FORMATS.find((one) => one.matches(head, first))
      : LOG_FORMATS.find(({ name }) => name === kind);
  if (format === undefined) {
    input.close();
    return undefined;
  }
  return { path, format, input: new Peeked(input, start) };
}

/** The first bytes of an input, fewer where it ends before. */
async function begin(input: ByteInput, bytes: number): Promise<Uint8Array> {
  const head = new Uint8Array(bytes);
  let length = 0;
  while (length < bytes) {
    const count = await input.read(head.subarray(length));
    if (count === 0) break;
    if (count > 0) length += count;
  }
  return head.subarray(0, length);
}

/** Lines of an input in pieces, without their ends. Throws BrokenInput behind the last that could be had. */
export async function* linesOf(input: ByteInput): AsyncGenerator<string[]> {
  const bytes = new Uint8Array(CHUNK_BYTES);
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const count = await input.read(bytes);
    if (count < 0) continue;
    const lines = (rest + decoder.decode(bytes.subarray(0, count), { stream: count > 0 })).split('\n');
    rest = count === 0 ? '' : (lines.pop() ?? '');
    // Of a line without an end only so much is kept: it is counted as one of no use.
    if (rest.length > MOST_LINE) rest = rest.slice(0, MOST_LINE);
    if (count === 0 && lines.at(-1) === '') lines.pop();
    yield lines;
    if (count === 0) return;
    // Reads of a file do not wait: let signals and timers have their turn between them.
    await setImmediate();
  }
}

/** The exchanges of a log in order of time, in pieces; `counts` grows as it is read. */
async function* exchangesOf({ input, format }: OpenLog, counts: LogCounts): AsyncGenerator<Exchange[]> {
  const parser = format.open();
  let held: Exchange[] = [];
  let newest = Number.NEGATIVE_INFINITY;
  const emit = (exchange: Exchange) => {
    counts.rows++;
    if (exchange.time > newest) newest = exchange.time;
    held.push(exchange);
  };
  const inOrder = (until: number): Exchange[] => {
    held.sort((a, b) => a.time - b.time || (a.nanos ?? 0) - (b.nanos ?? 0));
    const at = held.findIndex(({ time }) => time >= until);
    const ready = at < 0 ? held : held.slice(0, at);
    held = at < 0 ? [] : held.slice(at);
    return ready;
  };
  try {
    for await (const lines of linesOf(input)) {
      for (const line of lines) {
        counts.lines++;
        const text = line.endsWith('\r') ? line.slice(0, -1) : line;
        if (text === '') continue;
        const reason = text.length >= MOST_LINE ? 'it is too long' : parser.line(text, emit);
        if (reason === undefined) continue;
        counts.bad++;
        counts.firstBad ??= { line: counts.lines, reason };
      }
      if (held.length > MOST_HELD) yield inOrder(Math.max(newest - HORIZON_SECONDS, held[held.length >> 1].time));
    }
  } catch (error) {
    if (!(error instanceof BrokenInput)) throw error;
    counts.damage = { file: counts.path, offset: input.readBytes, reason: error.message };
  } finally {
    input.close();
  }
  parser.end?.(emit);
  counts.unasked = parser.unasked ?? 0;
  yield inOrder(Number.POSITIVE_INFINITY);
}

/**
 * Reads logs as one, in order of time, and hands over their transactions. What it found in each is returned; a log in
 * which no line was of use throws UserError (exit 3).
 */
export async function readLogs(
  logs: readonly OpenLog[],
  signal: AbortSignal,
  rows: (batch: TransactionBatch) => boolean | undefined,
): Promise<LogCounts[]> {
  const writer = new BatchWriter(rows);
  const counts = logs.map(
    ({ path, format }): LogCounts => ({ path, format: format.name, lines: 0, rows: 0, bad: 0, unasked: 0 }),
  );
  const lanes = await Promise.all(logs.map((log, i) => openLane(exchangesOf(log, counts[i]))));
  while (!signal.aborted) {
    const open = lanes.filter(({ list }) => list.length > 0);
    if (open.length === 0) break;
    const first = open.reduce((a, b) => (isEarlier(b, a) ? b : a));
    const others = open.filter((lane) => lane !== first);
    do writer.add(first.list[first.at++]);
    while (first.at < first.list.length && !others.some((other) => isEarlier(other, first)));
    if (first.at === first.list.length) await advance(first);
  }
  writer.finish();
  const empty = counts.find(({ rows: found, bad }) => found === 0 && bad > 0);
  if (empty?.firstBad !== undefined) {
    const { line, reason } = empty.firstBad;
    throw new UserError(
      `${empty.path} was read as ${empty.format}, and no line of it could be used. Line ${line}: ${reason}.`,
      EXIT.file,
    );
  }
  return counts;
}

interface Lane {
  from: AsyncGenerator<Exchange[]>;
  list: Exchange[];
  at: number;
}

async function openLane(from: AsyncGenerator<Exchange[]>): Promise<Lane> {
  const lane: Lane = { from, list: [], at: 0 };
  await advance(lane);
  return lane;
}

async function advance(lane: Lane): Promise<void> {
  lane.at = 0;
  lane.list = [];
  while (lane.list.length === 0) {
    const next = await lane.from.next();
    if (next.done === true) return;
    lane.list = next.value;
  }
}

function isEarlier(a: Lane, b: Lane): boolean {
  const [x, y] = [a.list[a.at], b.list[b.at]];
  return x.time < y.time || (x.time === y.time && (x.nanos ?? 0) < (y.nanos ?? 0));
}
