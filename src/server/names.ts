import { domainToASCII } from 'node:url';
import { ProblemError } from './problem.ts';

/** Longest name as text: 255 octets, each of which may be written `\DDD`. */
const MOST_CHARACTERS = 1020;

/**
 * A name as people type it, as the store has it: lower case, no trailing dot, international labels as `xn--…`, root `.`.
 * Throws ProblemError for what can be no name.
 */
export function nameInput(text: string): string {
  const trimmed = text.trim();
  const ascii = /[^\0-\x7f]/.test(trimmed) ? domainToASCII(trimmed) : trimmed;
  const name = ascii === '.' ? '.' : ascii.replace(/(?<!\\)\.$/, '').toLowerCase();
  const labels = name.split(/(?<!\\)\./);
  const isSound = name === '.' || labels.every((label) => label !== '' && octets(label) <= 63);
  if (name !== '' && isSound && name.length <= MOST_CHARACTERS && octets(name) <= 253) return name;
  throw new ProblemError(400, 'This is no domain name: labels have 1 to 63 octets, a name at most 255.', {
    parameter: 'name',
  });
}

function octets(escaped: string): number {
  return escaped.replace(/\\(?:\d{3}|.)/gs, 'x').length;
}
