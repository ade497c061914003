import type { MessageView } from '../wire/message.ts';
import { skipName } from '../wire/name.ts';

/** Types whose rdata holds names in the clear, that may be compressed or be hidden: octets before the first, and how many. */
const NAMES_IN: ReadonlyMap<number, readonly [before: number, names: number]> = new Map([
  [2, [0, 1]],
  [3, [0, 1]],
  [4, [0, 1]],
  [5, [0, 1]],
  [6, [0, 2]],
  [7, [0, 1]],
  [8, [0, 1]],
  [9, [0, 1]],
  [12, [0, 1]],
  [14, [0, 2]],
  [15, [2, 1]],
  [17, [0, 2]],
  [18, [2, 1]],
  [21, [2, 1]],
  [24, [18, 1]],
  [26, [2, 2]],
  [30, [0, 1]],
  [33, [6, 1]],
  [36, [2, 1]],
  [39, [0, 1]],
  [46, [18, 1]],
  [47, [0, 1]],
  [64, [2, 1]],
  [65, [2, 1]],
]);
const X = 0x78;

/** Calls with the offset of every name in the rdata of a record; what cannot be read as names is set to zero. */
export function eachRdataName(view: MessageView, i: number, each: (at: number) => void): void {
  const place = NAMES_IN.get(view.type[i]);
  if (place === undefined) return;
  const end = view.rdata[i] + view.rdlength[i];
  let at = view.rdata[i] + place[0];
  for (let n = 0; n < place[1] && at < end; n++) {
    const next = skipName(view.bytes, at, view.start, end);
    if (next < 0) {
      view.bytes.fill(0, at, end);
      return;
    }
    each(at);
    at = next;
  }
}

/**
 * Puts one `x` in the place of every run of hidden labels (offsets of their length octets), so that nothing tells how
 * many and how long they were. What stands behind moves up; pointers and lengths are written anew. Returns the octets
 * that went; the view is of the message as it was.
 */
export function closeUp(view: MessageView, hidden: ReadonlySet<number>): number {
  if (hidden.size === 0) return 0;
  // All are found before anything moves: to find one its pointers are followed.
  const inside: number[][] = [];
  for (let i = 0; i < view.records; i++) {
    const names: number[] = [];
    eachRdataName(view, i, (at) => names.push(at));
    inside.push(names);
  }
  const shift = new Shift(view, hidden);
  for (let q = 0; q < view.questions; q++) shift.name(view.questionName[q]);
  for (let i = 0; i < view.records; i++) {
    const end = view.rdata[i] + view.rdlength[i];
    shift.name(view.owner[i]);
    shift.copy(view.rdata[i]);
    const begin = shift.to;
    for (const at of inside[i]) shift.name(at);
    shift.copy(end);
    shift.length(begin);
  }
  return shift.end();
}

/** Copies a message within itself to where it is shorter. */
class Shift {
  readonly #view: MessageView;
  readonly #hidden: ReadonlySet<number>;
  /** Where labels have gone to. */
  readonly #moved = new Map<number, number>();
  #from: number;
  to: number;

  constructor(view: MessageView, hidden: ReadonlySet<number>) {
    this.#view = view;
    this.#hidden = hidden;
    this.#from = this.to = view.start;
  }

  /** Everything before an offset, as it is. */
  copy(until: number): void {
    this.#view.bytes.copyWithin(this.to, this.#from, until);
    this.to += until - this.#from;
    this.#from = until;
  }

  name(at: number): void {
    const { bytes, start } = this.#view;
    this.copy(at);
    let isRun = false;
    for (let n = bytes[at]; n !== 0; n = bytes[this.#from]) {
      if (n >= 0xc0) {
        const target = start + (((n & 0x3f) << 8) | bytes[this.#from + 1]);
        this.#from += 2;
        // The `x` that it leads to is enough.
        if (isRun && this.#hidden.has(target)) this.to -= 2;
        this.#pointer(this.#from - 2, this.#moved.get(target));
        return;
      }
      if (this.#hidden.has(this.#from)) {
        this.#moved.set(this.#from, isRun ? this.to - 2 : this.to);
        this.#from += n + 1;
        if (!isRun) {
          bytes[this.to++] = 1;
          bytes[this.to++] = X;
        }
        isRun = true;
      } else {
        isRun = false;
        this.#moved.set(this.#from, this.to);
        this.copy(this.#from + n + 1);
      }
    }
    this.#moved.set(this.#from, this.to);
    this.copy(this.#from + 1);
  }

  /** The pointer that stood at `from`; without a place to point at the name ends. */
  #pointer(from: number, place: number | undefined): void {
    const { bytes, start } = this.#view;
    this.#moved.set(from, this.to);
    if (place === undefined) {
      bytes[this.to++] = 0;
      return;
    }
    bytes[this.to++] = 0xc0 | ((place - start) >> 8);
    bytes[this.to++] = (place - start) & 255;
  }

  /** Rdata begins there and ends here. */
  length(begin: number): void {
    const { bytes } = this.#view;
    bytes[begin - 2] = (this.to - begin) >> 8;
    bytes[begin - 1] = (this.to - begin) & 255;
  }

  end(): number {
    const { bytes, end } = this.#view;
    this.copy(end);
    bytes.fill(0, this.to, end);
    return end - this.to;
  }
}
