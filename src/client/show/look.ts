import type { ShowParts } from '../words.ts';

/** How a result is shown. */
export interface Look {
  color: boolean;
  /** Parts of dig's text. */
  parts: ShowParts;
  /** The words as they were given, for dig's first line. */
  words: readonly string[];
  version: string;
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
export type Color = keyof typeof CODES;

/** Text in a colour, where colours are wanted. */
export function paint(text: string, color: Color, look: Pick<Look, 'color'>): string {
  return look.color && text !== '' ? `\u001b[${CODES[color]}m${text}\u001b[0m` : text;
}

/** A name as zone files and dig write it: with its last dot. */
export function dotted(name: string): string {
  return name === '.' ? name : `${name}.`;
}

/** A TTL as people read it: `42s`, `5m00s`, `1h00m00s`, `2d0h00m00s`. */
export function ttlText(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = seconds % 60;
  if (days > 0) return `${days}d${hours}h${two(minutes)}m${two(rest)}s`;
  if (hours > 0) return `${hours}h${two(minutes)}m${two(rest)}s`;
  return minutes > 0 ? `${minutes}m${two(rest)}s` : `${rest}s`;
}
