import { decodeMessage } from '../app/decode.ts';
import { addLoss } from '../app/plan.ts';
import { timeText } from '../core/clock.ts';
import { rowFilter } from '../filter/row.ts';
import { UserError } from '../core/errors.ts';
import { type Damage, FrameBatch } from '../core/frames.ts';
import { idText, type TransactionBatch } from '../core/transactions.ts';
import { PathLinker } from '../correlate/path.ts';
import { registrable, registrableStart } from '../enrich/public-suffix.ts';
import { Engine } from '../pipeline/engine.ts';
import { Report } from '../report/report.ts';
import { type ReportValue, reportValue } from '../report/value.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import { BrokenInput, type ByteInput, Peeked } from '../sources/byte-input.ts';
import { CaptureReader } from '../sources/capture-reader.ts';
import { Shared } from '../sources/format.ts';
import { type GroupsQuery, type GroupsRow, groupsOf } from './groups.ts';
import { crc32 } from '../sources/crc32.ts';
import { Lz4Input } from '../sources/lz4.ts';
import { XzInput } from '../sources/xz.ts';
import { type ZstdDecoder, ZstdInput } from '../sources/zstd.ts';

/** Most memory for transactions kept to be looked at; the report counts those beyond it too. */
const KEEP_BYTES = 512 * 1024 * 1024;
/** Rows between two words of progress, and the part of finding rows in grouping them. */
const PROGRESS_ROWS = 8192;
const FIND_SHARE = 0.2;
const TOP_ROWS = 10;

export interface AnalyseOptions {
  /** The file's name, for messages. */
  name: string;
  signal: AbortSignal;
  /** Called after every piece of the file. */
  progress(readBytes: number, totalBytes: number, transactions: number): void;
  /** Memory for transactions, bytes; 512 MiB unless told. */
  keepBytes?: number;
  /** Loads what decodes zstd; without it such a file is refused. */
  zstd?: () => Promise<ZstdDecoder>;
}

/**
 * Reads a capture file that the page holds (pcap or pcapng; plain, gzip, zstd, lz4 or xz) with the engine that `nametap read` uses.
 * Nothing leaves the browser. Throws `UserError` when it is no capture; damage in it ends the reading and is told.
 */
export async function analyseCapture(file: Blob, options: AnalyseOptions): Promise<CaptureAnalysis> {
  const shared = new Shared();
  const report = new Report({}, registrableStart);
  const kept = new KeptRows(options.keepBytes ?? KEEP_BYTES);
  const paths = new PathLinker((batch, from, to) => {
    report.add(batch, from, to);
    kept.add(batch, from, to);
  });
  const engine = new Engine({ dissect: { heuristic: true, streams: false } }, { rows: (batch) => paths.add(batch) });
  engine.interfaces = shared.interfaces;
  const reader = readerOf(file, options, shared);
  const batch = new FrameBatch();
  let frames = 0;
  try {
    while (!options.signal.aborted && (await reader.next(batch))) {
      for (let i = 0; i < batch.count; i++) batch.number[i] = ++frames;
      if (batch.count > 0) engine.frames(batch);
      options.progress(reader.readBytes, reader.totalBytes, report.rows);
    }
  } finally {
    reader.close();
  }
  engine.finish();
  paths.end();
  addLoss(engine.ledger, shared.loss());
  report.addLedger(engine.ledger);
  return new CaptureAnalysis(file, options, { report, rows: kept, shared, damage: reader.damage });
}

function readerOf(file: Blob, { name, zstd }: Pick<AnalyseOptions, 'name' | 'zstd'>, shared: Shared): CaptureReader {
  return new CaptureReader(name, new StreamInput(file.stream(), file.size), shared, {
    uncompressed: (input, head) => uncompressed(file, input, head, zstd),
    compressions: zstd === undefined ? 'gzip, lz4 or xz' : 'gzip, zstd, lz4 or xz',
    turn: () => Promise.resolve(),
  });
}

/** What a capture was found to hold. */
interface Analysed {
  report: Report;
  rows: KeptRows;
  shared: Shared;
  damage: Damage | undefined;
}

/** A frame of a transaction, as captured; `time` in RFC 3339 with 9 digits, `length` on the wire. */
export interface CapturedPacket {
  number: number;
  time: string;
  length: number;
  bytes: Uint8Array;
  direction: 'query' | 'response';
}

