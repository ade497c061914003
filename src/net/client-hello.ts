/** What the first message of a TLS client says in clear (RFC 8446 §4.1.2), as far as it has come. */
export interface ClientHello {
  /** All of it has come. */
  isWhole: boolean;
  /** The server's name (RFC 6066 §3), folded; absent where it says none, or is encrypted. */
  serverName?: string;
  /** Protocols that it offers to speak (RFC 7301). */
  alpn?: string[];
}

const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
const MOST_PROTOCOLS = 16;
const MOST_NAME = 255;

/**
 * Reads a ClientHello from its handshake header on; null for bytes that are none. Lengths are those of the wire: nothing
 * is believed beyond `end`.
 */
export function readClientHello(bytes: Uint8Array, at: number, end: number): ClientHello | null {
  if (end - at < 4 || bytes[at] !== CLIENT_HELLO) return null;
  const length = (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  const isWhole = end - at >= 4 + length;
  const last = Math.min(end, at + 4 + length);
  const hello: ClientHello = { isWhole };
  // Version, random, session id, cipher suites, compression methods.
  let next = at + 4 + 2 + 32;
  next = behind(bytes, next, last, 1);
  next = behind(bytes, next, last, 2);
  next = behind(bytes, next, last, 1);
  next += 2;
  while (next + 4 <= last) {
    const type = u16(bytes, next);
    const from = next + 4;
    next = from + u16(bytes, next + 2);
    if (next > last) break;
    if (type === SERVER_NAME) serverName(hello, bytes, from, next);
    else if (type === ALPN) protocols(hello, bytes, from, next);
  }
  return hello;
}

/** Behind a vector whose length is in `size` octets. */
function behind(bytes: Uint8Array, at: number, end: number, size: 1 | 2): number {
  if (at + size > end) return end;
  return at + size + (size === 1 ? bytes[at] : u16(bytes, at));
}

function serverName(hello: ClientHello, bytes: Uint8Array, at: number, end: number): void {
  // A list, of which the first entry is a host name.
  if (at + 5 > end || bytes[at + 2] !== 0) return;
  const length = u16(bytes, at + 3);
  if (length === 0 || length > MOST_NAME || at + 5 + length > end) return;
  const text = asciiText(bytes, at + 5, at + 5 + length);
  if (text !== null) hello.serverName = text.toLowerCase().replace(/\.$/, '');
}

function protocols(hello: ClientHello, bytes: Uint8Array, at: number, end: number): void {
  const list: string[] = [];
  for (let next = at + 2; next < end && list.length < MOST_PROTOCOLS; next += 1 + bytes[next]) {
    const text = asciiText(bytes, next + 1, next + 1 + bytes[next]);
    if (next + 1 + bytes[next] > end) break;
    if (text !== null && text !== '') list.push(text);
  }
  if (list.length > 0) hello.alpn = list;
}

/** Printable characters; null where there are others: names of hosts and protocols have none. */
function asciiText(bytes: Uint8Array, from: number, to: number): string | null {
  let text = '';
  for (let i = from; i < to; i++) {
    if (!(bytes[i] > 0x20 && bytes[i] < 0x7f)) return null;
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}
