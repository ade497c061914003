/** Wire types of protocol buffers. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Steps through the fields of one protocol buffers message, without copies. */
export class ProtobufReader {
  /** The field at hand: its number, its value (varint or fixed), or where its bytes are. */
  field = 0;
  value = 0;
  at = 0;
  length = 0;
  /** True once bytes made no sense; `next` then gives false. */
  isBroken = false;
  #bytes: Uint8Array = new Uint8Array(0);
  #next = 0;
  #end = 0;

  start(bytes: Uint8Array, at: number, end: number): void {
    this.#bytes = bytes;
    this.#next = at;
    this.#end = end;
    this.isBroken = false;
  }

  /** Goes to the next field; false at the end or when the bytes make no sense. */
  next(): boolean {
    if (this.#next >= this.#end || this.isBroken) return false;
    const key = this.#varint();
    this.field = Math.floor(key / 8);
    this.at = this.#next;
    this.length = 0;
    const wire = key % 8;
    if (wire === VARINT) this.value = this.#varint();
    else if (wire === BYTES) {
      this.length = this.#varint();
      this.at = this.#next;
      this.#skip(this.length);
    } else if (wire === FIXED32) {
      this.#skip(4);
      if (!this.isBroken) this.value = this.#fixed32(this.at);
    } else if (wire === FIXED64) {
      this.#skip(8);
      if (!this.isBroken) this.value = this.#fixed32(this.at) + this.#fixed32(this.at + 4) * 4294967296;
    } else this.isBroken = true;
    return !this.isBroken;
  }

  #skip(count: number): void {
    if (count > this.#end - this.#next) this.isBroken = true;
    else this.#next += count;
  }

  /** Up to 64 bits, as a double: the sizes and times read here lie far below 2^53. */
  #varint(): number {
    let value = 0;
    for (let i = 0, scale = 1; i < 10; i++, scale *= 128) {
      if (this.#next >= this.#end) break;
      const octet = this.#bytes[this.#next++];
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) return value;
    }
    this.isBroken = true;
    return 0;
  }

  #fixed32(at: number): number {
    const b = this.#bytes;
    return (b[at] | (b[at + 1] << 8) | (b[at + 2] << 16) | (b[at + 3] << 24)) >>> 0;
  }
}
