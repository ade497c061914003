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
