import { hashEnd, hashMore, hashStart } from '../sketch/key-table.ts';
import { foldWord, Words } from '../core/words.ts';
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
  readonly #source = new Words();

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
    const { words } = this;
    const length = this.#copy(view);
    const count = (length + 3) >> 2;
    const state = hashMore(hashStart, words, start, count);
    this.#end = start + count;
    this.starts[i] = start;
    this.lengths[i] = count;
    this.byteLengths[i] = length;
    this.states[i] = state;
    this.hashes[i] = hashEnd(state);
  }

  /** Writes the name of a message's first question behind the others, zeros behind it; its length in bytes. */
  #copy({ bytes: source, start, questionEnd: end, questionName }: MessageView): number {
    const { bytes, words } = this;
    let to = this.#end;
    const from = questionName[0];
    const length = end - 4 - from;
    // A name without a pointer, and the four octets behind it, can be read in words.
    if (source[end - 5] === 0 && (length === 1 || source[end - 6] < 0xc0)) {
      const view = this.#source.of(source);
      let left = length;
      for (let at = from; left > 0; at += 4, left -= 4) words[to++] = foldWord(view.getInt32(at, true));
      // What came too much are the type and class of the question.
      if (left < 0) words[to - 1] &= 0xffffffff >>> (-8 * left);
      return length;
    }
    const copied = copyName(source, from, start, bytes, to * 4, true);
    for (let at = to * 4 + copied; (at & 3) !== 0; at++) bytes[at] = 0;
    return copied;
  }

  /** Row `i` has no name. */
  unset(i: number): void {
    this.lengths[i] = 0;
    this.byteLengths[i] = 0;
    this.hashes[i] = 0;
  }
}
