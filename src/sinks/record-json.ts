import { word } from '../core/address.ts';
import { rdataText } from '../rr/show.ts';
import type { MessageView } from '../wire/message.ts';
import { skipName } from '../wire/name.ts';
import { protocolClassName, protocolTypeName, topClassBit } from '../wire/protocol.ts';
import type { ByteWriter } from './byte-writer.ts';
import { ChunkCache } from './chunk-cache.ts';
import {
  chunk,
  NAME_ROOM,
  nameHops,
  put,
  putBase64,
  putIpv4,
  putIpv6,
  putName,
  putQuoted,
  putUint,
  repeat,
} from './json-bytes.ts';

const OPEN = chunk('{"name":"');
const DATA = chunk(',"data":"');
const CLOSE = chunk('"}');
const FLUSH = chunk('","flush":true}');
const ALPN = chunk(' alpn=\\"');
const ALPN_END = chunk('\\"');
const NO_DEFAULT_ALPN = chunk(' no-default-alpn');
const PORT = chunk(' port=');
const IPV4_HINT = chunk(' ipv4hint=');
const ECH = chunk(' ech=');
const IPV6_HINT = chunk(' ipv6hint=');

/** Protocol ids that need no escape within quotes within JSON: visible, none of `"` `,` `\`. */
const ID_OCTET = Uint8Array.from({ length: 256 }, (_, c) =>
  c > 0x20 && c < 0x7f && c !== 0x22 && c !== 0x2c && c !== 0x5c ? 1 : 0,
);

/**
 * Writes records as JSON objects straight from the message's bytes, equal to `JSON.stringify(recordValue(…))`.
 *
 * `work` adds up what names cost, never less than the reference counts: while it stays below the message's limit the
 * reference shows every name too (RdataReader.workLimit).
 */
export class RecordJson {
  work = 0;
  readonly #writer: ByteWriter;
  /** `","type":"A","class":"IN","ttl":` by type, class and protocol. */
  readonly #kinds: ChunkCache;
  // Where the last owner was written, and from which name: owners repeat.
  #named = -1;
  #namedFrom = 0;
  #namedLength = 0;
  #at = 0;