/** A message of a transaction: its bytes, and what they say. */
export interface DecodedMessage {
  bytes: Uint8Array;
  tree: ReturnType<typeof decodeMessage>;
}

/** What is known of a capture: its report, and its transactions, newest first as the log shows them. */
export class CaptureAnalysis {
  readonly report: ReportValue;
  /** Transactions in the file, and those kept to be looked at. */
  readonly total: number;
  readonly kept: number;
  readonly damage: Damage | undefined;
  readonly #rows: KeptRows;
  readonly #shared: Shared;
  readonly #file: Blob;
  readonly #options: AnalyseOptions;

  constructor(file: Blob, options: AnalyseOptions, { report, rows, shared, damage }: Analysed) {
    const source = { files: [options.name], ...(damage !== undefined && { damage: [damage] }) };
    this.report = reportValue(report, source, TOP_ROWS);
    this.#file = file;
    this.#options = options;
    this.total = report.rows;
    this.kept = rows.count;
    this.damage = damage;
    this.#rows = rows;
    this.#shared = shared;
  }

  /** Numbers of the transactions that pass, newest first; `progress`: 0 … 1. Throws `FilterError`. */
  find(filter: string, progress?: (share: number) => void): Uint32Array {
    const passes = filter.trim() === '' ? () => true : rowFilter(filter, this.#shared.interfaces);
    const found: number[] = [];
    for (let n = this.kept - 1; n >= 0; n--) {
      if (n % PROGRESS_ROWS === 0) progress?.(1 - n / this.kept);
      const [batch, row] = this.#rows.at(n);
      if (passes(batch, row)) found.push(n);
    }
    return Uint32Array.from(found);
  }

  /** What passes the filter, counted by what it has in common; `progress`: 0 … 1. Throws `FilterError`. */
  groups(filter: string, query: GroupsQuery, progress?: (share: number) => void): GroupsRow[] {
    const rows = this.#rows;
    // To find them is the smaller part: reading what they have in common takes longer.
    const numbers = this.find(filter, (share) => progress?.(share * FIND_SHARE));
    return groupsOf(
      (function* () {
        for (let k = 0; k < numbers.length; k++) {
          if (k % PROGRESS_ROWS === 0) progress?.(FIND_SHARE + (1 - FIND_SHARE) * (k / numbers.length));
          yield rows.at(numbers[k]);
        }
      })(),
      query,
    );
  }

  /** The frames of a transaction: they are not kept, the file is read again up to the last of them. */
  async packets(n: number): Promise<CapturedPacket[]> {
    const [batch, row] = this.#rows.at(n);
    const { query, response } = batch.frames(row);
    const wanted = new Map([
      ...query.map((number) => [number, 'query'] as const),
      ...response.map((number) => [number, 'response'] as const),
    ]);
    const packets: CapturedPacket[] = [];
    const reader = readerOf(this.#file, this.#options, new Shared());
    const frames = new FrameBatch();
    let number = 0;
    try {
      while (packets.length < wanted.size && (await reader.next(frames))) {
        for (let i = 0; i < frames.count; i++) {
          const direction = wanted.get(++number);
          if (direction !== undefined) packets.push(packetOf(frames, i, number, direction));
        }
      }
    } finally {
      reader.close();
    }
    return packets;
  }

  transaction(n: number): Transaction {
    const [batch, row] = this.#rows.at(n);
    const interfaceName = this.#shared.interfaces[batch.col.interfaceId[row]]?.name;
    return transactionValue(batch, row, {
      registrableDomain: registrable,
      ...(interfaceName !== undefined && { interfaceName }),
    });
  }

  /** Its stable id, and that of the transaction that caused it (empty: none), without reading its messages. */
  ids(n: number): { id: string; parent: string } {
    const [batch, row] = this.#rows.at(n);
    const c = batch.col;
    return { id: idText(c.idHigh[row], c.idLow[row]), parent: idText(c.parentHigh[row], c.parentLow[row]) };
  }

  /** Query and response of a transaction, decoded; null where there is none. */
  messages(n: number): { query: DecodedMessage | null; response: DecodedMessage | null } {
    const [batch, row] = this.#rows.at(n);
    const c = batch.col;
    const decoded = (at: number, length: number): DecodedMessage | null => {
      if (length === 0) return null;
      const bytes = batch.arena.slice(at, at + length);
      return { bytes, tree: decodeMessage(bytes, c.protocol[row]) };
    };
    return {
      query: decoded(c.queryAt[row], c.queryLength[row]),
      response: decoded(c.responseAt[row], c.responseLength[row]),
    };
  }
}

function packetOf(
  { bytes, at, captured, wire, seconds, nanos }: FrameBatch,
  i: number,
  number: number,
  direction: CapturedPacket['direction'],
): CapturedPacket {
  const octets = bytes.slice(at[i], at[i] + captured[i]);
  return { number, time: timeText(seconds[i], nanos[i]), length: wire[i], bytes: octets, direction };
}

/** Rows in order of closing, within a bound of memory. */
class KeptRows {
  count = 0;
  #bytes = 0;
  readonly #most: number;
  /** Pieces of batches, and the number of each one's first row. */
  readonly #pieces: { batch: TransactionBatch; from: number }[] = [];
  readonly #starts: number[] = [];
  readonly #known = new Set<TransactionBatch>();

  constructor(most: number) {
    this.#most = most;
  }

  add(batch: TransactionBatch, from: number, to: number): void {
    if (!this.#known.has(batch)) {
      if (this.#bytes + batch.buffer.byteLength > this.#most) return;
      this.#known.add(batch);
      this.#bytes += batch.buffer.byteLength;
    }
    this.#pieces.push({ batch, from });
    this.#starts.push(this.count);
    this.count += to - from;
  }

  at(n: number): [batch: TransactionBatch, row: number] {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle] <= n) low = middle;
      else high = middle;
    }
    const { batch, from } = this.#pieces[low];
    return [batch, from + n - this.#starts[low]];
  }
}

/** What browsers can decompress, and what we can. */
function uncompressed(
  file: Blob,
  input: ByteInput,
  head: Uint8Array,
  zstd: AnalyseOptions['zstd'],
): ByteInput | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) {
    input.close();
    return StreamInput.gunzip(file);
  }
  if (head[0] === 0x04 && head[1] === 0x22 && head[2] === 0x4d && head[3] === 0x18) {
    return new Lz4Input(new Peeked(input, head.slice()));
  }
  if (zstd !== undefined && head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) {
    return new ZstdInput(new Peeked(input, head.slice()), zstd);
  }
  if (head[0] === 0xfd && head[1] === 0x37 && head[2] === 0x7a && head[3] === 0x58) {
    return new XzInput(new Peeked(input, head.slice()), { crc32 });
  }
  return undefined;
}

