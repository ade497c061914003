import { Carrier, TCP, UDP } from '../core/carrier.ts';
import type { CapturedInterface } from '../core/frames.ts';
import { NO_PACKET } from '../core/frames.ts';
import { ProtobufReader } from './protobuf.ts';
import { QueryMemory } from './query-memory.ts';

/** Senders kept apart by their identity; further ones share the last place. */
const MAX_IDENTITIES = 1024;
/** How dnstap's socket protocols travel: 1 UDP, 2 TCP, 3 DoT, 4 DoH, 5 and 6 DNSCrypt, 7 DoQ. */
const TRANSPORTS = [UDP, UDP, TCP, TCP, TCP, UDP, TCP, UDP];

/** The fields of a dnstap.Message, as offsets into the payload; −1 where absent. */
class Fields {
  type = 0;
  protocol = 0;
  queryAddressAt = -1;
  queryAddressLength = 0;
  responseAddressAt = -1;
  responseAddressLength = 0;
  queryPort = 0;
  responsePort = 0;
  querySeconds = -1;
  queryNanos = 0;
  responseSeconds = -1;
  responseNanos = 0;
  queryAt = -1;
  queryLength = 0;
  responseAt = -1;
  responseLength = 0;

  clear(): void {
    this.type = this.protocol = 0;
    this.queryAddressAt = this.responseAddressAt = this.queryAt = this.responseAt = -1;
    this.queryAddressLength = this.responseAddressLength = this.queryLength = this.responseLength = 0;
    this.queryPort = this.responsePort = 0;
    this.querySeconds = this.responseSeconds = -1;
    this.queryNanos = this.responseNanos = 0;
  }
}

/** Who sent a payload, as offsets into it. */
class Sender {
  identityAt = 0;
  identityLength = 0;
  versionAt = 0;
  versionLength = 0;

  clear(): void {
    this.identityAt = this.identityLength = this.versionAt = this.versionLength = 0;
  }
}

/**
 * Turns dnstap payloads into messages. A response that tells when its query was sent yields that query first (its own
 * bytes where they are given, else its header and question as the response repeats them), unless the query itself was
 * seen: so the latency is right whichever half a sender logs.
 */
export class DnstapDecoder {
  readonly interfaces: CapturedInterface[] = [];
  /** Payloads that could not be read. */
  unreadable = 0;
  readonly #deliver: (carrier: Carrier) => void;
  readonly #carrier = new Carrier();
  readonly #outer = new ProtobufReader();
  readonly #inner = new ProtobufReader();
  readonly #fields = new Fields();
  readonly #queries = new QueryMemory();
  readonly #identities = new Map<string, number>();
  readonly #synthetic = new Uint8Array(512);
  readonly #sender = new Sender();
  readonly #last = { identity: new Uint8Array(0), version: new Uint8Array(0), index: 0 };

  constructor(deliver: (carrier: Carrier) => void) {
    this.#deliver = deliver;
    this.#carrier.interfaces = this.interfaces;
  }

  /** Takes the payload `bytes[at, at + length)` of one data frame. */
  decode(bytes: Uint8Array, at: number, length: number): void {
    const outer = this.#outer;
    const sender = this.#sender;
    let found = false;
    sender.clear();
    outer.start(bytes, at, at + length);
    while (outer.next()) {
      if (outer.field === 1) {
        sender.identityAt = outer.at;
        sender.identityLength = outer.length;
      } else if (outer.field === 2) {
        sender.versionAt = outer.at;
        sender.versionLength = outer.length;
      } else if (outer.field === 14) found = this.#readMessage(bytes, outer.at, outer.at + outer.length);
    }
    const { type } = this.#fields;
    if (outer.isBroken || !found || type < 1 || type > 14) {
      this.unreadable++;
      return;
    }
    this.#carrier.interfaceId = this.#interfaceOf(bytes);
    this.#carrier.tapType = type;
    if (type % 2 === 1) this.#query(bytes);
    else this.#response(bytes);
  }

