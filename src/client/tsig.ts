import { createHmac, timingSafeEqual } from 'node:crypto';
import { UserError } from '../core/errors.ts';
import { MessageView } from '../wire/message.ts';
import { readTsig, signedOctets, type Tsig, TSIG_ERROR, unsigned, withTsig } from '../wire/tsig.ts';
import { TSIG_ERRORS } from '../wire/iana.ts';

/** A shared key (RFC 8945). */
export interface TsigKey {
  name: string;
  /** `hmac-sha256` unless told. */
  algorithm?: string;
  secret: Uint8Array;
}

/** Hashes by algorithm name (RFC 8945 §6). */
const HASHES: Readonly<Record<string, string>> = {
  'hmac-md5.sig-alg.reg.int': 'md5',
  'hmac-sha1': 'sha1',
  'hmac-sha224': 'sha224',
  'hmac-sha256': 'sha256',
  'hmac-sha384': 'sha384',
  'hmac-sha512': 'sha512',
};
const DEFAULT_ALGORITHM = 'hmac-sha256';
/** Seconds that clocks may be apart (RFC 8945 §10). */
const FUDGE = 300;
/** Messages of a transfer that may come without a signature between two that have one (RFC 8945 §5.3.1). */
const MOST_UNSIGNED = 99;

/** A key as dig's `-y` takes it: `[ALGORITHM:]NAME:BASE64`. Throws `UserError`. */
export function parseTsigKey(text: string): TsigKey {
  const parts = text.split(':');
  const secret = parts.pop();
  const name = parts.pop();
  const algorithm = algorithmOf(parts.pop() ?? DEFAULT_ALGORITHM);
  if (
    name === undefined ||
    name === '' ||
    secret === undefined ||
    !/^[A-Za-z0-9+/]+=*$/.test(secret) ||
    parts.length > 0
  ) {
    throw new UserError(
      'A key is written [ALGORITHM:]NAME:SECRET, the secret in base64, such as hmac-sha256:key1:c2Vj….',
    );
  }
  return { name, algorithm, secret: Buffer.from(secret, 'base64') };
}

function algorithmOf(text: string): string {
  const folded = text.toLowerCase().replace(/\.$/, '');
  const name = folded === 'hmac-md5' ? 'hmac-md5.sig-alg.reg.int' : folded;
  if (HASHES[name] === undefined) {
    throw new UserError(`'${text}' is no algorithm of TSIG: hmac-sha256 and its kin are.`);
  }
  return name;
}

/** What the server says instead of an answer; of clocks apart it tells its own time (RFC 8945 §5.2.3). */
function errorText({ error, other }: Tsig, now: number): string {
  const text = `the server says ${TSIG_ERRORS.name(error)}`;
  if (error !== TSIG_ERROR.badTime || other.length !== 6) return text;
  const [a, b, c] = [0, 2, 4].map((at) => (other[at] << 8) | other[at + 1]);
  const ahead = Math.round(a * 2 ** 32 + b * 65_536 + c - now);
  return `${text}: its clock is ${Math.abs(ahead)} s ${ahead < 0 ? 'behind' : 'ahead of'} this machine's`;
}

/** Signs one query and checks the messages that answer it. */
export class TsigSession {
  readonly #key: Required<TsigKey>;
  #before: Uint8Array = new Uint8Array(0);
  #isLater = false;
  #unsigned: Uint8Array[] = [];
  readonly #view = new MessageView();

  constructor(key: TsigKey) {
    this.#key = {
      name: key.name.toLowerCase().replace(/\.$/, ''),
      algorithm: algorithmOf(key.algorithm ?? DEFAULT_ALGORITHM),
      secret: key.secret,
    };
  }

  /** The query with its signature. `now`: seconds since 1970. */
  sign(query: Uint8Array, now: number): Uint8Array {
    const { name, algorithm } = this.#key;
    const id = (query[0] << 8) | query[1];
    const fields = {
      key: name,
      algorithm,
      time: Math.floor(now),
      fudge: FUDGE,
      id,
      error: 0,
      other: new Uint8Array(0),
    };
    this.#before = this.#mac(signedOctets(query, fields));
    return withTsig(query, { ...fields, mac: this.#before });
  }

  /** Why a message's signature does not hold; null when it does. On a stream, all but the last may have none. */
  problem(message: Uint8Array, now: number): string | null {
    const view = this.#view;
    view.read(message, 0, message.length);
    const found = readTsig(view);
    if (found === undefined) return 'its signature is malformed';
    if (found === null) {
      if (!this.#isLater || this.#unsigned.length >= MOST_UNSIGNED) return 'it is not signed';
      this.#unsigned.push(message.slice());
      return null;
    }
    const { tsig, at } = found;
    const { name, algorithm } = this.#key;
    if (tsig.error !== TSIG_ERROR.none) return errorText(tsig, now);
    if (tsig.key !== name || tsig.algorithm !== algorithm) return 'it is signed with another key';
    const plain = unsigned(message, at, tsig.id);
    const mac = this.#mac(this.#octets(plain, tsig));
    if (mac.length !== tsig.mac.length || !timingSafeEqual(mac, tsig.mac))
      return 'it was changed, or the secret differs';
    if (Math.abs(now - tsig.time) > tsig.fudge) return 'the clocks are more than its fudge apart';
    this.#before = mac;
    this.#isLater = true;
    this.#unsigned = [];
    return null;
  }

  /** True when the message checked last had a signature: a transfer has to end with one. */
  get isComplete(): boolean {
    return this.#unsigned.length === 0;
  }

  #octets(plain: Uint8Array, tsig: Tsig): Uint8Array[] {
    const parts = signedOctets(plain, tsig, { before: this.#before, isLater: this.#isLater });
    // Messages without one are signed with the next (RFC 8945 §5.3.1): behind the MAC before, in order.
    return [...parts.slice(0, 2), ...this.#unsigned, ...parts.slice(2)];
  }

  #mac(parts: readonly Uint8Array[]): Uint8Array {
    const hmac = createHmac(HASHES[this.#key.algorithm], this.#key.secret);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  }
}
