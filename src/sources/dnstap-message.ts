import type { Carrier } from '../core/carrier.ts';
import type { CapturedInterface } from '../core/frames.ts';
import { ProtobufReader } from './protobuf.ts';
import { QueryMemory } from './query-memory.ts';
import { TapCarrier, type TapEnds } from './tap-carrier.ts';

/** The fields of a dnstap.Message, as offsets into the payload; −1 where absent. */
class Fields implements TapEnds {
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
  readonly interfaces: readonly CapturedInterface[];
  /** Payloads that could not be read. */
  unreadable = 0;
  readonly #tap: TapCarrier;
  readonly #outer = new ProtobufReader();
  readonly #inner = new ProtobufReader();
  readonly #fields = new Fields();
  readonly #queries = new QueryMemory();
  readonly #synthetic = new Uint8Array(512);
  readonly #sender = new Sender();
  readonly #last = { identity: new Uint8Array(0), version: new Uint8Array(0), index: 0 };

  constructor(deliver: (carrier: Carrier) => void) {
    this.#tap = new TapCarrier(deliver);
    this.interfaces = this.#tap.interfaces;
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
    this.#tap.carrier.interfaceId = this.#interfaceOf(bytes);
    this.#tap.carrier.tapType = type;
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
    this.#tap.address(bytes, f, false);
    this.#queries.remember(this.#tap.carrier, bytes, f.queryAt, f.queryLength);
    this.#tap.send(bytes, f.queryAt, f.queryLength, f.querySeconds, f.queryNanos);
  }

  #response(bytes: Uint8Array): void {
    const f = this.#fields;
    if (f.querySeconds >= 0) this.#queryOfResponse(bytes);
    if (f.responseAt < 0) {
      if (f.queryAt < 0 || f.querySeconds < 0) this.unreadable++;
      return;
    }
    this.#tap.address(bytes, f, true);
    this.#tap.send(bytes, f.responseAt, f.responseLength, f.responseSeconds, f.responseNanos);
  }

  #queryOfResponse(bytes: Uint8Array): void {
    const f = this.#fields;
    const given = f.queryAt >= 0;
    const length = given ? f.queryLength : this.#synthesize(bytes, f.responseAt, f.responseLength);
    const query = given ? bytes : this.#synthetic;
    const at = given ? f.queryAt : 0;
    this.#tap.address(bytes, f, false);
    if (length === 0 || this.#queries.forget(this.#tap.carrier, query, at, length)) return;
    this.#tap.send(query, at, length, f.querySeconds, f.queryNanos);
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
    last.index = this.#tap.interfaceOf(text(last.identity), text(last.version));
    return last.index;
  }
}

function isSame(bytes: Uint8Array, at: number, length: number, other: Uint8Array): boolean {
  if (length !== other.length) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== other[i]) return false;
  return true;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 255)).toString('utf8');
}