  #readMessage(bytes: Uint8Array, at: number, end: number): boolean {
    const f = this.#fields;
    const r = this.#inner;
    f.clear();
    r.start(bytes, at, end);
    while (r.next()) {
      switch (r.field) {
        case 1:
          f.type = r.value;
          break;
        case 3:
          f.protocol = r.value;
          break;
        case 4:
          f.queryAddressAt = r.at;
          f.queryAddressLength = r.length;
          break;
        case 5:
          f.responseAddressAt = r.at;
          f.responseAddressLength = r.length;
          break;
        case 6:
          f.queryPort = r.value & 0xffff;
          break;
        case 7:
          f.responsePort = r.value & 0xffff;
          break;
        case 8:
          f.querySeconds = r.value;
          break;
        case 9:
          f.queryNanos = r.value;
          break;
        case 10:
          f.queryAt = r.at;
          f.queryLength = r.length;
          break;
        case 12:
          f.responseSeconds = r.value;
          break;
        case 13:
          f.responseNanos = r.value;
          break;
        case 14:
          f.responseAt = r.at;
          f.responseLength = r.length;
          break;
      }
    }
    return !r.isBroken;
  }

  #query(bytes: Uint8Array): void {
    const f = this.#fields;
    if (f.queryAt < 0) {
      this.unreadable++;
      return;
    }
    this.#address(bytes, false);
    this.#queries.remember(this.#carrier, bytes, f.queryAt, f.queryLength);
    this.#send(bytes, f.queryAt, f.queryLength, f.querySeconds, f.queryNanos);
  }

  #response(bytes: Uint8Array): void {
    const f = this.#fields;
    if (f.querySeconds >= 0) this.#queryOfResponse(bytes);
    if (f.responseAt < 0) {
      if (f.queryAt < 0 || f.querySeconds < 0) this.unreadable++;
      return;
    }
    this.#address(bytes, true);
    this.#send(bytes, f.responseAt, f.responseLength, f.responseSeconds, f.responseNanos);
  }

  #queryOfResponse(bytes: Uint8Array): void {
    const f = this.#fields;
    const given = f.queryAt >= 0;
    const length = given ? f.queryLength : this.#synthesize(bytes, f.responseAt, f.responseLength);
    const query = given ? bytes : this.#synthetic;
    const at = given ? f.queryAt : 0;
    this.#address(bytes, false);
    if (length === 0 || this.#queries.forget(this.#carrier, query, at, length)) return;
    this.#send(query, at, length, f.querySeconds, f.queryNanos);
  }

  /** Header and first question of a response as its query had them; 0 when it holds no sound question. */
  #synthesize(bytes: Uint8Array, at: number, length: number): number {
    if (at < 0 || length < 12) return 0;
    const end = at + length;
    let question = at + 12;
    if (bytes[at + 4] === 0 && bytes[at + 5] === 0) return 0;
    while (question < end && bytes[question] !== 0) {
      // The first name of a message has nothing to point back to.
      if (bytes[question] > 63) return 0;
      question += 1 + bytes[question];
    }
    const size = question + 5 - at;
    if (question + 5 > end || size > this.#synthetic.length) return 0;
    const out = this.#synthetic;
    out.set(bytes.subarray(at, at + size));
    // Of the flags a query has opcode, RD and CD.
    out[2] &= 0x79;
    out[3] &= 0x10;
    out.set([0, 1, 0, 0, 0, 0, 0, 0], 4);
    return size;
  }

  #address(bytes: Uint8Array, isResponse: boolean): void {
    const c = this.#carrier;
    const f = this.#fields;
    c.transport = TRANSPORTS[f.protocol] ?? UDP;
    c.tapProtocol = f.protocol;
    const longest = Math.max(f.queryAddressLength, f.responseAddressLength);
    c.family = longest > 4 ? 6 : 4;
    const [fromAt, fromLength, toAt, toLength] = isResponse
      ? [f.responseAddressAt, f.responseAddressLength, f.queryAddressAt, f.queryAddressLength]
      : [f.queryAddressAt, f.queryAddressLength, f.responseAddressAt, f.responseAddressLength];
    c.source0 = word(bytes, fromAt, fromLength, 0);
    c.source1 = word(bytes, fromAt, fromLength, 1);
    c.source2 = word(bytes, fromAt, fromLength, 2);
    c.source3 = word(bytes, fromAt, fromLength, 3);
    c.destination0 = word(bytes, toAt, toLength, 0);
    c.destination1 = word(bytes, toAt, toLength, 1);
    c.destination2 = word(bytes, toAt, toLength, 2);
    c.destination3 = word(bytes, toAt, toLength, 3);
    c.sourcePort = isResponse ? f.responsePort : f.queryPort;
    c.destinationPort = isResponse ? f.queryPort : f.responsePort;
  }

  #send(bytes: Uint8Array, at: number, length: number, seconds: number, nanos: number): void {
    const c = this.#carrier;
    c.number++;
    if (seconds >= 0) {
      c.seconds = seconds + Math.floor(nanos / 1e9);
      c.nanos = nanos % 1e9;
    } // Else the time of the message before is the best that is known.
    c.link = NO_PACKET;
    c.bytes = bytes;
    c.at = at;
    c.length = length;
    c.claimedLength = length;
    this.#deliver(c);
  }

  /** A sender is an interface; the same one as last time nearly always. */
  #interfaceOf(bytes: Uint8Array): number {
    const s = this.#sender;
    const last = this.#last;
    if (
      this.interfaces.length > 0 &&
      isSame(bytes, s.identityAt, s.identityLength, last.identity) &&
      isSame(bytes, s.versionAt, s.versionLength, last.version)
    ) {
      return last.index;
    }
    last.identity = bytes.slice(s.identityAt, s.identityAt + s.identityLength);
    last.version = bytes.slice(s.versionAt, s.versionAt + s.versionLength);
    last.index = this.#indexOf(text(last.identity), text(last.version));
    return last.index;
  }

  #indexOf(name: string, description: string): number {
    const key = `${name}\n${description}`;
    const known = this.#identities.get(key);
    if (known !== undefined) return known;
    if (this.interfaces.length === MAX_IDENTITIES) return MAX_IDENTITIES - 1;
    const entry: CapturedInterface = { link: NO_PACKET, snaplen: 0 };
    if (name !== '') entry.name = name;
    if (description !== '') entry.description = description;
    const index = this.interfaces.push(entry) - 1;
    this.#identities.set(key, index);
    return index;
  }
}

function isSame(bytes: Uint8Array, at: number, length: number, other: Uint8Array): boolean {
  if (length !== other.length) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== other[i]) return false;
  return true;
}

/** 32-bit word `i` of an address in the run's form: IPv4 in the last word. Addresses of other lengths are zero. */
export function word(bytes: Uint8Array, at: number, length: number, i: number): number {
  if (length === 4 ? i < 3 : length !== 16) return 0;
  const from = length === 4 ? at : at + i * 4;
  return ((bytes[from] << 24) | (bytes[from + 1] << 16) | (bytes[from + 2] << 8) | bytes[from + 3]) >>> 0;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 255)).toString('utf8');
}
