import { copyName, nameText } from './name.ts';
import { ADDITIONAL, type MessageView } from './message.ts';
import { parseName, Writer } from './writer.ts';

/**
 * Signatures of messages by a shared key (RFC 8945): where one is, what it signs, how it is put. What makes the MAC of the
 * octets is the caller's: nothing here knows a secret.
 */
export const TYPE_TSIG = 250;
export const HMAC_SHA256 = 'hmac-sha256';

/** Errors of TSIG (RFC 8945 §3). */
export const TSIG_ERROR = { none: 0, badSig: 16, badKey: 17, badTime: 18, badTrunc: 22 } as const;

export interface Tsig {
  /** Names as folded text without a last dot. */
  key: string;
  algorithm: string;
  /** Seconds since 1970, and how far a clock may be off. */
  time: number;
  fudge: number;
  mac: Uint8Array;
  /** Id of the message as it was signed. */
  id: number;
  error: number;
  other: Uint8Array;
}

/** The TSIG of a message, which has to be its last record (RFC 8945 §5.1); null without; undefined when malformed. */
export function readTsig(view: MessageView): { tsig: Tsig; at: number } | null | undefined {
  const last = view.records - 1;
  let found = -1;
  for (let i = 0; i <= last; i++) if (view.type[i] === TYPE_TSIG) found = found < 0 ? i : last + 1;
  if (found < 0) return null;
  const isForm = view.section[last] === ADDITIONAL && view.class[last] === 255 && view.ttl[last] === 0;
  if (found !== last || !isForm) return undefined;
  const { bytes, start } = view;
  const from = view.rdata[last];
  const end = from + view.rdlength[last];
  // No compression in here (RFC 8945 §4.2): the name has to end within the rdata.
  let at = from;
  while (at < end && bytes[at] !== 0) {
    if (bytes[at] > 63) return undefined;
    at += bytes[at] + 1;
  }
  at++;
  if (at - from > 255 || at + 10 > end) return undefined;
  const word = (k: number) => (bytes[k] << 8) | bytes[k + 1];
  const macLength = word(at + 8);
  const behind = at + 10 + macLength;
  if (behind + 6 > end) return undefined;
  const otherLength = word(behind + 4);
  if (behind + 6 + otherLength !== end) return undefined;
  const time = word(at) * 2 ** 32 + word(at + 2) * 65_536 + word(at + 4);
  const tsig: Tsig = {
    key: foldedName(bytes, view.owner[last], start),
    algorithm: foldedName(bytes, from, start),
    time,
    fudge: word(at + 6),
    mac: bytes.slice(at + 10, behind),
    id: word(behind),
    error: word(behind + 2),
    other: bytes.slice(behind + 6, end),
  };
  return { tsig, at: view.owner[last] - start };
}

/**
 * What is signed of a message that has been given a TSIG at `at` (RFC 8945 §4.3.2): the message as it was before, the id
 * it had then.
 */
export function unsigned(message: Uint8Array, at: number, id: number): Uint8Array {
  const bytes = message.slice(0, at);
  bytes[0] = id >>> 8;
  bytes[1] = id & 255;
  const count = ((bytes[10] << 8) | bytes[11]) - 1;
  bytes[10] = count >>> 8;
  bytes[11] = count & 255;
  return bytes;
}

/**
 * The octets that the MAC is of (RFC 8945 §4.3): the MAC before this one (of the request for its answer, of the message
 * before on a stream), the message without TSIG, and the key's variables; of later messages on a stream only the times.
 */
export function signedOctets(
  message: Uint8Array,
  tsig: Omit<Tsig, 'mac'>,
  { before, isLater = false }: { before?: Uint8Array | undefined; isLater?: boolean } = {},
): Uint8Array[] {
  const parts: Uint8Array[] = [];
  if (before !== undefined) parts.push(new Uint8Array([before.length >>> 8, before.length & 255]), before);
  parts.push(message);
  const w = new Writer();
  if (!isLater) {
    w.put(parseName(tsig.key.toLowerCase()));
    w.u16(255);
    w.u32(0);
    w.put(parseName(tsig.algorithm.toLowerCase()));
  }
  writeTimes(w, tsig);
  if (!isLater) {
    w.u16(tsig.error);
    w.u16(tsig.other.length);
    w.put(tsig.other);
  }
  parts.push(w.result());
  return parts;
}

/** The message with its TSIG behind everything else. */
export function withTsig(message: Uint8Array, tsig: Tsig): Uint8Array {
  const w = new Writer();
  w.put(message);
  w.patch16(10, ((message[10] << 8) | message[11]) + 1);
  w.put(parseName(tsig.key));
  w.u16(TYPE_TSIG);
  w.u16(255);
  w.u32(0);
  const from = w.openLength();
  w.put(parseName(tsig.algorithm));
  writeTimes(w, tsig);
  w.u16(tsig.mac.length);
  w.put(tsig.mac);
  w.u16(tsig.id);
  w.u16(tsig.error);
  w.u16(tsig.other.length);
  w.put(tsig.other);
  w.patchLength(from);
  return w.result();
}

/** Seconds since 1970 as BADTIME carries them (RFC 8945 §5.2.3). */
export function timeOctets(seconds: number): Uint8Array {
  const w = new Writer();
  writeTimes(w, { time: seconds, fudge: 0 });
  return w.result().subarray(0, 6);
}

function writeTimes(w: Writer, { time, fudge }: { time: number; fudge: number }): void {
  w.u16(Math.floor(time / 2 ** 32));
  w.u32(time % 2 ** 32);
  w.u16(fudge);
}

function foldedName(bytes: Uint8Array, at: number, start: number): string {
  const name = new Uint8Array(255);
  copyName(bytes, at, start, name, 0, true);
  return nameText(name, 0, 0);
}