  constructor(writer: ByteWriter) {
    this.#writer = writer;
    this.#kinds = new ChunkCache(512, (low, high) => {
      const type = low & 0xffff;
      const kind = `","type":${JSON.stringify(protocolTypeName(type, high))}`;
      return `${kind},"class":${JSON.stringify(protocolClassName(low >>> 16, high))},"ttl":`;
    });
  }

  /** Begins with a message. */
  begin(): void {
    this.work = 0;
    this.#named = -1;
  }

  /** Writes record `i`. `protocol` is not NetBIOS. */
  record(view: MessageView, i: number, protocol: number): void {
    const w = this.#writer;
    w.room(3 * NAME_ROOM + 8 * view.rdlength[i] + 512);
    const { bytes: out, words } = w;
    const from = w.length;
    let at = this.#owner(out, words, put(words, from, OPEN), view, view.owner[i]);
    const kind = view.type[i] | (view.class[i] << 16);
    at = put(words, at, this.#kinds.get(kind, protocol));
    at = putUint(words, at, view.ttl[i]);
    at = put(words, at, DATA);
    const end = this.#rdata(out, words, at, view, i);
    const flush = topClassBit(view.class[i], protocol);
    if (end >= 0) {
      w.length = put(words, end, flush ? FLUSH : CLOSE);
      return;
    }
    // Another type, or malformed: its text, without the quote already written.
    const text = rdataText(view, i, false, protocol);
    this.work += text.length + 128;
    w.length = at - 1;
    w.json(text);
    w.room(32);
    w.length = put(w.words, w.length - 1, flush ? FLUSH : CLOSE);
  }

  /** Writes the address of a sound A or AAAA record. */
  address(view: MessageView, i: number, at: number): number {
    const { bytes: out, words } = this.#writer;
    const from = view.rdata[i];
    if (view.rdlength[i] === 4) return putIpv4(out, words, at, word(view.bytes, from));
    return this.#ipv6(out, words, at, view.bytes, from);
  }

  #owner(out: Uint8Array, words: DataView, at: number, view: MessageView, name: number): number {
    const { bytes, start } = view;
    // Nearly all owners are one pointer: names are known by what it points at.
    const target = bytes[name] >= 0xc0 ? start + (((bytes[name] & 0x3f) << 8) | bytes[name + 1]) : name;
    if (target === this.#named) {
      this.work += this.#namedLength + 128;
      return repeat(words, this.#namedFrom, this.#namedLength, at);
    }
    const end = putName(out, at, bytes, target, start);
    this.#named = target;
    this.#namedFrom = at;
    this.#namedLength = end - at;
    this.work += end - at + nameHops + 2;
    return end;
  }

  /** Writes the text of the common types; −1 when the record is another, or not sound. */
  #rdata(out: Uint8Array, words: DataView, at: number, view: MessageView, i: number): number {
    const bytes = view.bytes;
    const from = view.rdata[i];
    const length = view.rdlength[i];
    const end = from + length;
    this.#at = from;
    switch (view.type[i]) {
      case 1:
        return length === 4 ? putIpv4(out, words, at, word(bytes, from)) : -1;
      case 28:
        return length === 16 ? this.#ipv6(out, words, at, bytes, from) : -1;
      case 2:
      case 5:
      case 12:
      case 39:
        return this.#ends(this.#name(out, at, view, end), end);
      case 15:
        return this.#ends(this.#name(out, this.#numbers(out, words, at, bytes, end, 1), view, end), end);
      case 33:
        return this.#ends(this.#name(out, this.#numbers(out, words, at, bytes, end, 3), view, end), end);
      case 6:
        return this.#soa(out, words, at, view, end);
      case 16:
        return this.#texts(out, at, bytes, end);
      case 64:
      case 65: {
        const named = this.#name(out, this.#numbers(out, words, at, bytes, end, 1), view, end);
        return named < 0 ? -1 : this.#params(out, words, named, bytes, end);
      }
      default:
        return -1;
    }
  }

  #ends(at: number, end: number): number {
    return this.#at === end ? at : -1;
  }

  /** A name at `#at`, which moves behind it. */
  #name(out: Uint8Array, at: number, view: MessageView, end: number): number {
    if (at < 0) return -1;
    const { bytes, start } = view;
    const name = this.#at;
    const next = skipName(bytes, name, start, end);
    if (next < 0) return -1;
    this.#at = next;
    const to = putName(out, at, bytes, name, start);
    this.work += to - at + nameHops + 2;
    return to;
  }

  /** 16-bit numbers, each with a blank behind it. */
  #numbers(out: Uint8Array, words: DataView, at: number, bytes: Uint8Array, end: number, count: number): number {
    if (this.#at + 2 * count > end) return -1;
    for (let k = 0; k < count; k++) {
      at = putUint(words, at, (bytes[this.#at] << 8) | bytes[this.#at + 1]);
      out[at++] = 0x20;
      this.#at += 2;
    }
    return at;
  }

  #ipv6(out: Uint8Array, words: DataView, at: number, bytes: Uint8Array, from: number): number {
    const w0 = word(bytes, from);
    const w1 = word(bytes, from + 4);
    return putIpv6(out, words, at, w0, w1, word(bytes, from + 8), word(bytes, from + 12));
  }

  #soa(out: Uint8Array, words: DataView, at: number, view: MessageView, end: number): number {
    at = this.#name(out, at, view, end);
    if (at < 0) return -1;
    out[at++] = 0x20;
    at = this.#name(out, at, view, end);
    if (at < 0 || this.#at + 20 !== end) return -1;
    for (let k = this.#at; k < end; k += 4) {
      out[at++] = 0x20;
      at = putUint(words, at, word(view.bytes, k) >>> 0);
    }
    return at;
  }

  #texts(out: Uint8Array, at: number, bytes: Uint8Array, end: number): number {
    let from = this.#at;
    if (from === end) return -1;
    for (;;) {
      const length = bytes[from++];
      if (from + length > end) return -1;
      at = putQuoted(out, at, bytes, from, length);
      from += length;
      if (from === end) return at;
      out[at++] = 0x20;
    }
  }

  /** Service parameters (RFC 9460 §2.2) of the common keys; −1 when there are others. */
  #params(out: Uint8Array, words: DataView, at: number, bytes: Uint8Array, end: number): number {
    let last = -1;
    let from = this.#at;
    while (from < end) {
      if (from + 4 > end) return -1;
      const key = (bytes[from] << 8) | bytes[from + 1];
      const length = (bytes[from + 2] << 8) | bytes[from + 3];
      from += 4;
      if (key <= last || from + length > end) return -1;
      last = key;
      at = this.#param(out, words, at, key, bytes, from, length);
      if (at < 0) return -1;
      from += length;
    }
    return at;
  }

  #param(
    out: Uint8Array,
    words: DataView,
    at: number,
    key: number,
    bytes: Uint8Array,
    from: number,
    length: number,
  ): number {
    if (key === 1) return alpn(out, words, at, bytes, from, from + length);
    if (key === 2) return length === 0 ? put(words, at, NO_DEFAULT_ALPN) : -1;
    if (key === 3) {
      return length === 2 ? putUint(words, put(words, at, PORT), (bytes[from] << 8) | bytes[from + 1]) : -1;
    }
    if (length === 0) return -1;
    if (key === 5) return putBase64(out, put(words, at, ECH), bytes, from, length);
    if (key === 4 && (length & 3) === 0) {
      at = put(words, at, IPV4_HINT);
      for (let k = 0; k < length; k += 4) {
        if (k > 0) out[at++] = 0x2c;
        at = putIpv4(out, words, at, word(bytes, from + k));
      }
      return at;
    }
    if (key === 6 && (length & 15) === 0) {
      at = put(words, at, IPV6_HINT);
      for (let k = 0; k < length; k += 16) {
        if (k > 0) out[at++] = 0x2c;
        at = this.#ipv6(out, words, at, bytes, from + k);
      }
      return at;
    }
    return -1;
  }
}

function alpn(out: Uint8Array, words: DataView, at: number, bytes: Uint8Array, from: number, end: number): number {
  if (from === end) return -1;
  at = put(words, at, ALPN);
  for (let first = true; from < end; first = false) {
    const length = bytes[from++];
    if (length === 0 || from + length > end) return -1;
    if (!first) out[at++] = 0x2c;
    for (const stop = from + length; from < stop; from++) {
      if (ID_OCTET[bytes[from]] === 0) return -1;
      out[at++] = bytes[from];
    }
  }
  return put(words, at, ALPN_END);
}
