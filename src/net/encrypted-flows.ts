import type { Carrier } from '../core/carrier.ts';
import type { EncryptedFlow, EncryptedKind } from '../core/encrypted-flow.ts';
import { isResolverName } from '../core/public-resolvers.ts';
import { type ClientHello, readClientHello } from './client-hello.ts';
import { cryptoPieces, readInitial, type Unseal } from './quic-initial.ts';

/** What the dissector knows of a flow; the engine adds where it stands among rows. */
export type SeenFlow = Omit<EncryptedFlow, 'closeSeconds' | 'closeNanos'>;

/** A flow that goes on is told of again after so many seconds. */
const AGAIN_SECONDS = 300;
/** Flows remembered. All are forgotten when there are more: some are told of once too often then. */
const MOST_FLOWS = 16_384;
/** More new flows than this in a second are a scan or a flood: they wait for a later packet of theirs, and are counted. */
const MOST_A_SECOND = 1000;
/** First messages that have come in part only. */
const MOST_PARTIAL = 256;
/** Longest first message that is waited for. */
const HELLO_BYTES = 4096;
const HANDSHAKE_RECORD = 22;
const RECORD_HEADER = 5;

/** A first message that comes in several segments or packets, in any order. */
class Partial {
  readonly bytes = new Uint8Array(HELLO_BYTES);
  /** 1 where an octet has come. */
  readonly #has = new Uint8Array(HELLO_BYTES);
  /** Octets that have come without a gap. */
  length = 0;
  /** TCP: sequence number of its first octet. */
  readonly sequence: number;

  constructor(sequence = 0) {
    this.sequence = sequence;
  }

  add(bytes: Uint8Array, at: number, count: number, offset: number): void {
    const fitting = Math.min(count, HELLO_BYTES - offset);
    if (fitting <= 0) return;
    this.bytes.set(bytes.subarray(at, at + fitting), offset);
    this.#has.fill(1, offset, offset + fitting);
    while (this.length < HELLO_BYTES && this.#has[this.length] === 1) this.length++;
  }

  /** What it says; null while more of it has to come. */
  hello(): ClientHello | null {
    const hello = readClientHello(this.bytes, 0, this.length);
    return hello === null || hello.isWhole || this.length === HELLO_BYTES ? hello : null;
  }
}

/**
 * Tells of clients that speak encrypted DNS: by port, by what the first message of TLS or QUIC says, and by addresses
 * that are known. Of each pair, and each name said, once in a while; memory is bounded.
 */
export class EncryptedFlows {
  readonly #found: (flow: SeenFlow) => void;
  readonly #unseal: Unseal | undefined;
  /** When a flow was last told of, by hash. */
  readonly #told = new Map<number, number>();
  readonly #partial = new Map<number, Partial>();
  /** The second at hand, how many were told of in it, and how many were not, since one was. */
  #second = 0;
  #inSecond = 0;
  #missed = 0;

  /** `unseal` opens the first packets of QUIC; without it a flow in QUIC is known by port and address alone. */
  constructor(found: (flow: SeenFlow) => void, unseal?: Unseal) {
    this.#found = found;
    this.#unseal = unseal;
  }

