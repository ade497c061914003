/** Pieces remembered in all, and of one list: beyond that no more are noted, and `frames` gives none. */
const MAX_PIECES = 1 << 18;
const MAX_LIST = 256;
/** Numbers per piece: first position, the one behind the last, frame. */
const STRIDE = 3;

/** Which frames held bytes came in, by list: what `ip.fragment` and `tcp.segment` show. */
export class Origins {
  readonly #lists = new Map<number, number[]>();
  #pieces = 0;

  /** Bytes of a list from `position` up to `end` came in a frame. */
  note(list: number, position: number, end: number, frame: number): void {
    const known = this.#lists.get(list);
    if (this.#pieces === MAX_PIECES || (known?.length ?? 0) >= MAX_LIST * STRIDE) return;
    this.#pieces++;
    if (known === undefined) this.#lists.set(list, [position, end, frame]);
    else known.push(position, end, frame);
  }

  /** Nothing is held for the list any more. */
  clear(list: number): void {
    const known = this.#lists.get(list);
    if (known === undefined) return;
    this.#pieces -= known.length / STRIDE;
    this.#lists.delete(list);
  }

  /** Frames that bytes from `from` up to `to` came in, in the order of the bytes; empty where one is not known. */
  frames(list: number, from: number, to: number): readonly number[] {
    const known = this.#lists.get(list) ?? [];
    const found: { position: number; end: number; frame: number }[] = [];
    for (let i = 0; i < known.length; i += STRIDE) {
      if (known[i] < to && known[i + 1] > from) {
        found.push({ position: known[i], end: known[i + 1], frame: known[i + 2] });
      }
    }
    let covered = from;
    found.sort((a, b) => a.position - b.position);
    for (const { position, end } of found) {
      if (position > covered) return [];
      covered = Math.max(covered, end);
    }
    return covered < to ? [] : found.map(({ frame }) => frame);
  }

  /** Forgets what ends at or before a position, once that is half of much. */
  trim(list: number, before: number): void {
    const known = this.#lists.get(list);
    if (known === undefined || known.length < 64 * STRIDE) return;
    const middle = Math.floor(known.length / STRIDE / 2) * STRIDE;
    if (known[middle + 1] > before) return;
    const kept: number[] = [];
    for (let i = 0; i < known.length; i += STRIDE) {
      if (known[i + 1] > before) kept.push(known[i], known[i + 1], known[i + 2]);
    }
    this.#pieces -= (known.length - kept.length) / STRIDE;
    this.#lists.set(list, kept);
  }
}
