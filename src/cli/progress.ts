import { numberText } from '../core/figures.ts';

const BAR = 24;

/** One line on a terminal's standard error: how far a long read is, at what rate, and how long it will take. */
export class Progress {
  readonly #on: boolean;
  readonly #started = performance.now();
  #shown = 0;

  /** `on`: standard error is a terminal, and nothing else is shown there. */
  constructor(on: boolean) {
    this.#on = on;
  }

  /** `frames` 0 = not known. Does nothing in the first half second, and then ten times a second. */
  show(doneBytes: number, ofBytes: number, frames: number): void {
    const now = performance.now();
    if (!this.#on || now - this.#started < 500 || now - this.#shown < 100) return;
    this.#shown = now;
    process.stderr.write(`\r\x1b[K${progressLine(doneBytes, ofBytes, frames, (now - this.#started) / 1000)}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#on && this.#shown > 0) process.stderr.write('\r\x1b[K');
    this.#shown = 0;
  }
}

/** `━━━━━━────  52 %  812 MB/s  1,234,567 frames/s  3 s left`, as far as it is known. */
export function progressLine(doneBytes: number, ofBytes: number, frames: number, seconds: number): string {
  const parts: string[] = [];
  const rate = doneBytes / seconds;
  if (ofBytes > 0) {
    const part = Math.min(1, doneBytes / ofBytes);
    const full = Math.round(BAR * part);
    parts.push(`${'━'.repeat(full)}${'─'.repeat(BAR - full)}`, `${Math.floor(100 * part)} %`);
  }
  parts.push(`${numberText(Math.round(rate / 1e6))} MB/s`);
  if (frames > 0) parts.push(`${numberText(Math.round(frames / seconds))} frames/s`);
  if (ofBytes > doneBytes && rate > 0) parts.push(`${numberText(Math.ceil((ofBytes - doneBytes) / rate))} s left`);
  return parts.join('  ');
}
