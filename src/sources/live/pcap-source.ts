import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { EXIT, UserError } from '../../core/errors.ts';
import { type CapturedInterface, type Damage, FrameBatch, type Source, type SourceLoss } from '../../core/frames.ts';
import { dnsExpression } from './dns-expression.ts';
import { sayNotice } from './interface-watch.ts';
import { LINK, resolveInterfaces } from './interfaces.ts';
import { DEFAULTS, type LiveOptions } from './options.ts';
import { copyFrom, ERROR_BYTES, errorText, loadPcap, NO_NETMASK, type Pcap, PROGRAM_BYTES } from './pcap.ts';
import { NoRightError } from './rights.ts';

/** Bytes of a batch: frames are copied out of libpcap's memory, which it uses again at the next call. */
const BATCH_BYTES = 1 << 20;
const IDLE_MS = 100;
const NANOS = 1;
const PERMISSION_DENIED = -8;
const PROMISCUOUS_DENIED = -11;
/** DLT_ values that differ from LINKTYPE_: raw IP, by platform. */
const DLT_RAW = [12, 14];

/** Opens interfaces with libpcap: macOS, BSD and Windows (Npcap). Throws UserError. */
export function openPcap(options: LiveOptions): Source {
  const pcap = loadPcap();
  if (pcap === null) {
    const what = process.platform === 'win32' ? 'Npcap (npcap.com)' : 'libpcap (Debian: libpcap0.8)';
    throw new UserError(`Live capture here needs ${what}, which is not installed.`, EXIT.interface);
  }
  if (options.fanout !== undefined && options.fanout.size > 1) {
    throw new UserError('libpcap cannot share an interface between workers. Use --threads 0.', EXIT.interface);
  }
  return new PcapSource(pcap, options);
}

/** An interface that is open. */
interface Tap {
  name: string;
  handle: bigint;
  link: number;
  /** Nanoseconds in a unit of the time stamps: 1 or 1000. */
  unitNanos: number;
  isOpen: boolean;
}

class PcapSource implements Source {
  readonly live = true;
  readonly interfaces: CapturedInterface[];
  readonly damage: Damage[] = [];
  readonly #pcap: Pcap;
  readonly #taps: Tap[] = [];
  readonly #options: LiveOptions;
  readonly #batch = new FrameBatch();
  readonly #bytes = new Uint8Array(BATCH_BYTES);
  #used = 0;
  #number = 1;
  #next = 0;
  readonly #loss = { received: 0, kernel: 0, interface: 0 };
  readonly #headerAt = new BigUint64Array(1);
  readonly #dataAt = new BigUint64Array(1);
  readonly #header = new DataView(new ArrayBuffer(HEADER_BYTES));
  readonly #headerBytes = new Uint8Array(this.#header.buffer);

  constructor(pcap: Pcap, options: LiveOptions) {
    this.#pcap = pcap;
    this.#options = options;
    try {
      const names = options.interfaces.includes('any')
        ? [process.platform === 'linux' ? 'any' : 'pktap,all']
        : resolveInterfaces(options.interfaces).map(({ name }) => name);
      for (const name of names) this.#taps.push(openTap(pcap, name, options));
    } catch (error) {
      this.#close();
      throw error;
    }
    const snaplen = options.snaplen ?? DEFAULTS.snaplen;
    this.interfaces = this.#taps.map(({ name, link }) => ({ name, link, snaplen }));
    this.#batch.bytes = this.#bytes;
  }

