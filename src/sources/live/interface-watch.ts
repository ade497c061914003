import { writeSync } from 'node:fs';
import { interfaceState, interfaceStatistics, listInterfaces, type NetworkInterface } from './interfaces.ts';
import type { LiveOptions } from './options.ts';

/** How often the state of the interfaces is looked at. */
const LOOK_MS = 500;

/** Looks after the interfaces of a capture: tells when one goes down or away, and counts what they dropped. */
export class InterfaceWatch {
  readonly #interfaces: { name: string; index: number; state: 'up' | 'down' | 'gone'; before: Counts }[];
  readonly #isAny: boolean;
  readonly #isCounting: boolean;
  readonly #notice: (text: string) => void;
  #looked = performance.now();
  #last: { received: number; interface: number } | undefined;

  constructor(wanted: readonly NetworkInterface[] | 'any', { fanout, notice }: LiveOptions) {
    this.#isAny = wanted === 'any';
    // Of several workers one speaks and counts.
    this.#isCounting = (fanout?.index ?? 0) === 0;
    this.#notice = notice ?? sayNotice;
    this.#interfaces = (wanted === 'any' ? listInterfaces() : wanted).map(({ name, index, isUp }) => ({
      name,
      index,
      state: isUp ? 'up' : 'down',
      before: counts(name),
    }));
    for (const { name, state } of this.#interfaces) {
      if (!this.#isAny && state === 'down')
        this.#tell(`${name} is down: nothing arrives before \`ip link set ${name} up\`.`);
    }
  }

  /** Names for messages. */
  get names(): string {
    return this.#interfaces.map(({ name }) => name).join(', ');
  }

  /** No interface is left to capture on. */
  get allGone(): boolean {
    return !this.#isAny && this.#interfaces.every(({ state }) => state === 'gone');
  }

  /** Looks, now and then. */
  look(): void {
    const now = performance.now();
    if (this.#isAny || now - this.#looked < LOOK_MS) return;
    this.#looked = now;
    for (const watched of this.#interfaces) {
      if (watched.state === 'gone') continue;
      const state = interfaceState(watched.name, watched.index);
      if (state === watched.state) continue;
      watched.state = state;
      const goesOn = this.allGone ? '' : '; capture goes on';
      if (state === 'gone') this.#tell(`${watched.name} has disappeared${goesOn}.`);
      else if (state === 'down') this.#tell(`${watched.name} went down${goesOn} when it is up again.`);
      else this.#tell(`${watched.name} is up.`);
    }
  }

  /** Packets that the interfaces received and sent, and dropped, since the start. */
  loss(): { received?: number; interface: number } {
    if (!this.#isCounting) return { interface: 0 };
    if (this.#last !== undefined) return this.#last;
    let received = 0;
    let dropped = 0;
    for (const { name, before } of this.#interfaces) {
      const now = counts(name);
      received += Math.max(0, now.packets - before.packets);
      dropped += Math.max(0, now.dropped - before.dropped);
    }
    return { received, interface: dropped };
  }

  /** The capture has ended: what comes later does not count. */
  close(): void {
    const { received = 0, interface: dropped } = this.loss();
    if (this.#isCounting) this.#last = { received, interface: dropped };
  }

  #tell(text: string): void {
    if (this.#isCounting) this.#notice(text);
  }
}

interface Counts {
  packets: number;
  dropped: number;
}

function counts(name: string): Counts {
  const statistics = interfaceStatistics(name);
  if (statistics === undefined) return { packets: 0, dropped: 0 };
  const { receivedPackets, sentPackets, receivedDropped } = statistics;
  return { packets: receivedPackets + sentPackets, dropped: receivedDropped };
}

/** Writes to standard error at once: the stream of a worker that waits for packets would wait, too. */
export function sayNotice(text: string): void {
  try {
    writeSync(2, `nametap: ${text}\n`);
  } catch {
    // Nobody listens there any more.
  }
}
