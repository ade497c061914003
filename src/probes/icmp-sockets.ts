import koffi from 'koffi';
import { randomBytes, randomInt } from 'node:crypto';
import { zoneIndex } from '../client/zone-index.ts';
import { addressWords } from '../core/network.ts';
import { bindPing, CallError, close, FAMILY, openSocket, Receiver, send } from './icmp-calls.ts';
import type { Echo, EchoRequest, IcmpWay } from './icmp-way.ts';
import type { Failure } from './probe.ts';

/** Octets of a token in each request: a reply without it is nobody's. */
const TOKEN = 8;
const HEADER = 8;
const IPV4_HEADER = 20;
/** errno of what came instead of a reply, in words. */
const ERRORS: Readonly<Record<number, string>> = {
  101: 'the network is unreachable',
  111: 'the host refuses it',
  113: 'no route to the host',
  90: 'the packet is too long for a link on the way',
  13: 'a firewall does not allow it',
};

interface Waiting {
  token: Uint8Array;
  /** Monotonic milliseconds. */
  sent: number;
  done(result: Echo | Failure | null): void;
}

/** Echo requests by sockets of the system: one for each family, for all targets. */
export class IcmpSockets implements IcmpWay {
  readonly text: string;
  readonly #kind: 'ping' | 'raw';
  readonly #sockets = new Map<4 | 6, EchoSocket | CallError>();

  /** Throws `CallError` where the system does not give one. */
  constructor(kind: 'ping' | 'raw') {
    this.#kind = kind;
    this.text = kind === 'ping' ? 'ping socket (no right needed)' : 'raw socket';
    this.#sockets.set(4, new EchoSocket(kind, 4));
    try {
      this.#sockets.set(6, new EchoSocket(kind, 6));
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.#sockets.set(6, error);
    }
  }

  async echo(request: EchoRequest): Promise<Echo | Failure | null> {
    const { family } = request;
    const made = this.#sockets.get(family);
    if (made instanceof EchoSocket) return made.echo(request);
    return { outcome: 'not_sent', text: `no ${this.#kind} socket for IPv${family}: ${made?.code ?? 'closed'}` };
  }

  close(): void {
    for (const made of this.#sockets.values()) if (made instanceof EchoSocket) made.close();
    this.#sockets.clear();
  }
}

class EchoSocket {
  readonly #fd: number;
  readonly #kind: 'ping' | 'raw';
  readonly #family: 4 | 6;
  readonly #id: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #receiver = new Receiver();
  readonly #handle: ReturnType<typeof koffi.node.poll>;
  #next = randomInt(65_536);
  #isPolling = false;