  loss(): SourceLoss {
    const loss = { ...this.#loss };
    for (const tap of this.#taps) {
      if (!tap.isOpen) continue;
      const counters = new Uint32Array(8);
      if (this.#pcap.statistics(tap.handle, counters) !== 0) continue;
      loss.received += counters[0];
      loss.kernel += counters[1];
      loss.interface += counters[2];
    }
    return loss;
  }

  async *batches(signal: AbortSignal): AsyncIterable<FrameBatch> {
    let idleSince = performance.now();
    const isBlocking = this.#options.blocking ?? false;
    const pauseMs = Math.min(this.#options.blockTimeoutMs ?? DEFAULTS.blockTimeoutMs, IDLE_MS);
    try {
      while (this.#taps.some(({ isOpen }) => isOpen)) {
        this.#fill();
        if (this.#batch.count > 0) {
          if (!isBlocking) await setImmediate();
          yield this.#batch;
          idleSince = performance.now();
          continue;
        }
        if (signal.aborted) return;
        // An abort ends the pause early, and is no failure.
        if (isBlocking) Atomics.wait(PAUSE, 0, 0, pauseMs);
        else await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
        if (performance.now() - idleSince < IDLE_MS) continue;
        idleSince = performance.now();
        yield this.#batch;
      }
    } finally {
      this.#close();
    }
  }

  /** Takes what the interfaces have, in turns. */
  #fill(): void {
    const batch = this.#batch;
    batch.count = 0;
    this.#used = 0;
    const snaplen = this.#options.snaplen ?? DEFAULTS.snaplen;
    for (let i = 0; i < this.#taps.length; i++) {
      const id = (this.#next + i) % this.#taps.length;
      const tap = this.#taps[id];
      while (tap.isOpen && batch.count < batch.capacity && this.#used + snaplen <= BATCH_BYTES) {
        const result = this.#pcap.next(tap.handle, this.#headerAt, this.#dataAt);
        if (result === 0) break;
        if (result === 1) this.#take(tap, id);
        else this.#lose(tap);
      }
    }
    this.#next++;
  }

  #take(tap: Tap, id: number): void {
    const batch = this.#batch;
    const i = batch.count;
    copyFrom(this.#headerAt[0], this.#headerBytes, HEADER_BYTES);
    const header = this.#header;
    const captured = header.getUint32(CAPTURED_AT, true);
    copyFrom(this.#dataAt[0], this.#bytes.subarray(this.#used, this.#used + captured), captured);
    batch.at[i] = this.#used;
    batch.captured[i] = captured;
    batch.wire[i] = header.getUint32(CAPTURED_AT + 4, true);
    batch.seconds[i] = header.getUint32(0, true);
    batch.nanos[i] = header.getUint32(FRACTION_AT, true) * tap.unitNanos;
    batch.link[i] = tap.link;
    batch.interfaceId[i] = id;
    batch.number[i] = this.#number++;
    batch.count++;
    this.#used += captured;
  }

  /** The interface has gone: the others go on. */
  #lose(tap: Tap): void {
    const reason = this.#pcap.error(tap.handle);
    (this.#options.notice ?? sayNotice)(`${tap.name}: ${reason}`);
    this.damage.push({ file: tap.name, offset: this.#number - 1, reason });
    this.#end(tap);
  }

  #end(tap: Tap): void {
    if (!tap.isOpen) return;
    const counters = new Uint32Array(8);
    if (this.#pcap.statistics(tap.handle, counters) === 0) {
      this.#loss.received += counters[0];
      this.#loss.kernel += counters[1];
      this.#loss.interface += counters[2];
    }
    tap.isOpen = false;
    this.#pcap.close(tap.handle);
  }

  #close(): void {
    for (const tap of this.#taps) this.#end(tap);
    this.#batch.count = 0;
  }
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/**
 * `struct pcap_pkthdr` begins with the time: 16 bytes, on Windows and OpenBSD 8; then the lengths. The low words are
 * read, of little-endian machines.
 */
const TIME_BYTES = process.platform === 'win32' || process.platform === 'openbsd' ? 8 : 16;
const FRACTION_AT = TIME_BYTES / 2;
const CAPTURED_AT = TIME_BYTES;
const HEADER_BYTES = CAPTURED_AT + 8;

function openTap(pcap: Pcap, name: string, options: LiveOptions): Tap {
  const error = new Uint8Array(ERROR_BYTES);
  const handle = pcap.create(name, error);
  if (handle === null) throw new UserError(`Cannot open ${name}: ${errorText(error)}.`, EXIT.interface);
  const fail = (text: string, exit: typeof EXIT.interface | typeof EXIT.filter = EXIT.interface): never => {
    pcap.close(handle);
    throw new UserError(text, exit);
  };
  pcap.setSnaplen(handle, options.snaplen ?? DEFAULTS.snaplen);
  pcap.setPromiscuous(handle, (options.promiscuous ?? true) && name !== 'any' ? 1 : 0);
  pcap.setTimeout(handle, options.blockTimeoutMs ?? DEFAULTS.blockTimeoutMs);
  pcap.setBufferSize(handle, (options.ringBytes ?? DEFAULTS.ringBytes) / options.interfaces.length);
  pcap.setNanos?.(handle, NANOS);
  const status = pcap.activate(handle);
  if (status === PERMISSION_DENIED || status === PROMISCUOUS_DENIED) {
    pcap.close(handle);
    throw new NoRightError();
  }
  if (status < 0) fail(`Cannot capture on ${name}: ${pcap.error(handle) || pcap.statusText(status)}.`);
  if (pcap.setNonBlocking(handle, 1, error) !== 0) fail(`Cannot capture on ${name}: ${errorText(error)}.`);
  const datalink = pcap.datalink(handle);
  const program = new Uint8Array(PROGRAM_BYTES);
  const expression = dnsExpression(options);
  if (pcap.compile(handle, program, expression, 1, NO_NETMASK) !== 0) {
    fail(`Capture filter: ${pcap.error(handle)}.\n  ${expression}`, EXIT.filter);
  }
  const isSet = pcap.setFilter(handle, program) === 0;
  pcap.freeCode(program);
  if (!isSet) fail(`Capture filter: ${pcap.error(handle)}.`, EXIT.filter);
  return {
    name,
    handle,
    link: DLT_RAW.includes(datalink) ? LINK.raw : datalink,
    unitNanos: pcap.getPrecision?.(handle) === NANOS ? 1 : 1000,
    isOpen: true,
  };
}
