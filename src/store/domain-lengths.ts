import { registrableStart } from '../enrich/public-suffix.ts';
import { FOLD } from '../wire/name.ts';
import type { StoredName } from './stored-name.ts';

const SLOTS = 16_384;
/** Longer names are not remembered: hardly any of them is asked twice. */
const TEXT = 64;

/** How much of a name is its registrable domain: the public suffix list is asked once per name, not per row. */
export class DomainLengths {
  readonly #texts = new Uint8Array(SLOTS * TEXT);
  readonly #textLengths = new Uint8Array(SLOTS);
  readonly #lengths = new Uint16Array(SLOTS);
  readonly #folded = new Uint8Array(256);

  /** Characters at the end of the name's text; 0 where there is no domain. `hash` is `hashName` of the name. */
  of(name: StoredName, hash: number): number {
    const { text, textLength } = name;
    if (textLength <= 1) return 0;
    const slot = hash & (SLOTS - 1);
    const at = slot * TEXT;
    if (this.#textLengths[slot] === textLength) {
      const texts = this.#texts;
      let i = 0;
      while (i < textLength && texts[at + i] === text[i]) i++;
      if (i === textLength) return this.#lengths[slot];
    }
    for (let i = 0; i < name.wireLength; i++) this.#folded[i] = FOLD[name.wire[i]];
    const start = registrableStart(this.#folded);
    const length = start < 0 ? 0 : name.textFrom(start);
    if (textLength <= TEXT) {
      this.#texts.set(text.subarray(0, textLength), at);
      this.#textLengths[slot] = textLength;
      this.#lengths[slot] = length;
    }
    return length;
  }
}
