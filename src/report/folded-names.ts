import { hashEnd, hashMore, hashStart } from '../sketch/key-table.ts';
import type { MessageView } from '../wire/message.ts';
import { copyName } from '../wire/name.ts';

const MOST_WORDS = 64;

/**
 * The first questions' names of many rows, folded and padded with zeros to whole words, as keys of tables: by row, where
 * the name lies in `words` and its length there (0 = no name), its length in bytes, and its hash.
 */
export class FoldedNames {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly lengths: Uint8Array;
  readonly byteLengths: Uint8Array;
  readonly hashes: Int32Array;
  /** State of the hash behind the name, for keys that begin with it (`hashMore`). */
  readonly states: Int32Array;
  #end = 0;

  /** For rows below `rows`, at most `atOnce` of which have names at a time. */
  constructor(rows: number, atOnce: number) {
    this.words = new Int32Array(atOnce * MOST_WORDS);
    this.bytes = new Uint8Array(this.words.buffer);
    this.starts = new Int32Array(rows);
    this.lengths = new Uint8Array(rows);
    this.byteLengths = new Uint8Array(rows);
    this.hashes = new Int32Array(rows);
    this.states = new Int32Array(rows);
  }

  /** Forgets all names. */
  clear(): void {
    this.#end = 0;
  }

  /** Sets row `i`'s name: the first question of a message. */
  set(i: number, view: MessageView): void {
    const start = this.#end;
    const { bytes, words } = this;
    const from = start * 4;
    const length = copyName(view.bytes, view.questionName[0], view.start, bytes, from, true);
    let at = from + length;
    while ((at & 3) !== 0) bytes[at++] = 0;
    const count = (at - from) >> 2;
    const state = hashMore(hashStart, words, start, count);
    this.#end = start + count;
    this.starts[i] = start;
    this.lengths[i] = count;
    this.byteLengths[i] = length;
    this.states[i] = state;
    this.hashes[i] = hashEnd(state);
  }

  /** Row `i` has no name. */
  unset(i: number): void {
    this.lengths[i] = 0;
    this.byteLengths[i] = 0;
    this.hashes[i] = 0;
  }
}
