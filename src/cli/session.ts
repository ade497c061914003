import type { Ledger } from '../core/ledger.ts';
import { countsText } from './remarks.ts';

/**
 * What signals do to a run: SIGINT and SIGTERM end it in order, a second SIGINT at once; SIGUSR1 prints the counts and
 * goes on; SIGHUP goes on in a new file, and ends a run that writes none.
 */
export class Session {
  readonly #abort = new AbortController();
  #counts: (() => Ledger) | undefined;
  #file: { reopen(): void } | undefined;
  #ending = false;

  readonly #onInterrupt = (): void => {
    if (this.#ending) {
      // As if it had never listened: whoever started it sees that it was killed.
      process.off('SIGINT', this.#onInterrupt);
      process.kill(process.pid, 'SIGINT');
    }
    this.stop();
  };
  readonly #onTerminate = (): void => this.stop();
  readonly #onHangUp = (): void => {
    if (this.#file === undefined) this.stop();
    else this.#file.reopen();
  };
  readonly #onCounts = (): void => {
    if (this.#counts !== undefined) process.stderr.write(`${countsText(this.#counts())}\n`);
  };

  constructor() {
    process.on('SIGINT', this.#onInterrupt);
    process.on('SIGTERM', this.#onTerminate);
    process.on('SIGHUP', this.#onHangUp);
    process.on('SIGUSR1', this.#onCounts);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends the run: what is there is flushed, written and summed up. */
  stop(): void {
    this.#ending = true;
    this.#abort.abort();
  }

  /** Hooks of a run. */
  readonly counting = (counts: () => Ledger): void => {
    this.#counts = counts;
  };
  readonly writing = (file: { reopen(): void }): void => {
    this.#file = file;
  };

  /** Signals mean again what they meant before. */
  close(): void {
    process.off('SIGINT', this.#onInterrupt);
    process.off('SIGTERM', this.#onTerminate);
    process.off('SIGHUP', this.#onHangUp);
    process.off('SIGUSR1', this.#onCounts);
  }
}
