/** Text of the first octets of `bytes`, all of them below 128, at any time: Node's own way is the fastest, browsers have another. */
export function asciiReader(bytes: Uint8Array<ArrayBuffer>): (length: number) => string {
  if (typeof Buffer === 'undefined') return (length) => String.fromCharCode(...bytes.subarray(0, length));
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return (length) => buffer.toString('latin1', 0, length);
}