  /** A TCP segment with data on a port of TLS. `isKnown`: the port or the address alone says that it is DNS. */
  segment(carrier: Carrier, payload: Payload, sequence: number, isKnown: boolean): void {
    const { bytes, at, end } = payload;
    if (end <= at) return;
    // Nearly all that TLS carries is neither known nor a first message.
    if (!isKnown && this.#partial.size === 0 && !isHelloRecord(bytes, at, end)) return;
    const key = flowKey(carrier, true);
    const waiting = this.#partial.get(key);
    if (waiting !== undefined) {
      if (!isFromClient(carrier)) return;
      // What lies behind the record's header; a repeated segment begins before.
      const offset = (sequence - waiting.sequence) | 0;
      if (offset >= 0) waiting.add(bytes, at, end - at, offset);
      this.#finish(carrier, key, waiting, isKnown);
      return;
    }
    if (!isFromClient(carrier) || !isHelloRecord(bytes, at, end)) {
      if (isKnown) this.known(carrier, kindOf(carrier));
      return;
    }
    const partial = new Partial((sequence + RECORD_HEADER) | 0);
    partial.add(bytes, at + RECORD_HEADER, end - at - RECORD_HEADER, 0);
    this.#finish(carrier, key, partial, isKnown);
  }

  /** A datagram on a port of QUIC. */
  datagram(carrier: Carrier, { bytes, at, end }: Payload, isKnown: boolean): void {
    const packet = this.#unseal === undefined || !isFromClient(carrier) ? null : readInitial(bytes, at, end);
    const key = flowKey(carrier, true);
    const waiting = this.#partial.get(key);
    if (packet === null) {
      if (isKnown && waiting === undefined) this.known(carrier, kindOf(carrier));
      return;
    }
    // To open a packet costs fifty times what it costs to read one: once for every pair is enough.
    const pair = flowKey(carrier, false, 'opened');
    if (waiting === undefined && !this.#isDue(pair, carrier.seconds)) return;
    const frames = this.#unseal?.(bytes, packet) ?? null;
    if (frames === null) return;
    const partial = waiting ?? new Partial();
    cryptoPieces(frames, (piece, from, length, offset) => partial.add(piece, from, length, offset));
    this.#finish(carrier, key, partial, isKnown);
  }

  /** A flow that is known without a first message. */
  known(carrier: Carrier, kind: EncryptedKind, fromServer = !isFromClient(carrier)): void {
    if (!this.#isDue(flowKey(carrier, false, kind), carrier.seconds)) return;
    this.#tell(carrier, kind, fromServer, null);
  }

  #finish(carrier: Carrier, key: number, partial: Partial, isKnown: boolean): void {
    const hello = partial.hello();
    if (hello === null && partial.length < HELLO_BYTES) {
      if (this.#partial.size >= MOST_PARTIAL) this.#partial.clear();
      this.#partial.set(key, partial);
      return;
    }
    this.#partial.delete(key);
    const kind = hello === null ? undefined : kindOfHello(carrier, hello, isKnown);
    if (hello === null || kind === undefined) return;
    const named = flowKey(carrier, false, `${kind} ${hello.serverName ?? ''}`);
    const isDue = this.#isDue(named, carrier.seconds);
    // What follows on the connection says nothing new.
    this.#isDue(flowKey(carrier, false, kind), carrier.seconds);
    if (isDue) this.#tell(carrier, kind, false, hello);
  }

  /** Whether it is time to tell of something; it counts as told then. */
  #isDue(key: number, seconds: number): boolean {
    const last = this.#told.get(key);
    if (last !== undefined && Math.abs(seconds - last) < AGAIN_SECONDS) return false;
    if (seconds !== this.#second) {
      this.#second = seconds;
      this.#inSecond = 0;
    }
    if (++this.#inSecond > MOST_A_SECOND) {
      this.#missed++;
      return false;
    }
    if (last === undefined && this.#told.size >= MOST_FLOWS) this.#told.clear();
    this.#told.set(key, seconds);
    return true;
  }

  #tell(carrier: Carrier, kind: EncryptedKind, fromServer: boolean, hello: ClientHello | null): void {
    const source = [carrier.source0, carrier.source1, carrier.source2, carrier.source3] as const;
    const { destination0, destination1, destination2, destination3 } = carrier;
    const destination = [destination0, destination1, destination2, destination3] as const;
    const missed = this.#missed;
    this.#missed = 0;
    this.#found({
      kind,
      closeNumber: carrier.number,
      time: carrier.seconds + carrier.nanos / 1e9,
      family: carrier.family,
      client: unsigned(fromServer ? destination : source),
      server: unsigned(fromServer ? source : destination),
      clientPort: fromServer ? carrier.destinationPort : carrier.sourcePort,
      serverPort: fromServer ? carrier.sourcePort : carrier.destinationPort,
      transport: carrier.transport,
      ...(missed > 0 && { missed }),
      ...(hello?.serverName !== undefined && { serverName: hello.serverName }),
      ...(hello?.alpn !== undefined && { alpn: hello.alpn }),
    });
  }
}

/** The octets that a segment or datagram carries. */
export interface Payload {
  bytes: Uint8Array<ArrayBufferLike>;
  at: number;
  end: number;
}

function unsigned(words: readonly [number, number, number, number]): [number, number, number, number] {
  return [words[0] >>> 0, words[1] >>> 0, words[2] >>> 0, words[3] >>> 0];
}

/** Ports below say which end is the server: of both ends the lower one. */
function isFromClient({ sourcePort, destinationPort }: Carrier): boolean {
  return destinationPort <= sourcePort;
}

function kindOf(carrier: Carrier): EncryptedKind {
  const isWeb = Math.min(carrier.sourcePort, carrier.destinationPort) === 443;
  return isWeb ? 'doh' : carrier.transport === 6 ? 'dot' : 'doq';
}

/** What a first message says to be; undefined for what is no DNS, or nobody knows to be. */
function kindOfHello(
  carrier: Carrier,
  { alpn = [], serverName }: ClientHello,
  isKnown: boolean,
): EncryptedKind | undefined {
  if (alpn.includes('dot')) return 'dot';
  if (alpn.some((one) => one === 'doq' || one.startsWith('doq-'))) return 'doq';
  return isKnown || (serverName !== undefined && isResolverName(serverName)) ? kindOf(carrier) : undefined;
}

/** Whether a segment begins with a ClientHello in a record of TLS (RFC 8446 §5.1). */
function isHelloRecord(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at > RECORD_HEADER && bytes[at] === HANDSHAKE_RECORD && bytes[at + 1] === 3 && bytes[at + 5] === 1;
}

/** 52 bits for the two ends, as a pair or (`isOneFlow`) with the client's port, and a word. */
function flowKey(carrier: Carrier, isOneFlow: boolean, more = ''): number {
  const { source0, source1, source2, source3, destination0, destination1, destination2, destination3 } = carrier;
  const { sourcePort, destinationPort } = carrier;
  const isForward = isFromClient(carrier);
  const a = fold(source0, source1, source2, source3, isOneFlow || !isForward ? sourcePort : 0);
  const b = fold(destination0, destination1, destination2, destination3, isOneFlow || isForward ? destinationPort : 0);
  let high = isForward ? mix(a, b) : mix(b, a);
  let low = mix(high ^ 0x2545f491, carrier.transport);
  for (let i = 0; i < more.length; i++) {
    high = mix(high, more.charCodeAt(i));
    low = mix(low, high);
  }
  return (high >>> 0) * 2 ** 20 + (low >>> 12);
}

function fold(w0: number, w1: number, w2: number, w3: number, port: number): number {
  return mix(mix(mix(mix(w0, w1), w2), w3), port);
}

function mix(a: number, b: number): number {
  const h = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b);
  return h ^ (h >>> 15);
}
