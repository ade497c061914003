import { recordValue, type RecordData } from '../rr/value.ts';
import { rcodeName } from '../wire/iana.ts';
import { ANSWER, MessageView } from '../wire/message.ts';
import { word } from '../core/address.ts';
import { skipName } from '../wire/name.ts';
import { QueryFit } from './fit.ts';
import { type Attempt, nothingDiscarded, type Outcome, sentenceOf } from './outcome.ts';
import { encodeQuery, randomId } from './question.ts';
import type { Server } from './server.ts';
import type { MessageStream, TlsOptions } from './stream.ts';
import { openStream } from './tcp.ts';
import { type TsigKey, TsigSession } from './tsig.ts';
import type { Dial } from './udp.ts';

/** How a zone is taken. */
export interface TransferOptions {
  server: Server;
  /** TCP unless told (RFC 5936 §4.2), or TLS (RFC 9103). */
  transport?: 'tcp' | 'tls';
  /** IXFR: the serial that is known already; without, all of the zone (AXFR). */
  serial?: number;
  /** For connecting, and between two messages; 10 s unless told. */
  timeoutMs?: number;
  /** Most that is taken: 20 million records and 4 GiB unless told. */
  mostRecords?: number;
  mostBytes?: number;
  tls?: TlsOptions;
  tsig?: TsigKey;
  source?: { address?: string; port?: number };
  signal?: AbortSignal;
  dial?: Dial;
}

/** Why a transfer ended before its end. `rcode`: what the server said instead. */
export class TransferError extends Error {
  readonly outcome: Outcome;
  readonly rcode: string | undefined;

  constructor(sentence: string, outcome: Outcome, rcode?: string) {
    super(sentence);
    this.name = 'TransferError';
    this.outcome = outcome;
    this.rcode = rcode;
  }
}

const TYPE_SOA = 6;
/** Messages that wait for their reader before the connection is slowed down. */
const MOST_HELD = 16;

/**
 * The records of a zone as they come (RFC 5936): the first and the last are its SOA. With `serial` the changes since
 * (RFC 1995), in pairs of what goes and what comes, each behind its SOA, or one SOA when there are none. At most a few
 * messages are held, a slow reader slows the server down. Throws `TransferError`.
 */
export async function* transfer(zone: string, options: TransferOptions): AsyncGenerator<RecordData, void> {
  for await (const view of transferMessages(zone, options)) {
    for (let i = 0; i < view.records; i++) {
      if (view.section[i] !== ANSWER) continue;
      const record = recordValue(view, i);
      if (record !== undefined) yield record;
    }
  }
}

/** The same as messages: one view, filled again for each. */
export async function* transferMessages(zone: string, options: TransferOptions): AsyncGenerator<MessageView, void> {
  const { timeoutMs = 10_000, transport = 'tcp' } = options;
  const began = performance.now();
  const check = new TransferCheck(zone, options);
  const tls = transport === 'tls' ? (options.tls ?? {}) : undefined;
  const { stream, outcome, reason } = await openStream({ ...options, timeoutMs, tls });
  const failed = (ended: Ended): TransferError => check.error(ended, performance.now() - began);
  if (stream === null) throw failed({ outcome, reason });
  const inbox = new Inbox(stream, check.query, check.signed, options.signal);
  try {
    while (!check.isComplete) {
      const message = await inbox.next(timeoutMs);
      const problem = message instanceof Uint8Array ? check.take(message) : message;
      if (problem !== null) throw failed(problem);
      yield check.view;
    }
  } finally {
    stream.close();
  }
}

/** What has come of a transfer, and whether it is what was asked for. */
class TransferCheck {
  readonly view = new MessageView();
  readonly query: Uint8Array;
  /** The query as it is sent. */
  readonly signed: Uint8Array;
  readonly #zone: string;
  readonly #options: TransferOptions;
  readonly #end: TransferEnd;
  readonly #tsig: TsigSession | undefined;
  #records = 0;
  #bytes = 0;

  constructor(zone: string, options: TransferOptions) {
    this.#zone = zone;
    this.#options = options;
    this.#end = new TransferEnd(options.serial !== undefined);
    this.query = transferQuery(zone, options.serial);
    this.#tsig = options.tsig === undefined ? undefined : new TsigSession(options.tsig);
    this.signed = this.#tsig?.sign(this.query, Date.now() / 1000) ?? this.query;
  }

  get isComplete(): boolean {
    return this.#end.isReached;
  }

  /** What is wrong with a message; null when nothing is, and `view` holds it. */
  take(message: Uint8Array): Ended | null {
    const { mostRecords = 20_000_000, mostBytes = 2 ** 32 } = this.#options;
    const { view } = this;
    view.read(message, 0, message.length);
    const { rcode } = view;
    if (rcode !== 0) return { outcome: 'answered', rcode: rcodeName(rcode) };
    const problem = this.#tsig?.problem(message, Date.now() / 1000) ?? null;
    if (problem !== null) return { outcome: 'bad_signature', reason: problem };
    this.#bytes += message.length;
    this.#records += view.answerCount;
    if (this.#records > mostRecords || this.#bytes > mostBytes) {
      return { outcome: 'garbage', reason: 'the zone is larger than what may be taken' };
    }
    const wrong = this.#end.take(view);
    if (wrong !== null) return { outcome: 'garbage', reason: wrong };
    const isUnsigned = this.isComplete && this.#tsig?.isComplete === false;
    return isUnsigned ? { outcome: 'bad_signature', reason: 'its last message is not signed' } : null;
  }

