/** Answers that are the same for everybody for a moment: asked for once, kept for `keepMs`, at most `most` of them. */
export class SingleFlight<T> {
  readonly #keepMs: number;
  readonly #most: number;
  readonly #now: () => number;
  readonly #answers = new Map<string, { at: number; answer: Promise<T> }>();

  constructor(keepMs: number, now: () => number, most = 64) {
    this.#keepMs = keepMs;
    this.#now = now;
    this.#most = most;
  }

  /** The answer of `key`, asked for with `ask` when there is none that is young enough. Failures are not kept. */
  get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known !== undefined && this.#now() - known.at < this.#keepMs) return known.answer;
    const answer = ask();
    this.#answers.delete(key);
    this.#answers.set(key, { at: this.#now(), answer });
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.#most) break;
      this.#answers.delete(oldest);
    }
    answer.catch(() => {
      if (this.#answers.get(key)?.answer === answer) this.#answers.delete(key);
    });
    return answer;
  }

  /** Resolves when nothing is being asked any more. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#answers.values()].map(({ answer }) => answer));
  }
}
