import { hostname } from 'node:os';
import { choice, group, size, type ValueOf } from '../core/settings.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import type { ByteWriter } from './byte-writer.ts';
import { Delivery, type Encoding } from './delivery.ts';
import { outputOptions } from './file-sink.ts';
import { MESSAGE_FORMATS } from './line-formats.ts';
import type { TransactionOutput } from './output.ts';
import { peerSetting, TLS_SETTINGS } from './peer.ts';
import { COMMON, NETWORK, type SinkContext, type SinkDefinition } from './sink.ts';
import { FACILITIES, FACILITY_NAMES, syslogTarget } from './syslog-target.ts';

const LINE_FEED = 0x0a;

/** Numbers of RFC 5424 §6.2.1. */
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
  facility: choice('Facility.', FACILITY_NAMES, { default: 'local0' }),
  severity: choice('Severity.', Object.keys(SEVERITIES) as (keyof typeof SEVERITIES)[], { default: 'info' }),
  longest: size('Longer messages are dropped and counted: receivers cut them.', {
    default: '8KiB',
    least: 480,
    most: 65_000,
  }),
  ...TLS_SETTINGS,
  ...NETWORK,
  ...COMMON,
});
type Settings = ValueOf<typeof settings>;

/** Syslog messages to a receiver. */
export const syslogSink: SinkDefinition<Settings> = {
  settings,
  open(options, context) {
    const target = syslogTarget(options, () => delivery.retry());
    const encoding: Encoding = (writer) => {
      const encoder = new SyslogEncoder(writer, options, context);
      return (batch, row, ends) => encoder.encode(batch, row, ends);
    };
    const delivery: Delivery = new Delivery(target, encoding, context, options);
    return delivery;
  },
};

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