/** A stream as bytes in order. */
class StreamInput implements ByteInput {
  readBytes = 0;
  readonly totalBytes: number;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Bytes are counted before they are decompressed, elsewhere. */
  readonly #isCounted: boolean;

  constructor(stream: ReadableStream<Uint8Array>, totalBytes: number, isCounted = false) {
    this.#reader = stream.getReader();
    this.totalBytes = totalBytes;
    this.#isCounted = isCounted;
  }

  static gunzip(file: Blob): StreamInput {
    const count = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        input.readBytes += chunk.length;
        controller.enqueue(chunk);
      },
    });
    const plain = file.stream().pipeThrough(count).pipeThrough(new DecompressionStream('gzip'));
    const input: StreamInput = new StreamInput(plain, file.size, true);
    return input;
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#next();
      if (done) return 0;
      this.#chunk = value;
    }
    const count = Math.min(into.length, this.#chunk.length);
    into.set(this.#chunk.subarray(0, count));
    this.#chunk = this.#chunk.subarray(count);
    if (!this.#isCounted) this.readBytes += count;
    return count;
  }

  close(): void {
    // What a cancelled stream still has to say does not matter.
    this.#reader.cancel().catch(() => undefined);
  }

  async #next(): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      return await this.#reader.read();
    } catch (error) {
      if (error instanceof UserError) throw error;
      const why = error instanceof Error && error.message !== '' ? ` (${error.message})` : '';
      throw new BrokenInput(`the file cannot be read further${why}`, { cause: error });
    }
  }
}
