import type { ByteWriter } from './byte-writer.ts';

/** Styles of a terminal (ECMA-48 SGR codes). */
export const DIM = '2';
export const RED = '31';
export const GREEN = '32';
export const YELLOW = '33';
export const MAGENTA = '35';
export const CYAN = '36';

/**
 * Text that may hold anything, made fit for a terminal: control characters (C0, C1, DEL), what changes the direction of
 * writing or has no width, line separators and broken surrogates become `\u{202e}`.
 */
export function shown(text: string): string {
  return UNSAFE.test(text) ? text.replace(EVERY_UNSAFE, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`) : text;
}
/** A terminal of fewer columns gets short times, and columns only as wide as what stands in them. */
const NARROW = 110;

export function isNarrow({ width = NARROW }: { width?: number }): boolean {
  return width < NARROW;
}

const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;
const EVERY_UNSAFE = new RegExp(UNSAFE.source, 'gu');

/** One line of text for people, put together piece by piece: coloured or not, cut to the terminal's width or not. */
export class Line {
  readonly #writer: ByteWriter;
  readonly #color: boolean;
  readonly #width: number;
  #text = '';
  /** Characters so far. */
  length = 0;

  constructor(writer: ByteWriter, options: { color?: boolean; width?: number }) {
    this.#writer = writer;
    this.#color = options.color === true;
    this.#width = options.width ?? Number.POSITIVE_INFINITY;
  }

  /** Characters left before the line is full. */
  get room(): number {
    return this.#width - this.length;
  }

  /** Adds safe text (see `shown`); what does not fit is cut, with `…` in place of the last character. */
  add(text: string, style = ''): this {
    const room = this.room;
    if (room <= 0 || text === '') return this;
    const fits = text.length <= room ? text : cut(text, room);
    this.length += fits.length;
    this.#text += this.#color && style !== '' ? `\u001B[${style}m${fits}\u001B[0m` : fits;
    return this;
  }

  /** Adds text and blanks up to `width` characters. */
  pad(text: string, width: number, style = ''): this {
    this.add(text, style);
    return text.length < width ? this.add(' '.repeat(width - text.length)) : this;
  }

  /** Writes the line, without blanks at its end, and begins the next one. */
  end(): void {
    this.#writer.text(`${this.#text.trimEnd()}\n`);
    this.#text = '';
    this.length = 0;
  }
}

/** The first `room` characters of a text, the last of them `…`. */
export function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

/** The last `room` characters of a text, the first of them `…`: the end of a name says most. */
export function cutFront(text: string, room: number): string {
  return text.length <= room ? text : `…${text.slice(text.length - room + 1)}`;
}

/** A column as wide as its widest text so far, between two bounds: lines stay below each other and nothing waits. */
export class Column {
  width: number;
  readonly #most: number;

  constructor(least: number, most: number) {
    this.width = least;
    this.#most = most;
  }

  fit(length: number): number {
    if (length > this.width) this.width = Math.min(length, this.#most);
    return this.width;
  }
}

/**
 * Time of day in the local time zone (`TZ`) with microseconds; `day` puts the date in front, as lines that are kept
 * need it and lines on a terminal do not.
 */
export function localTime(seconds: number, nanos: number, day: boolean): string {
  if (seconds !== cachedSeconds) {
    cachedSeconds = seconds;
    const date = new Date(seconds * 1000);
    const wrong = Number.isNaN(date.getTime());
    cachedTime = wrong ? `@${seconds}` : [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
    cachedDay = wrong ? '' : `${[date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')} `;
  }
  return `${day ? cachedDay : ''}${cachedTime}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}`;
}
let cachedSeconds = Number.NaN;
let cachedTime = '';
let cachedDay = '';

function two(n: number): string {
  return String(n).padStart(2, '0');
}

/** A span of nanoseconds for people: `0.098 ms`, `12.345 ms`, `1.204 s`. */
export function spanText(nanos: number, digits = 3): string {
  const millis = nanos / 1e6;
  // Nothing, not less than nothing.
  if (Math.abs(millis) < 0.5 / 10 ** digits) return `${(0).toFixed(digits)} ms`;
  return Math.abs(millis) < 1000 ? `${millis.toFixed(digits)} ms` : `${(millis / 1000).toFixed(digits)} s`;
}
