/** Marks of a row are one octet. */
const MOST_MARKS = 255;
const MANY = 'several rules';

/** Numbers for sets of rules that marked a row: a batch has room for a number, not for names. */
export class MarkNames {
  /** Names by number, `, ` between them; 0 is none. Grows. */
  readonly texts: string[] = [''];
  readonly #numbers = new Map<string, number>();

  /** The number of a set of names. */
  of(names: readonly string[]): number {
    const text = names.join(', ');
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    // The last number stands for all sets that have none.
    if (text !== MANY && this.texts.length >= MOST_MARKS) return this.of([MANY]);
    const number = this.texts.push(text) - 1;
    this.#numbers.set(text, number);
    return number;
  }
}
