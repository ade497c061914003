import { createCipheriv } from 'node:crypto';

/** Octets of a key: 16 for AES-128, 16 that are encrypted to the padding. */
export const CRYPTOPAN_KEY_BYTES = 32;

/** Addresses remembered: most traffic is from few clients, and a miss costs 32 (IPv6: 128) blocks of AES. */
const CACHED = 65_536;

/**
 * Prefix-preserving pseudonyms of addresses (Crypto-PAn: Xu, Fan, Ammar, Moon 2002): two addresses that share their
 * first n bits have pseudonyms that share exactly their first n bits. Bit i of a pseudonym is bit i of the address,
 * flipped by the first bit of AES of (the i bits before it, filled up from the padding).
 */
export class CryptoPan {
  readonly #key: Uint8Array;
  readonly #pad: Uint8Array;
  readonly #blocks = new Uint8Array(128 * 16);
  readonly #known = new Map<string, Uint8Array>();

  /** `key`: 32 octets. */
  constructor(key: Uint8Array) {
    if (key.length !== CRYPTOPAN_KEY_BYTES) throw new RangeError('a Crypto-PAn key has 32 octets');
    this.#key = key.slice(0, 16);
    this.#pad = this.#encrypt(key.slice(16));
  }

  /** The pseudonym of an address of 4 or 16 octets, of as many. */
  pseudonym(address: Uint8Array): Uint8Array {
    const name = address.join();
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const made = this.#make(address);
    if (this.#known.size >= CACHED) this.#known.clear();
    this.#known.set(name, made);
    return made;
  }

  #make(address: Uint8Array): Uint8Array {
    const bits = address.length * 8;
    for (let i = 0; i < bits; i++) {
      const at = i * 16;
      this.#blocks.set(this.#pad, at);
      const whole = i >> 3;
      for (let k = 0; k < whole; k++) this.#blocks[at + k] = address[k];
      const mask = 0xff & ~(0xff >> (i & 7));
      this.#blocks[at + whole] = (address[whole] & mask) | (this.#pad[whole] & ~mask);
    }
    const pads = this.#encrypt(this.#blocks.subarray(0, bits * 16));
    return address.map((octet, k) => {
      let flip = 0;
      for (let b = 0; b < 8; b++) flip = (flip << 1) | (pads[(k * 8 + b) * 16] >> 7);
      return octet ^ flip;
    });
  }

  #encrypt(blocks: Uint8Array): Uint8Array {
    return createCipheriv('aes-128-ecb', this.#key, null).setAutoPadding(false).update(blocks);
  }
}
