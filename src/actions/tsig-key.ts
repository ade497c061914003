import { createHmac, timingSafeEqual } from 'node:crypto';
import type { MessageView } from '../wire/message.ts';
import {
  HMAC_SHA256,
  readTsig,
  signedOctets,
  timeOctets,
  type Tsig,
  TSIG_ERROR,
  unsigned,
  withTsig,
} from '../wire/tsig.ts';

/** Seconds that clocks may be apart (RFC 8945 §10). */
const FUDGE = 300;
const MAC_BYTES = 32;

/** A shared key of HMAC-SHA256. */
export interface TsigKey {
  /** Folded, without a last dot. */
  name: string;
  secret: Uint8Array;
}

/** What a signature says of a request. `error` is a TSIG_ERROR; `malformed`: RFC 8945 §5.2 wants FORMERR. */
export type Verdict =
  | { kind: 'unsigned' | 'malformed' }
  | { kind: 'good'; key: TsigKey; mac: Uint8Array }
  | { kind: 'bad'; error: number; tsig: Tsig; key?: TsigKey };

/** Checks the signature of a request that `view` has read from offset 0 (RFC 8945 §5.2). `now`: seconds since 1970. */
export function checkRequest(view: MessageView, keys: readonly TsigKey[], now: number): Verdict {
  const found = readTsig(view);
  if (found === undefined) return { kind: 'malformed' };
  if (found === null) return { kind: 'unsigned' };
  const { tsig, at } = found;
  const key = keys.find(({ name }) => name === tsig.key);
  if (key === undefined || tsig.algorithm !== HMAC_SHA256) return { kind: 'bad', error: TSIG_ERROR.badKey, tsig };
  if (tsig.mac.length > MAC_BYTES || tsig.mac.length < MAC_BYTES / 2) return { kind: 'malformed' };
  if (tsig.mac.length < MAC_BYTES) return { kind: 'bad', error: TSIG_ERROR.badTrunc, tsig };
  const message = unsigned(view.bytes.subarray(0, view.end), at, tsig.id);
  if (!timingSafeEqual(macOf(key, signedOctets(message, tsig)), tsig.mac)) {
    return { kind: 'bad', error: TSIG_ERROR.badSig, tsig };
  }
  if (Math.abs(now - tsig.time) > tsig.fudge) return { kind: 'bad', error: TSIG_ERROR.badTime, tsig, key };
  return { kind: 'good', key, mac: tsig.mac };
}

/** Signs the messages of one answer, or a request: each after the MAC of the one before. */
export class Signer {
  readonly #key: TsigKey;
  #before: Uint8Array | undefined;
  #isLater = false;

  /** `request`: MAC of what is answered. */
  constructor(key: TsigKey, request?: Uint8Array) {
    this.#key = key;
    this.#before = request;
  }

  /** `now`: seconds since 1970. */
  sign(message: Uint8Array, now: number): Uint8Array {
    const fields = variables(this.#key.name, message, now);
    const mac = macOf(this.#key, signedOctets(message, fields, { before: this.#before, isLater: this.#isLater }));
    this.#before = mac;
    this.#isLater = true;
    return withTsig(message, { ...fields, mac });
  }
}

/** An answer that says what is wrong with a signature (RFC 8945 §5.2): signed only where the key is known to both. */
export function refusedSignature(
  message: Uint8Array,
  { error, tsig, key }: Extract<Verdict, { kind: 'bad' }>,
  now: number,
): Uint8Array {
  const other = error === TSIG_ERROR.badTime ? timeOctets(now) : new Uint8Array(0);
  // With BADTIME the time is the client's: it has to be able to check the signature (§5.2.3).
  const time = error === TSIG_ERROR.badTime ? tsig.time : now;
  const fields = { ...variables(tsig.key, message, time), algorithm: tsig.algorithm, error, other };
  const mac = key === undefined ? new Uint8Array(0) : macOf(key, signedOctets(message, fields, { before: tsig.mac }));
  return withTsig(message, { ...fields, mac });
}

function variables(key: string, message: Uint8Array, time: number): Omit<Tsig, 'mac'> {
  const id = (message[0] << 8) | message[1];
  return { key, algorithm: HMAC_SHA256, time: Math.floor(time), fudge: FUDGE, id, error: 0, other: new Uint8Array(0) };
}

function macOf({ secret }: TsigKey, parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('sha256', secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}
