import { setImmediate } from 'node:timers/promises';
import { EXIT, UserError } from '../../core/errors.ts';
import { type CapturedInterface, type Damage, FrameBatch, type Source, type SourceLoss } from '../../core/frames.ts';
import { captureProgram } from './capture-program.ts';
import { InterfaceWatch } from './interface-watch.ts';
import {
  linkOfHardware,
  listInterfaces,
  LOOPBACK_HARDWARE,
  type NetworkInterface,
  resolveInterfaces,
} from './interfaces.ts';
import { PacketSocket } from './packet-socket.ts';
import { foreignCompiler } from './pcap-compile.ts';
import { NoRightError } from './rights.ts';
import { Ring } from './ring.ts';
import { DEFAULTS, type LiveOptions } from './options.ts';
import { SystemError, Waiter, waitBlocking } from './system.ts';

/** Silence after which time passes without frames. */
const IDLE_MS = 100;

/** Opens the ring on the interfaces of the options. Throws UserError. */
export function openRing(options: LiveOptions): Source {
  const interfaces = options.interfaces.includes('any') ? 'any' : resolveInterfaces(options.interfaces);
  return new RingSource(options, interfaces);
}

class RingSource implements Source {
  readonly live = true;
  readonly interfaces: CapturedInterface[] = [];
  readonly damage: Damage[] = [];
  readonly #socket: PacketSocket;
  readonly #ring: Ring;
  readonly #batch = new FrameBatch();
  readonly #watch: InterfaceWatch;
  readonly #snaplen: number;
  readonly #blockTimeoutMs: number;
  readonly #isBlocking: boolean;
  readonly #idByIndex = new Map<number, number>();

  constructor(options: LiveOptions, wanted: NetworkInterface[] | 'any') {
    this.#snaplen = options.snaplen ?? DEFAULTS.snaplen;
    this.#blockTimeoutMs = options.blockTimeoutMs ?? DEFAULTS.blockTimeoutMs;
    this.#isBlocking = options.blocking ?? false;
    // All that there are, in order: then several workers number them alike.
    for (const { index, name, link } of wanted === 'any' ? listInterfaces() : wanted) this.#add(index, name, link ?? 0);
    const single = wanted !== 'any' && wanted.length === 1 ? wanted[0] : undefined;
    this.#watch = new InterfaceWatch(wanted, options);
    this.#socket = openSocket();
    try {
      const ringBytes = (options.ringBytes ?? DEFAULTS.ringBytes) / (options.fanout?.size ?? 1);
      const buffer = this.#socket.map(ringBytes, this.#blockTimeoutMs);
      const interfaceId = (index: number, hardwareType: number) => this.#interfaceId(index, hardwareType);
      this.#ring = new Ring(buffer, this.#snaplen, single === undefined ? interfaceId : null);
      if (single !== undefined) this.#batch.link.fill(single.link ?? 0);
      this.#start(options, wanted, single);
    } catch (error) {
      this.#socket.close();
      throw error instanceof SystemError ? cannotCapture(error) : error;
    }
    this.#ring.attach(this.#batch);
  }

  loss(): SourceLoss {
    const { drops } = this.#socket.statistics();
    return { ...this.#watch.loss(), kernel: drops };
  }

  fill(): number {
    return this.#ring.fullness;
  }

  async *batches(signal: AbortSignal): AsyncIterable<FrameBatch> {
    const waiter = this.#isBlocking ? undefined : new Waiter(this.#socket.fd);
    const stop = () => {
      this.#socket.stop();
      waiter?.wake();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    try {
      yield* this.#read(signal, waiter);
    } finally {
      signal.removeEventListener('abort', stop);
      waiter?.close();
      this.#close();
    }
  }

  async *#read(signal: AbortSignal, waiter: Waiter | undefined): AsyncIterable<FrameBatch> {
    const ring = this.#ring;
    const batch = this.#batch;
    let drainUntil = Number.POSITIVE_INFINITY;
    while (!this.#watch.allGone) {
      ring.fill(batch);
      if (batch.count > 0) {
        // Under load a block is always ready: signals and timers have their turn all the same.
        if (waiter !== undefined) await setImmediate();
        yield batch;
        continue;
      }
      const now = performance.now();
      if (signal.aborted) {
        // What arrived before the end is still in the block that the kernel fills; its time-out hands it over.
        if (ring.isEmpty || now > drainUntil) return;
        if (drainUntil === Number.POSITIVE_INFINITY) drainUntil = now + 2 * this.#blockTimeoutMs + IDLE_MS;
      }
      if (waiter === undefined) waitBlocking(this.#socket.fd, IDLE_MS);
      else await waiter.wait(IDLE_MS);
      if (performance.now() - now >= IDLE_MS - 1 && ring.isEmpty && !signal.aborted) yield batch;
      // An interface that went down leaves an error, which would wake us again and again.
      this.#socket.clearError();
      this.#watch.look();
    }
    this.damage.push({ file: this.#watch.names, offset: ring.frames, reason: 'the interface has disappeared' });
  }

  #start(options: LiveOptions, wanted: NetworkInterface[] | 'any', single: NetworkInterface | undefined): void {
    const socket = this.#socket;
    if (wanted !== 'any' && (options.promiscuous ?? true)) for (const { index } of wanted) socket.promiscuous(index);
    const isLoopback = single?.hardwareType === LOOPBACK_HARDWARE;
    if (isLoopback) socket.ignoreOutgoing();
    const shape = {
      interfaces: single === undefined && wanted !== 'any' ? wanted.map(({ index }) => index) : undefined,
      hardwareType: single?.hardwareType,
    };
    const { filter, defaultFilter = 'dns', extraUdpPorts, extraTcpPorts, encrypted, family } = options;
    const rule = { snaplen: this.#snaplen, filter, defaultFilter, extraUdpPorts, extraTcpPorts, encrypted, family };
    const program = captureProgram(rule, shape, foreignCompiler(single?.name));
    socket.bind(single?.index ?? 0);
    if (options.fanout !== undefined) socket.join(options.fanout, isLoopback);
    socket.filter(program);
  }

  #interfaceId(index: number, hardwareType: number): number {
    const known = this.#idByIndex.get(index);
    if (known !== undefined) return known;
    const name = listInterfaces().find((candidate) => candidate.index === index)?.name;
    return this.#add(index, name ?? `interface ${index}`, linkOfHardware(hardwareType) ?? 0);
  }

  #add(index: number, name: string, link: number): number {
    const id = this.interfaces.push({ name, link, snaplen: this.#snaplen }) - 1;
    this.#idByIndex.set(index, id);
    return id;
  }

  #close(): void {
    this.#watch.close();
    this.#batch.count = 0;
    this.#socket.close();
  }
}

function openSocket(): PacketSocket {
  try {
    return new PacketSocket();
  } catch (error) {
    if (error instanceof SystemError && (error.code === 'EPERM' || error.code === 'EACCES')) {
      throw new NoRightError({ cause: error });
    }
    throw error instanceof SystemError ? cannotCapture(error) : error;
  }
}

function cannotCapture(error: SystemError): UserError {
  const advice =
    error.code === 'ENOMEM'
      ? 'There is not enough memory for the ring: ask for a smaller one (-B 16MiB).'
      : 'nametap doctor tells what is missing.';
  return new UserError(`The kernel refuses to capture (${error.message}). ${advice}`, EXIT.interface, { cause: error });
}
