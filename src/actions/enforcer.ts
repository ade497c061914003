import type { ActionState, Block } from '../core/block.ts';
import { reasonOf } from '../core/errors.ts';
import type { Action } from './action.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** At the end an action has so long to let go of everything. */
const PATIENCE_MS = 5000;

type Notice = (level: 'info' | 'warn', message: string) => void;

/** Keeps an action at what is wanted: the newest wish counts, what fails is tried again, ever more slowly. */
export class Enforcer {
  readonly #name: string;
  readonly #type: string;
  readonly #action: Action;
  readonly #notice: Notice;
  #wanted: readonly Block[] = [];
  #isDue = false;
  #running: Promise<void> | undefined;
  #applied = 0;
  #failed = 0;
  #error: string | null = null;
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(name: string, type: string, action: Action, notice: Notice) {
    this.#name = name;
    this.#type = type;
    this.#action = action;
    this.#notice = notice;
  }

  takes(kind: Block['kind']): boolean {
    return this.#action.kinds.includes(kind);
  }

  want(blocks: readonly Block[]): void {
    this.#wanted = blocks.filter(({ kind }) => this.takes(kind));
    this.#isDue = true;
    this.#wake?.();
    this.#running ??= this.#run();
  }

  /** Resolves when what is wanted holds, or has failed once. */
  async settled(): Promise<void> {
    const failed = this.#failed;
    while (this.#running !== undefined && this.#failed === failed) await Promise.race([this.#running, pause(5)]);
  }

  state(): ActionState {
    return {
      name: this.#name,
      type: this.#type,
      applied: this.#applied,
      wanted: this.#wanted.length,
      failed: this.#failed,
      error: this.#error,
      counts: this.#action.counts?.() ?? {},
    };
  }

  /** Nothing is blocked any more, then it ends. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.want([]);
    await Promise.race([this.#running, pause(PATIENCE_MS)]);
    this.#wake?.();
    try {
      await this.#action.close();
    } catch (error) {
      this.#notice('warn', reasonOf(error));
    }
  }

  async #run(): Promise<void> {
    let wait = FIRST_PAUSE_MS;
    while (this.#isDue) {
      this.#isDue = false;
      const blocks = this.#wanted;
      try {
        await this.#action.apply(blocks);
        this.#works(blocks.length);
        wait = FIRST_PAUSE_MS;
      } catch (error) {
        this.#fails(error);
        if (this.#isClosed) break;
        await this.#rest(wait);
        this.#isDue = true;
        wait = Math.min(2 * wait, LONGEST_PAUSE_MS);
      }
    }
    this.#running = undefined;
  }

  #works(count: number): void {
    this.#applied = count;
    if (this.#error !== null) this.#notice('info', 'works again');
    this.#error = null;
  }

  #fails(error: unknown): void {
    const reason = reasonOf(error);
    this.#failed++;
    if (this.#error === null) this.#notice('warn', reason);
    this.#error = reason;
  }

  /** Until the next attempt; a new wish ends it. */
  async #rest(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([woken, pause(ms)]);
    this.#wake = undefined;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
