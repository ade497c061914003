import { reasonOf } from '../core/errors.ts';
import type { Failure } from './probe.ts';

/** An echo that came back. */
export interface Echo {
  /** Milliseconds. */
  ms: number;
  /** TTL or hop limit of the reply; absent where the way does not tell. */
  hopLimit?: number;
}

export interface EchoRequest {
  address: string;
  family: 4 | 6;
  /** Octets behind the ICMP header. */
  size: number;
  timeoutMs: number;
  signal: AbortSignal;
}

/** A way to send echo requests. */
export interface IcmpWay {
  /** What it is, in words. */
  readonly text: string;
  /** One request; null when nothing came back. */
  echo(request: EchoRequest): Promise<Echo | Failure | null>;
  close(): void;
}

/** Ways to ping, tried once, the best first: a ping socket needs no right, a raw socket root, fping is a program. */
export class IcmpSource {
  #way: Promise<IcmpWay> | undefined;
  #text: string | null = null;

  /** What is used, or why nothing can be; null while nobody asked. */
  get text(): string | null {
    return this.#text;
  }

  /** Throws `Error` with the reasons where there is no way. */
  way(): Promise<IcmpWay> {
    return (this.#way ??= this.#open());
  }

  async #open(): Promise<IcmpWay> {
    const reasons: string[] = [];
    for (const open of WAYS) {
      try {
        const way = await open();
        this.#text = way.text;
        return way;
      } catch (error) {
        reasons.push(reasonOf(error));
      }
    }
    this.#text = `no way to send ICMP: ${reasons.join('; ')}`;
    throw new Error(this.#text);
  }

  async close(): Promise<void> {
    const opening = this.#way;
    this.#way = undefined;
    try {
      (await opening)?.close();
    } catch {
      // What could not be opened needs no closing.
    }
  }
}

const sockets = async (kind: 'ping' | 'raw'): Promise<IcmpWay> => {
  if (process.platform !== 'linux') throw new Error(`a ${kind} socket is used on Linux only`);
  const { IcmpSockets } = await import('./icmp-sockets.ts');
  return new IcmpSockets(kind);
};
const WAYS: readonly (() => Promise<IcmpWay>)[] = [
  () => sockets('ping'),
  () => sockets('raw'),
  async () => (await import('./fping.ts')).fping(),
];
