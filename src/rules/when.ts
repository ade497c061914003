import { UserError } from '../core/errors.ts';

/** Numbers of a window that a condition may ask for. */
export const AGGREGATES = [
  'count',
  'rate',
  'distinct',
  'ratio',
  'mean',
  'variance',
  'min',
  'max',
  'p50',
  'p90',
  'p95',
  'p99',
] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** `p95(dns.time) >= 0.2`, `ratio(dns.flags.rcode == 3) > 50 %`, `mean(dns.time) changed by 3`. */
export interface Comparison {
  aggregate: Aggregate;
  /** A field; of `ratio` a filter; empty for `count` and `rate`. */
  argument: string;
  /** `changed`: away from what is usual for the key, by so many spreads (median ± MAD of earlier windows). */
  operator: '>=' | '>' | '<=' | '<' | '==' | 'changed';
  value: number;
  text: string;
}

/** Comparisons joined by `and`, and those groups by `or`: any group whose comparisons all hold. */
export interface When {
  text: string;
  any: readonly (readonly Comparison[])[];
}

const COMPARISON =
  /^(?<name>[a-z0-9]+)\s*(?:\((?<argument>.*)\))?\s*(?:(?<operator>>=|<=|==|>|<)|(?<changed>changed\s+by))\s*(?<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(?<unit>%|ms|us|s|\/s|kB|MB|B)?$/is;
/** Fields of time are seconds, of size bytes. */
const UNITS: Readonly<Record<string, number>> = {
  '%': 0.01,
  ms: 1e-3,
  us: 1e-6,
  s: 1,
  '/s': 1,
  kB: 1e3,
  MB: 1e6,
  B: 1,
};

/** Reads the `when` of a rule. Throws UserError with what is wrong. */
export function parseWhen(text: string): When {
  const any = split(text, 'or').map((group) => split(group, 'and').map(comparison));
  return { text, any };
}

function comparison(written: string): Comparison {
  const text = written.trim();
  const groups = COMPARISON.exec(text)?.groups;
  if (groups === undefined) {
    throw new UserError(`'${text}' is no condition. Write one such as count >= 20, or p95(dns.time) > 200 ms.`);
  }
  const name = groups.name.toLowerCase();
  const aggregate = AGGREGATES.find((one) => one === name);
  if (aggregate === undefined) {
    throw new UserError(`'${groups.name}' is not known here. There are ${AGGREGATES.join(', ')}.`);
  }
  const argument = (groups.argument ?? '').trim();
  const isPlain = aggregate === 'count' || aggregate === 'rate';
  if (isPlain !== (argument === '')) {
    const [fault, example] = isPlain
      ? ['takes nothing in brackets', `${aggregate} > 20`]
      : [
          'wants something in brackets',
          aggregate === 'ratio' ? 'ratio(dns.flags.rcode == 3) > 50 %' : `${aggregate}(dns.time) > 1`,
        ];
    throw new UserError(`${aggregate} ${fault}: ${example}.`);
  }
  const value = Number(groups.number) * UNITS[groups.unit ?? 's'];
  const operator = groups.changed === undefined ? (groups.operator as Comparison['operator']) : 'changed';
  return { aggregate, argument, operator, value, text };
}

/** Splits at a word that stands outside of brackets and quotes. */
function split(text: string, word: 'and' | 'or'): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\' && quoted) i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && c === '(') depth++;
    else if (!quoted && c === ')') depth--;
    else if (!quoted && depth === 0 && isWord(text, i, word)) {
      parts.push(text.slice(from, i));
      from = i + word.length;
      i = from - 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

function isWord(text: string, at: number, word: string): boolean {
  const end = at + word.length;
  const isApart = (c: string | undefined) => c === undefined || /\s/.test(c);
  return text.slice(at, end).toLowerCase() === word && isApart(text[at - 1]) && isApart(text[end]);
}
