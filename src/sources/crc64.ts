/** CRC-64 (ECMA-182, reflected), as the .xz format uses it, in two 32-bit halves. */
export class Crc64 {
  #high = -1;
  #low = -1;

  update(bytes: Uint8Array): void {
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < bytes.length; i++) {
      const entry = (low ^ bytes[i]) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ LOW[entry];
      high = (high >>> 8) ^ HIGH[entry];
    }
    this.#high = high;
    this.#low = low;
  }

  /** Eight octets, least significant first. */
  digest(): Uint8Array {
    const out = new DataView(new ArrayBuffer(8));
    out.setInt32(0, ~this.#low, true);
    out.setInt32(4, ~this.#high, true);
    return new Uint8Array(out.buffer);
  }
}

const HIGH = new Int32Array(256);
const LOW = new Int32Array(256);
for (let i = 0; i < 256; i++) {
  let high = 0;
  let low = i;
  for (let bit = 0; bit < 8; bit++) {
    const odd = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (odd === 1) {
      high ^= 0xc96c5795;
      low ^= 0xd7870f42;
    }
  }
  HIGH[i] = high;
  LOW[i] = low;
}
