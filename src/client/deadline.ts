/**
 * Calls `fire` once, so many milliseconds after now or after `restart`, never sooner: Node counts its timers from the
 * beginning of a turn of the event loop, which may be milliseconds ago.
 */
export class Deadline {
  readonly #ms: number;
  readonly #fire: () => void;
  #at = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, fire: () => void) {
    this.#ms = ms;
    this.#fire = fire;
    this.restart();
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#at = performance.now() + this.#ms;
    this.#wait(this.#ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      const left = this.#at - performance.now();
      if (left > 0) this.#wait(Math.ceil(left));
      else this.#fire();
    }, ms);
  }
}
