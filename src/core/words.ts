/** Four octets of text, or of a name as on the wire (lengths are no letters), in lower case (RFC 4343). */
export function foldWord(word: number): number {
  // In each octet's top bit: 'A' or more, more than 'Z'; octets of 128 and more are no letters.
  const low = word & 0x7f7f7f7f;
  const letters = (low + 0x3f3f3f3f) & ~(low + 0x25252525) & ~word & 0x80808080;
  return word | (letters >>> 2);
}

/** Copies octets that do not overlap. For short runs: a call of `set` costs more. */
export function copyWords(from: DataView, at: number, length: number, to: DataView, target: number): void {
  let i = 0;
  for (; i + 4 <= length; i += 4) to.setInt32(target + i, from.getInt32(at + i, true), true);
  for (; i < length; i++) to.setUint8(target + i, from.getUint8(at + i));
}

/** Memory by whole words, for whoever copies or compares more than a few octets. */
export class Words {
  #bytes: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #view: DataView<ArrayBufferLike> = new DataView(this.#bytes.buffer);

  /** A view of the same memory. Messages come by the thousand from the same: it is made once. */
  of(bytes: Uint8Array<ArrayBufferLike>): DataView<ArrayBufferLike> {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }
}
