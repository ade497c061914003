import { hostname } from 'node:os';
import { choice, group, size, type ValueOf } from '../core/settings.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { ByteWriter } from './byte-writer.ts';
import { UdpPeer } from './datagram-peer.ts';
import { type Chunk, Delivery, type Encoding, type Target } from './delivery.ts';
import { outputOptions } from './file-sink.ts';
import { MESSAGE_FORMATS } from './line-formats.ts';
import type { TransactionOutput } from './output.ts';
import { type PeerAddress, peerSetting, StreamPeer, TLS_SETTINGS } from './peer.ts';
import { COMMON, type SinkContext, type SinkDefinition } from './sink.ts';
import { UnixDatagramPeer, WrongKind } from './unix-datagram.ts';

const LINE_FEED = 0x0a;

/** Numbers of RFC 5424 §6.2.1. */
const FACILITIES = {
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
const SEVERITIES = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const;

const settings = group('Syslog (RFC 5424) over UDP, TCP (RFC 6587, counted octets), TLS (RFC 5425) or a Unix socket.', {
  to: peerSetting(['udp', 'tcp', 'tls', 'unix'], 'tcp:logs.example.net:514'),
  format: choice(
    'What the text of a message is (as read -T).',
    MESSAGE_FORMATS.map(({ name }) => name),
    {
      default: 'ndjson',
    },
  ),
  facility: choice('Facility.', Object.keys(FACILITIES) as (keyof typeof FACILITIES)[], { default: 'local0' }),
  severity: choice('Severity.', Object.keys(SEVERITIES) as (keyof typeof SEVERITIES)[], { default: 'info' }),
  longest: size('Longer messages are dropped and counted: receivers cut them.', {
    default: '8KiB',
    least: 480,
    most: 65_000,
  }),
  ...TLS_SETTINGS,
  ...COMMON,
});
type Settings = ValueOf<typeof settings>;

/** Syslog messages to a receiver. */
export const syslogSink: SinkDefinition<Settings> = {
  settings,
  open(options, context) {
    const target = targetOf(options, () => delivery.retry());
    const encoding: Encoding = (writer) => {
      const encoder = new SyslogEncoder(writer, options, context);
      return (batch, row, ends) => encoder.encode(batch, row, ends);
    };
    const delivery: Delivery = new Delivery(target, encoding, context, options.queue);
    return delivery;
  },
};

function targetOf({ to, tls }: Settings, lost: () => void): Target {
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

/** Transactions as syslog messages (RFC 5424 §6): time of the transaction, our name, no structured data. */
class SyslogEncoder {
  readonly #out: ByteWriter;
  readonly #output: TransactionOutput;
  readonly #head: string;
  readonly #tail: string;
  readonly #longest: number;
  #second = Number.NaN;
  #secondText = '';

  constructor(out: ByteWriter, { format, facility, severity, longest }: Settings, context: SinkContext) {
    const made = MESSAGE_FORMATS.find(({ name }) => name === format)?.transaction?.(outputOptions(context), out);
    if (made === undefined) throw new TypeError(`${format} has no lines of transactions`);
    this.#out = out;
    this.#output = made;
    this.#longest = longest;
    this.#head = `<${FACILITIES[facility] * 8 + SEVERITIES[severity]}>1 `;
    this.#tail = ` ${printable(context.sensor ?? hostname(), 255)} nametap ${process.pid} transaction - `;
  }

  encode(batch: TransactionBatch, row: number, ends: number[]): boolean {
    const out = this.#out;
    const begin = out.length;
    out.ascii(this.#head + this.#time(batch.col.openSeconds[row], batch.col.openNanos[row]) + this.#tail);
    this.#output.batch(batch, row, row + 1);
    if (out.bytes[out.length - 1] === LINE_FEED) out.length--;
    if (out.length - begin > this.#longest) return false;
    ends.push(out.length);
    return true;
  }

  /** TIMESTAMP of RFC 5424 §6.2.3: at most microseconds. */
  #time(seconds: number, nanos: number): string {
    if (seconds !== this.#second) {
      const date = new Date(seconds * 1000);
      this.#second = seconds;
      this.#secondText = Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 19);
    }
    if (this.#secondText === '') return '-';
    return `${this.#secondText}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
  }
}

/** A header field: printable ASCII without blanks, `-` for none. */
function printable(text: string, most: number): string {
  return text.replace(/[^\x21-\x7e]+/g, '_').slice(0, most) || '-';
}
