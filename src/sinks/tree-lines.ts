import type { Carrier } from '../core/carrier.ts';
import type { ByteWriter } from './byte-writer.ts';
import { CYAN, DIM, Line, RED, shown } from './line.ts';
import type { OutputOptions } from './output.ts';

/** A field of a tree. Offsets are into the memory that the line's message or frame lies in; absent = has no place. */
export interface TreeField {
  depth: number;
  name: string;
  value: string;
  /** One line: what it says. Only shown with `offsets`. */
  meaning?: string;
  at?: number;
  /** Octets. */
  length?: number;
  /** Where it is smaller than an octet: how many bits. */
  bits?: number;
}

const INDENT = '  ';
/** `frame`, `message` and `length` columns. */
const OFFSETS_WIDTH = 22;

/** Writes the lines of one message's tree, with or without offsets in front. */
export class TreeLines {
  readonly #line: Line;
  readonly #offsets: boolean;
  // What offsets count from: the frame's first octet (−1: the message is not in its frame), and the message's.
  #frameAt = 0;
  #messageAt = -1;

  constructor(options: OutputOptions, writer: ByteWriter) {
    this.#line = new Line(writer, options);
    this.#offsets = options.offsets === true;
  }

  get offsets(): boolean {
    return this.#offsets;
  }

  /** Begins with the layers of a frame. */
  enterFrame(carrier: Carrier): void {
    this.#frameAt = carrier.frameAt;
    this.#messageAt = -1;
    if (!this.#offsets) return;
    this.#line.add(' frame message length', DIM);
    this.#line.end();
  }

  /** Goes on with the message: from here on fields have an offset in it. */
  enterMessage(carrier: Carrier): void {
    this.#messageAt = carrier.at;
    const { frame, bytes, at, length, frameAt, capturedLength } = carrier;
    const inFrame = bytes === frame && at >= frameAt && at + length <= frameAt + capturedLength;
    this.#frameAt = inFrame ? frameAt : -1;
  }

  field({ depth, name, value, meaning, at, length, bits }: TreeField): void {
    const line = this.#line;
    if (this.#offsets) this.#place(at, length, bits);
    line.add(INDENT.repeat(depth)).add(name, CYAN);
    if (value !== '') line.add(`: ${shown(value)}`);
    if (this.#offsets && meaning !== undefined && meaning !== '') line.add(`  — ${meaning}`, DIM);
    line.end();
  }

  /** A line that says what is wrong, where it lies. */
  fault(depth: number, text: string, at?: number): void {
    if (this.#offsets) this.#place(at, undefined, undefined);
    this.#line.add(INDENT.repeat(depth)).add(`!! ${shown(text)}`, RED);
    this.#line.end();
  }

  /** An empty line: the end of a message. */
  gap(): void {
    this.#line.end();
  }

  #place(at: number | undefined, length: number | undefined, bits: number | undefined): void {
    const frame = at === undefined || this.#frameAt < 0 ? '-' : String(at - this.#frameAt);
    const message =
      at === undefined || this.#messageAt < 0 || at < this.#messageAt ? '-' : String(at - this.#messageAt);
    const size =
      bits !== undefined ? `${bits} bit${bits === 1 ? '' : 's'}` : length === undefined ? '-' : String(length);
    this.#line.pad(`${frame.padStart(6)}${message.padStart(8)}${size.padStart(7)}`, OFFSETS_WIDTH, DIM).add(' ');
  }
}
