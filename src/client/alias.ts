import type { Message, RecordData } from '../rr/value.ts';

/** Most aliases that are followed, in one answer and by asking on. */
export const MOST_ALIASES = 16;

/** Where the aliases of an answer lead. */
export interface AliasChain {
  /** Names in order, the asked one first. */
  names: string[];
  /** Records of the asked type at the end; empty when there are none. */
  records: RecordData[];
  /** `loop`: a name comes again; `long`: more than `MOST_ALIASES`. */
  problem: 'loop' | 'long' | null;
}

const folded = (name: string) => name.toLowerCase().replace(/(?<=.)\.$/, '');

/** Follows the CNAME and DNAME records of an answer from the asked name (RFC 1034 §3.6.2, RFC 6672). */
export function followAliases(name: string, type: string, { answers }: Pick<Message, 'answers'>): AliasChain {
  const names = [folded(name)];
  const seen = new Set(names);
  for (;;) {
    const at = names[names.length - 1];
    const own = answers.filter((record) => folded(record.name) === at);
    const records = own.filter((record) => type === 'ANY' || record.type === type);
    const alias = type === 'CNAME' ? undefined : own.find((record) => record.type === 'CNAME');
    if (records.length > 0 || alias === undefined) return { names, records, problem: null };
    const target = folded(alias.data);
    names.push(target);
    if (seen.has(target)) return { names, records: [], problem: 'loop' };
    if (names.length > MOST_ALIASES) return { names, records: [], problem: 'long' };
    seen.add(target);
  }
}

/** The same in words. */
export function aliasSentence({ names, problem }: AliasChain): string {
  const shown = names.length > 4 ? [...names.slice(0, 2), '…', ...names.slice(-2)] : names;
  return problem === 'loop'
    ? `The aliases go round in a circle: ${shown.join(' → ')}. Nobody can find an address that way.`
    : `There are more than ${MOST_ALIASES} aliases one after another: ${shown.join(' → ')}.`;
}