  error({ outcome, reason, rcode }: Ended, ms: number): TransferError {
    if (rcode !== undefined) {
      return new TransferError(`The server refuses the transfer of ${this.#zone}: ${rcode}.`, outcome, rcode);
    }
    const { server, transport = 'tcp' } = this.#options;
    const attempt: Attempt = {
      transport,
      server,
      sentAt: Date.now() - ms,
      ms,
      bytesOut: this.signed.length,
      bytesIn: this.#bytes,
      outcome,
      ...(reason !== undefined && { reason }),
    };
    return new TransferError(sentenceOf([attempt], outcome, nothingDiscarded()), outcome);
  }
}

function transferQuery(zone: string, serial: number | undefined): Uint8Array {
  const type = serial === undefined ? 'AXFR' : 'IXFR';
  const soa = { name: zone, type: 'SOA', ttl: 0, data: `. . ${serial} 0 0 0 0` };
  const sections = serial === undefined ? {} : { authority: [soa] };
  return encodeQuery({ name: zone, type }, { recursionDesired: false, sections }, randomId());
}

interface Ended {
  outcome: Outcome;
  reason?: string | undefined;
  rcode?: string;
}

/** Messages between the connection and their reader. */
class Inbox {
  readonly #stream: MessageStream;
  readonly #messages: Uint8Array[] = [];
  #ended: Ended | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: MessageStream, plain: Uint8Array, signed: Uint8Array, signal: AbortSignal | undefined) {
    this.#stream = stream;
    const end = (outcome: Outcome, reason?: string) => {
      this.#ended ??= { outcome, ...(reason !== undefined && { reason }) };
      this.#wake?.();
    };
    signal?.addEventListener('abort', () => end('aborted'), { once: true });
    stream.open(signed, new QueryFit(plain), nothingDiscarded(), {
      take: (bytes) => {
        this.#messages.push(bytes);
        if (this.#messages.length >= MOST_HELD) stream.pause();
        this.#wake?.();
        return false;
      },
      end,
    });
  }

  /** The next message, or how it ended. */
  async next(timeoutMs: number): Promise<Uint8Array | Ended> {
    if (this.#messages.length === 0 && this.#ended === undefined) await this.#wait(timeoutMs);
    const message = this.#messages.shift();
    if (this.#messages.length < MOST_HELD / 2) this.#stream.resume();
    return message ?? this.#ended ?? { outcome: this.#stream.held > 0 ? 'slow' : 'timeout' };
  }

  async #wait(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

/** Finds where a transfer ends: at the SOA it began with (RFC 5936 §2.2, RFC 1995 §4). */
class TransferEnd {
  isReached = false;
  readonly #isIncremental: boolean;
  #records = 0;
  #serial = 0;
  /** IXFR: whether it really is one; −1 not known yet. */
  #pairs = -1;
  /** Among the records that go: the next SOA begins those that come. */
  #isRemoving = false;

  constructor(isIncremental: boolean) {
    this.#isIncremental = isIncremental;
  }

  /** What is wrong with a message; null when nothing is. */
  take(view: MessageView): string | null {
    for (let i = 0; i < view.records; i++) {
      if (view.section[i] !== ANSWER) continue;
      if (this.isReached) return 'there are records behind the end of the zone';
      this.#record(view, i);
      if (this.#records === 1 && view.type[i] !== TYPE_SOA) return 'the transfer does not begin with a SOA';
    }
    // One SOA alone says that nothing is newer (RFC 1995 §2).
    if (this.#isIncremental && this.#records === 1) this.isReached = true;
    return this.#records === 0 ? 'it sent no records' : null;
  }

  #record(view: MessageView, i: number): void {
    const count = ++this.#records;
    const isSoa = view.type[i] === TYPE_SOA;
    if (count === 1) {
      this.#serial = isSoa ? serialOf(view, i) : -1;
      return;
    }
    if (count === 2) {
      this.#pairs = this.#isIncremental && isSoa && serialOf(view, i) !== this.#serial ? 1 : 0;
      this.#isRemoving = this.#pairs === 1;
      if (this.#pairs === 1) return;
    }
    if (!isSoa) return;
    if (this.#pairs !== 1) this.isReached = true;
    else if (this.#isRemoving) this.#isRemoving = false;
    else if (serialOf(view, i) === this.#serial) this.isReached = true;
    else this.#isRemoving = true;
  }
}

/** Serial of a SOA; −1 when it cannot be read. */
function serialOf(view: MessageView, i: number): number {
  const end = view.rdata[i] + view.rdlength[i];
  const mailbox = skipName(view.bytes, view.rdata[i], view.start, end);
  const at = mailbox < 0 ? -1 : skipName(view.bytes, mailbox, view.start, end);
  return at < 0 || at + 4 > end ? -1 : word(view.bytes, at) >>> 0;
}
