import { ByteWriter } from './byte-writer.ts';
import { UdpPeer } from './datagram-peer.ts';
import type { Chunk, Target } from './target.ts';
import { type PeerAddress, type PeerTls, StreamPeer } from './peer.ts';
import { UnixDatagramPeer, WrongKind } from './unix-datagram.ts';

/** Numbers of RFC 5424 §6.2.1. */
export const FACILITIES = {
  user: 1,
  daemon: 3,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;
export type Facility = keyof typeof FACILITIES;
export const FACILITY_NAMES = Object.keys(FACILITIES) as Facility[];

/** A receiver of syslog messages, framed as its transport wants. `lost`: a connection broke with messages to send again. */
export function syslogTarget({ to, tls }: { to: PeerAddress; tls?: PeerTls }, lost: () => void): Target {
  if (to.kind === 'udp') return new UdpPeer(to.host, to.port);
  if (to.kind === 'unix') return new UnixPeer(to, lost);
  return new CountedPeer(new StreamPeer(to, { ...(tls !== undefined && { tls }), lost }));
}

/** On streams each message has its length in front (RFC 6587 §3.4.1, RFC 5425 §4.3). */
class CountedPeer implements Target {
  readonly #peer: StreamPeer;
  #last: { of: Chunk; counted: Chunk } | undefined;

  constructor(peer: StreamPeer) {
    this.#peer = peer;
  }

  get repeated(): number {
    return this.#peer.repeated;
  }

  get unsure(): number {
    return this.#peer.unsure;
  }

  send(chunk: Chunk, signal: AbortSignal): Promise<void> {
    if (this.#last?.of !== chunk) this.#last = { of: chunk, counted: counted(chunk) };
    return this.#peer.send(this.#last.counted, signal);
  }

  close(): Promise<void> {
    return this.#peer.close();
  }
}

function counted({ bytes, ends, rows }: Chunk): Chunk {
  const writer = new ByteWriter(bytes.length + 8 * ends.length);
  const newEnds: number[] = [];
  let from = 0;
  for (const end of ends) {
    writer.ascii(`${end - from} `);
    writer.room(end - from);
    writer.bytes.set(bytes.subarray(from, end), writer.length);
    writer.length += end - from;
    newEnds.push(writer.length);
    from = end;
  }
  return { bytes: writer.take(), ends: newEnds, rows };
}

/** A Unix socket: of datagrams, as /dev/log is, else of a stream. */
class UnixPeer implements Target {
  readonly #datagrams: UnixDatagramPeer;
  readonly #stream: CountedPeer;
  #takesStreams = process.platform !== 'linux';

  constructor(address: Extract<PeerAddress, { kind: 'unix' }>, lost: () => void) {
    this.#datagrams = new UnixDatagramPeer(address.path);
    this.#stream = new CountedPeer(new StreamPeer(address, { lost }));
  }

  get repeated(): number {
    return this.#stream.repeated;
  }

  get unsure(): number {
    return this.#stream.unsure;
  }

  async send(chunk: Chunk, signal: AbortSignal): Promise<void> {
    if (this.#takesStreams) return this.#stream.send(chunk, signal);
    try {
      await this.#datagrams.send(chunk, signal);
    } catch (error) {
      if (!(error instanceof WrongKind) || error.code !== 'EPROTOTYPE') throw error;
      this.#takesStreams = true;
      await this.#stream.send(chunk, signal);
    }
  }

  async close(): Promise<void> {
    await this.#datagrams.close();
    await this.#stream.close();
  }
}
