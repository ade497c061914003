import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { addressText } from '../core/address.ts';
import type { Finding } from '../core/alert.ts';
import { BLOCK_KINDS, type BlockTarget } from '../core/block.ts';
import { UserError } from '../core/errors.ts';
import { addressWords } from '../core/network.ts';

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * What is to be blocked, in its one form: folded, without a leading `*.` or a last dot, addresses as their shortest text.
 * Names are of letters, digits, `-` and `_` only: whatever writes them to a file or command needs no escapes. Throws
 * UserError for what is none.
 */
export function blockTarget({ kind, value }: { kind: string; value: string }): BlockTarget {
  const known = BLOCK_KINDS.find((one) => one === kind);
  if (known === undefined) throw new UserError(`"${kind}" cannot be blocked: ${BLOCK_KINDS.join(', ')} can.`);
  const plain = value.trim();
  return { kind: known, value: known === 'domain' ? domainOf(plain) : addressOf(plain) };
}

export function targetKey({ kind, value }: BlockTarget): string {
  return `${kind} ${value}`;
}

function domainOf(text: string): string {
  const folded = text.toLowerCase().replace(/^\*\./, '').replace(/\.$/, '');
  // What is read as a host of a URL, below, would end at a slash and lose line feeds.
  const isPlain = /^(?:[a-z0-9._-]|[^\p{ASCII}])*$/u.test(folded);
  const name = isPlain && /[^\p{ASCII}]/u.test(folded) ? domainToASCII(folded) : folded;
  if (name.length > 253 || !name.split('.').every((label) => LABEL.test(label)) || isIP(name) !== 0) {
    throw new UserError(`"${text}" is no domain that can be blocked: letters, digits, - and _ between single dots.`);
  }
  return name;
}

function addressOf(text: string): string {
  const family = isIP(text);
  if ((family !== 4 && family !== 6) || text.includes('%')) throw new UserError(`"${text}" is no address.`);
  const [w0, w1, w2, w3] = addressWords(family, text);
  const isMapped = family === 6 && w0 === 0 && w1 === 0 && w2 >>> 0 === 0xffff;
  return isMapped ? addressText(4, 0, 0, 0, w3) : addressText(family, w0, w1, w2, w3);
}

/** What a finding speaks against, by key: what it proposes to block first. */
export function targetsOf(
  { domain, client, server }: Finding,
  wanted: BlockTarget | undefined,
): Map<string, BlockTarget> {
  const all = [wanted, targetOf('domain', domain), targetOf('client', client), targetOf('address', server)];
  const targets = new Map<string, BlockTarget>();
  for (const one of all) {
    if (one !== undefined && !targets.has(targetKey(one))) targets.set(targetKey(one), one);
  }
  return targets;
}

/** Undefined for a name that no list could hold. */
export function targetOf(kind: string, value: string | undefined): BlockTarget | undefined {
  if (value === undefined) return undefined;
  try {
    return blockTarget({ kind, value });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
