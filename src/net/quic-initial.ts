/** A piece of the handshake that a QUIC packet carries (CRYPTO frame, RFC 9000 §19.6). */
export type CryptoPiece = (bytes: Uint8Array, at: number, length: number, offset: number) => void;

/** Where an Initial packet's parts are in its datagram (RFC 9000 §17.2.2, RFC 9369 §3.2). */
export interface InitialPacket {
  version: 1 | 2;
  /** The client's first choice of the server's connection id: the keys are made of it. */
  idAt: number;
  idLength: number;
  at: number;
  /** Of the packet number, protected. */
  numberAt: number;
  end: number;
}

/** Takes the protection off an Initial packet (RFC 9001 §5): the frames in it, or null where it does not open. */
export type Unseal = (bytes: Uint8Array, packet: InitialPacket) => Uint8Array | null;

const VERSION_2 = 0x6b3343cf;
const TAG_BYTES = 16;
/** The sample of header protection begins behind the longest packet number. */
const NUMBER_BYTES = 4;

/** The Initial packet that a datagram begins with; null for anything else. */
export function readInitial(bytes: Uint8Array, at: number, end: number): InitialPacket | null {
  if (end - at < 7 + NUMBER_BYTES + TAG_BYTES) return null;
  const first = bytes[at];
  const number = ((bytes[at + 1] << 24) | (bytes[at + 2] << 16) | (bytes[at + 3] << 8) | bytes[at + 4]) >>> 0;
  const version = number === 1 ? 1 : number === VERSION_2 ? 2 : 0;
  // Long header; the type Initial is 0, in version 2 it is 1.
  if (version === 0 || first >> 4 !== (version === 1 ? 0b1100 : 0b1101)) return null;
  const idLength = bytes[at + 5];
  const idAt = at + 6;
  if (idLength > 20 || idAt + idLength >= end) return null;
  const sourceAt = idAt + idLength;
  const token = varint(bytes, sourceAt + 1 + bytes[sourceAt], end);
  if (token === null) return null;
  const length = varint(bytes, token.next + token.value, end);
  if (length === null || length.value < NUMBER_BYTES + TAG_BYTES || length.next + length.value > end) return null;
  return { version, idAt, idLength, at, numberAt: length.next, end: length.next + length.value };
}

/** Hands over the pieces of the handshake among an Initial packet's frames. */
export function cryptoPieces(frames: Uint8Array, take: CryptoPiece): void {
  for (let at = 0; at < frames.length; ) {
    const type = frames[at++];
    // PADDING, PING.
    if (type === 0 || type === 1) continue;
    // An acknowledgement or a close holds nothing of a client's first message, and ends what can be read here.
    if (type !== 6) return;
    const offset = varint(frames, at, frames.length);
    const length = offset === null ? null : varint(frames, offset.next, frames.length);
    if (offset === null || length === null || length.next + length.value > frames.length) return;
    take(frames, length.next, length.value, offset.value);
    at = length.next + length.value;
  }
}

/** A number of 1, 2, 4 or 8 octets (RFC 9000 §16), and what is behind it. */
function varint(bytes: Uint8Array, at: number, end: number): { value: number; next: number } | null {
  if (at >= end) return null;
  const size = 1 << (bytes[at] >> 6);
  if (at + size > end) return null;
  let value = bytes[at] & 0x3f;
  for (let i = 1; i < size; i++) value = value * 256 + bytes[at + i];
  return { value, next: at + size };
}
