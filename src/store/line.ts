/** Works that run one after the other, whatever became of those before. */
export class Line {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when what is in the line now has ended. */
  async done(): Promise<void> {
    await this.#last;
  }
}