  constructor(kind: 'ping' | 'raw', family: 4 | 6) {
    this.#kind = kind;
    this.#family = family;
    this.#fd = openSocket(kind, family);
    try {
      this.#id = kind === 'ping' ? bindPing(this.#fd, family) : randomInt(65_536);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
    this.#handle = koffi.node.poll(this.#fd, { readable: true }, () => undefined);
    this.#handle.stop();
  }

  echo({ address, size, timeoutMs, signal }: EchoRequest): Promise<Echo | Failure | null> {
    const sequence = this.#freeSequence();
    if (sequence === null) {
      return Promise.resolve({ outcome: 'not_sent', text: 'too many echoes are under way' });
    }
    const token = randomBytes(TOKEN);
    const packet = this.#packet(sequence, token, Math.max(size, TOKEN));
    return new Promise((resolve) => {
      const done = (result: Echo | Failure | null) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        this.#waiting.delete(sequence);
        if (this.#waiting.size === 0) this.#pause();
        resolve(result);
      };
      const aborted = () => done({ outcome: 'not_sent', text: 'given up' });
      // What has come and was not read yet counts, however late this timer is.
      const timer = setTimeout(() => {
        this.#drain();
        if (this.#waiting.get(sequence) === waiting) done(null);
      }, timeoutMs);
      const waiting: Waiting = { token, sent: performance.now(), done };
      this.#waiting.set(sequence, waiting);
      signal.addEventListener('abort', aborted, { once: true });
      try {
        const to = socketAddress(this.#family, address);
        waiting.sent = performance.now();
        send(this.#fd, packet, to);
        this.#poll();
      } catch (error) {
        done(sendFailure(error));
      }
    });
  }

  close(): void {
    for (const { done } of this.#waiting.values()) done({ outcome: 'not_sent', text: 'given up' });
    this.#handle.close();
    close(this.#fd);
  }

  #freeSequence(): number | null {
    for (let tried = 0; tried < 65_536; tried++) {
      this.#next = (this.#next + 1) & 0xffff;
      if (!this.#waiting.has(this.#next)) return this.#next;
    }
    return null;
  }

  /** RFC 792, RFC 4443 §4.1; the system writes the checksum of ICMPv6, and of a ping socket. */
  #packet(sequence: number, token: Uint8Array, size: number): Uint8Array {
    const packet = new Uint8Array(HEADER + size);
    const view = new DataView(packet.buffer);
    packet[0] = FAMILY[this.#family].request;
    view.setUint16(4, this.#id);
    view.setUint16(6, sequence);
    packet.set(token, HEADER);
    for (let i = HEADER + TOKEN; i < packet.length; i++) packet[i] = i & 255;
    if (this.#family === 4) view.setUint16(2, checksum(packet));
    return packet;
  }

  #poll(): void {
    if (this.#isPolling) return;
    this.#isPolling = true;
    // The callback of a poll handle runs outside of what drains promises: have the loop do it.
    this.#handle.start({ readable: true }, () => {
      this.#pause();
      setImmediate(() => {
        this.#drain();
        if (this.#waiting.size > 0) this.#poll();
      });
    });
  }

  #pause(): void {
    if (!this.#isPolling) return;
    this.#isPolling = false;
    this.#handle.stop();
  }

  #drain(): void {
    const receiver = this.#receiver;
    for (;;) {
      const n = receiver.next(this.#fd, this.#family, false);
      if (n === -1) break;
      if (n >= 0) this.#take(n);
      else this.#drainErrors();
    }
    this.#drainErrors();
  }

  #take(n: number): void {
    const { bytes, stamp, hopLimit } = this.#receiver;
    const hasHeader = this.#kind === 'raw' && this.#family === 4;
    const at = hasHeader ? (bytes[0] & 15) * 4 : 0;
    if (n < at + HEADER + TOKEN || bytes[at] !== FAMILY[this.#family].reply) return;
    const waiting = this.#find(bytes, at);
    if (waiting === undefined) return;
    for (let i = 0; i < TOKEN; i++) if (bytes[at + HEADER + i] !== waiting.token[i]) return;
    const now = performance.now();
    const total = now - waiting.sent;
    // How long the packet has waited for us, on the kernel's clock: too short a time for a clock to be set.
    const wall = (performance.timeOrigin + now) * 1e6;
    const late = stamp === 0n ? 0 : (wall - Number(stamp)) / 1e6;
    const ms = late > 0 && late < total ? total - late : total;
    const ttl = hopLimit ?? (hasHeader ? bytes[8] : undefined);
    waiting.done({ ms, ...(ttl !== undefined && { hopLimit: ttl }) });
  }

  #drainErrors(): void {
    const { bytes } = this.#receiver;
    for (;;) {
      const n = this.#receiver.next(this.#fd, this.#family, true);
      if (n < 0) return;
      // What was sent is quoted, from its ICMP header on.
      const at = bytes[0] >>> 4 === 4 && n >= IPV4_HEADER + HEADER ? (bytes[0] & 15) * 4 : 0;
      if (n < at + HEADER || bytes[at] !== FAMILY[this.#family].request) continue;
      const { error } = this.#receiver;
      const text = ERRORS[error] ?? `it cannot be reached (error ${error})`;
      this.#find(bytes, at)?.done({ outcome: error === 90 ? 'not_sent' : 'unreachable', text });
    }
  }

  #find(bytes: Uint8Array, at: number): Waiting | undefined {
    // The system puts its own identifier into what a ping socket sends, and passes only what comes back to it.
    const id = bytes[at + 4] * 256 + bytes[at + 5];
    if (this.#kind === 'raw' && id !== this.#id) return undefined;
    return this.#waiting.get(bytes[at + 6] * 256 + bytes[at + 7]);
  }
}

function sendFailure(error: unknown): Failure {
  if (!(error instanceof CallError)) throw error;
  const words: Readonly<Record<string, string>> = {
    ENETUNREACH: 'the network is unreachable',
    EHOSTUNREACH: 'no route to the host',
    EMSGSIZE: 'the packet is too long',
    EACCES: 'the system does not allow it',
    EPERM: 'a firewall does not allow it',
    EAGAIN: 'the system has no room for it now',
    ENOBUFS: 'the system has no room for it now',
  };
  const isWay = error.code === 'ENETUNREACH' || error.code === 'EHOSTUNREACH';
  return { outcome: isWay ? 'unreachable' : 'not_sent', text: words[error.code] ?? error.message };
}

/** `struct sockaddr_in` or `sockaddr_in6` of an address, a zone behind `%` included. */
function socketAddress(family: 4 | 6, address: string): Uint8Array {
  const { domain, address: size } = FAMILY[family];
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, domain, true);
  const words = addressWords(family, address);
  if (family === 4) view.setUint32(4, words[3]);
  else {
    for (const [i, word] of words.entries()) view.setUint32(8 + 4 * i, word);
    view.setUint32(24, zoneIndex(address), true);
  }
  return bytes;
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i] * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
