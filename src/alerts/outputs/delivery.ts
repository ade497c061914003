import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../core/errors.ts';
import { Circuit, type Pauses } from '../../sinks/circuit.ts';
import { DeadLetters } from '../../sinks/dead-letters.ts';
import { Refused } from '../../sinks/target.ts';
import type { AlertOutput, Notice } from './output.ts';
import { DiskQueue } from './queue.ts';

/** What became of messages; what came in = sent + dead + waiting. */
export interface OutputStatus {
  name: string;
  sent: number;
  waiting: number;
  /** Given up: in the file of dead letters, as far as it had room. */
  dead: number;
  /** Attempts that failed. */
  failed: number;
  /** Why nothing is sent now; null = all is well. */
  error: string | null;
}

export interface DeliveryOptions {
  name: string;
  /** The queue on disk; dead letters stand beside it, as `.dead.ndjson`. */
  path: string;
  /** Most messages that wait. */
  most: number;
  giveUpMs: number;
  pauses?: Pauses;
  notice(level: 'info' | 'warn', message: string): void;
}

const PAUSES: Pauses = { firstMs: 1000, longestMs: 300_000 };

/**
 * The way of messages to a receiver, the same for every output: they wait on disk, are handed over one by one and in
 * order; what fails is tried again, ever more slowly and not all at the same moment; what is refused, or too old, is put
 * into a file where somebody can find it.
 */
export class AlertDelivery {
  readonly #output: AlertOutput;
  readonly #options: DeliveryOptions;
  readonly #queue: DiskQueue;
  readonly #letters: DeadLetters;
  readonly #circuit: Circuit;
  readonly #ending = new AbortController();
  #wake: AbortController | undefined;
  #isRunning = false;
  #owes = false;
  #running: Promise<void> = Promise.resolve();
  #sent = 0;
  #dead = 0;
  #error: string | null = null;

  /** Throws UserError when the queue cannot be written. */
  constructor(output: AlertOutput, options: DeliveryOptions) {
    this.#output = output;
    this.#options = options;
    this.#queue = new DiskQueue(options.path);
    this.#letters = new DeadLetters(`${options.path}.dead.ndjson`);
    this.#circuit = new Circuit(options.pauses ?? PAUSES);
    if (this.#queue.size > 0) this.#start();
  }

  push(notice: Notice): void {
    if (this.#queue.size >= this.#options.most || this.#ending.signal.aborted) return this.#bury(notice, 'queue full');
    try {
      this.#queue.push(notice);
    } catch (error) {
      return this.#bury(notice, reasonOf(error));
    }
    this.#start();
  }

  /** Tries again at once, also with nothing to say. */
  retry(): void {
    this.#owes = true;
    this.#wake?.abort();
    this.#start();
  }

  reopen(): void {
    this.#output.reopen?.();
    this.#wake?.abort();
  }

  status(): OutputStatus {
    const { name } = this.#options;
    return {
      name,
      sent: this.#sent,
      waiting: this.#queue.size,
      dead: this.#dead,
      failed: this.#circuit.failed,
      error: this.#error,
    };
  }

  /** Hands over what waits, for at most so long; the rest waits on disk for the next start. */
  async close(patienceMs: number): Promise<void> {
    this.#wake?.abort();
    const late = setTimeout(() => this.#ending.abort(), patienceMs);
    // A receiver that is away now is not waited for.
    if (this.#error !== null) this.#ending.abort();
    await this.#running;
    clearTimeout(late);
    this.#ending.abort();
    await this.#output.close();
  }

  #start(): void {
    if (this.#isRunning || this.#ending.signal.aborted) return;
    this.#isRunning = true;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      const next = this.#queue.first();
      if (next === undefined && !this.#owes) break;
      this.#owes = false;
      try {
        await this.#output.send(next?.notice ?? null, this.#ending.signal);
        if (next !== undefined) this.#done(next.n);
        this.#circuit.works();
      } catch (error) {
        const pause = this.#circuit.fails();
        const why = reasonOf(error);
        if (next === undefined) this.#owes = true;
        else if (error instanceof Refused) this.#giveUp(next, why);
        else if (Date.now() - next.notice.at > this.#options.giveUpMs) this.#giveUp(next, why);
        if (error instanceof Refused) {
          // Who says no is there.
          this.#circuit.works();
          continue;
        }
        this.#fails(why);
        await this.#rest(pause);
      }
    }
    // In the same breath as the last look at the queue.
    this.#isRunning = false;
  }

  #done(n: number): void {
    this.#sent++;
    this.#forget(n);
    if (this.#error === null) return;
    this.#error = null;
    this.#options.notice('info', `works again; ${this.#queue.size} messages wait`);
  }

  #giveUp({ n, notice }: { n: number; notice: Notice }, why: string): void {
    this.#forget(n);
    this.#bury(notice, why);
  }

  /** A full disk is no reason to stop: after a restart a message comes twice then, never not at all. */
  #forget(n: number): void {
    try {
      this.#queue.done(n);
    } catch (error) {
      this.#options.notice('warn', `${this.#queue.path} cannot be written: ${reasonOf(error)}`);
    }
  }

  /** Writes a message to the file of dead letters, while that is not too long. */
  #bury(notice: Notice, why: string): void {
    this.#dead++;
    this.#options.notice('warn', `a message was given up (${why}): ${this.#letters.bury(why, notice)}`);
  }

  #fails(why: string): void {
    if (this.#error === null) this.#options.notice('warn', `cannot be reached: ${why}`);
    this.#error = why;
  }

  async #rest(ms: number): Promise<void> {
    this.#wake = new AbortController();
    try {
      const signal = AbortSignal.any([this.#wake.signal, this.#ending.signal]);
      await sleep(ms, undefined, { signal });
    } catch {
      // Woken: there is a reason to try at once, or no more time to.
    }
    this.#wake = undefined;
  }
}
