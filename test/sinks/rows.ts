import { Carrier } from '../../src/core/carrier.ts';
import { MessageJoin } from '../../src/core/join.ts';
import { Ledger } from '../../src/core/ledger.ts';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { Matcher } from '../../src/correlate/matcher.ts';
import type { MessageInput } from '../../src/rr/encode.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { MessageView } from '../../src/wire/message.ts';

/** A message on its way, as a test states it. Queries go from `client` to `server`, responses (flag `qr`) back. */
export interface Sent {
  /** Seconds since the capture began. */
  at: number;
  bytes: Uint8Array;
  /** Bytes the message had on the wire; more than `bytes` when the capture cut it. */
  claimed?: number;
  client?: readonly number[];
  server?: readonly number[];
  clientPort?: number;
  serverPort?: number;
  transport?: number;
  protocol?: number;
  vlan?: number;
  interfaceId?: number;
  setupNanos?: number;
  setupIsNew?: boolean;
  ipId?: number;
}

const START = 1_700_000_000;
const CLIENT = [192, 0, 2, 10];
const SERVER = [198, 51, 100, 53];

/** Four words of an address of 4 or 16 octets. */
function words(octets: readonly number[]): [number, number, number, number] {
  const word = (at: number) =>
    ((octets[at] << 24) | (octets[at + 1] << 16) | (octets[at + 2] << 8) | octets[at + 3]) >>> 0;
  return octets.length === 4 ? [0, 0, 0, word(0)] : [word(0), word(4), word(8), word(12)];
}

/** The carrier of a message in a frame of its own. */
export function carrierOf(sent: Sent, number: number, carrier: Carrier = new Carrier()): Carrier {
  const { bytes, client = CLIENT, server = SERVER, clientPort = 40_000, serverPort = 53 } = sent;
  const isResponse = bytes.length > 2 && (bytes[2] & 0x80) !== 0;
  const [from, to] = isResponse ? [server, client] : [client, server];
  const nanos = Math.round((sent.at % 1) * 1e9);
  carrier.number = number;
  carrier.seconds = START + Math.floor(sent.at) + Math.floor(nanos / 1e9);
  carrier.nanos = nanos % 1e9;
  carrier.family = client.length === 4 ? 4 : 6;
  [carrier.source0, carrier.source1, carrier.source2, carrier.source3] = words(from);
  [carrier.destination0, carrier.destination1, carrier.destination2, carrier.destination3] = words(to);
  carrier.sourcePort = isResponse ? serverPort : clientPort;
  carrier.destinationPort = isResponse ? clientPort : serverPort;
  carrier.transport = sent.transport ?? 17;
  carrier.protocol = sent.protocol ?? 0;
  carrier.vlan = sent.vlan ?? -1;
  carrier.interfaceId = sent.interfaceId ?? 0;
  carrier.ipId = sent.ipId ?? 0;
  carrier.setupNanos = sent.setupNanos ?? Number.NaN;
  carrier.setupIsNew = sent.setupIsNew ?? false;
  carrier.bytes = carrier.frame = bytes;
  carrier.at = 0;
  carrier.length = carrier.capturedLength = bytes.length;
  carrier.claimedLength = carrier.wireLength = sent.claimed ?? bytes.length;
  return carrier;
}

/** A message given as a value, sent at a time. */
export function sent(at: number, message: MessageInput, more: Partial<Sent> = {}): Sent {
  return { at, bytes: encodeMessage(message), ...more };
}

/** Calls back with every message of a list, joined as a run joins them, and returns the rows. */
export function join(
  list: readonly Sent[],
  each?: (carrier: Carrier, view: MessageView, join: MessageJoin) => void,
): TransactionBatch[] {
  const batches: TransactionBatch[] = [];
  const matcher = new Matcher(new Ledger(), (batch) => batches.push(batch));
  const view = new MessageView();
  const state = new MessageJoin();
  list.forEach((one, i) => {
    const carrier = carrierOf(one, i + 1);
    matcher.advance(carrier.seconds, carrier.nanos);
    view.read(carrier.bytes, carrier.at, carrier.length, carrier.claimedLength);
    matcher.add(carrier, view, state, null);
    each?.(carrier, view, state);
  });
  matcher.finish();
  return batches;
}

/** A row straight from messages and columns, however unlikely: for what no matcher would write. */
export function addRow(
  batch: TransactionBatch,
  row: {
    query?: Uint8Array;
    response?: Uint8Array;
    frames?: { query: number[]; response: number[] };
    columns?: Partial<Record<keyof TransactionBatch['col'], number>>;
  },
): void {
  const { query = new Uint8Array(0), response = new Uint8Array(0), frames = { query: [], response: [] } } = row;
  const i = batch.count;
  const col = batch.col;
  const framesAt = (batch.used + 7) & ~7;
  const numbers = [...frames.query, ...frames.response];
  new Float64Array(batch.buffer, batch.arena.byteOffset + framesAt, numbers.length).set(numbers);
  const queryAt = framesAt + 8 * numbers.length;
  batch.arena.set(query, queryAt);
  batch.arena.set(response, queryAt + query.length);
  batch.used = queryAt + query.length + response.length;
  zeroRow(batch, i);
  for (const [name, value] of Object.entries(row.columns ?? {})) col[name as keyof typeof col][i] = value;
  col.framesAt[i] = framesAt;
  col.queryFrames[i] = frames.query.length;
  col.responseFrames[i] = frames.response.length;
  col.queryAt[i] = queryAt;
  col.queryLength[i] = query.length;
  col.responseAt[i] = queryAt + query.length;
  col.responseLength[i] = response.length;
  batch.count = i + 1;
}

function zeroRow(batch: TransactionBatch, i: number): void {
  for (const column of Object.values(batch.col)) column[i] = 0;
}

export type Edit = readonly [position: number, how: 'set' | 'pointer' | 'cut', value: number];

/** A message with some octets changed, turned into a pointer, or cut off. */
export function edited(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let copy = bytes.slice();
  for (const [position, how, value] of edits) {
    if (copy.length === 0) break;
    const at = position % copy.length;
    if (how === 'cut') copy = copy.slice(0, at);
    else if (how === 'set') copy[at] = value;
    else copy.set([0xc0, value].slice(0, copy.length - at), at);
  }
  return copy;
}
