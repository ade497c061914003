import type { MessageView } from '../wire/message.ts';
import { copyName, equalNames, nameText } from '../wire/name.ts';
import { type Chunk, chunk } from './json-bytes.ts';
import type { Registrable } from './output.ts';

const SLOTS = 4096;
const NAME_BYTES = 256;

/** Keys of a name's registrable domain and suffix, remembered by name: the list is asked once per name, not per row. */
export class RegistrableCache {
  readonly #lookup: (name: string) => Registrable;
  readonly #names = new Uint8Array(SLOTS * NAME_BYTES);
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
    copyName(view.bytes, name, view.start, this.#names, at, true);
    this.#chunks[slot] = made;
    return made;
  }
}
