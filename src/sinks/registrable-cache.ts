import type { MessageView } from '../wire/message.ts';
import { copyName, equalNames, nameText } from '../wire/name.ts';
import { type Chunk, chunk } from './json-bytes.ts';
import type { Registrable } from './output.ts';

const SLOTS = 32_768;
/** Longer names are not remembered: hardly any of them is asked twice. */
const NAME_BYTES = 64;

/** Keys of a name's registrable domain and suffix, remembered by name: the list is asked once per name, not per row. */
export class RegistrableCache {
  readonly #lookup: (name: string) => Registrable;
  readonly #names = new Uint8Array(SLOTS * NAME_BYTES);
  readonly #folded = new Uint8Array(256);
  readonly #chunks: (Chunk | undefined)[] = new Array<Chunk | undefined>(SLOTS).fill(undefined);

  constructor(lookup: (name: string) => Registrable) {
    this.#lookup = lookup;
  }

  /** `,"registrable_domain":"…","public_suffix":"…"` of the first question's name, as far as there are any. */
  get(view: MessageView): Chunk {
    const name = view.questionName[0];
    const slot = view.questionHash & (SLOTS - 1);
    const at = slot * NAME_BYTES;
    const found = this.#chunks[slot];
    if (found !== undefined && equalNames(this.#names, at, at, view.bytes, name, view.start)) return found;
    const { domain, suffix } = this.#lookup(nameText(view.bytes, name, view.start));
    const made = chunk(
      (domain === null ? '' : `,"registrable_domain":${JSON.stringify(domain)}`) +
        (suffix === null ? '' : `,"public_suffix":${JSON.stringify(suffix)}`),
    );
    const length = copyName(view.bytes, name, view.start, this.#folded, 0, true);
    if (length > NAME_BYTES) return made;
    this.#names.set(this.#folded.subarray(0, length), at);
    this.#chunks[slot] = made;
    return made;
  }
}
