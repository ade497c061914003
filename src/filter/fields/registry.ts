import { EDNS_FIELDS } from './edns.ts';
import type { FilterField } from './field.ts';
import { LAYER_FIELDS } from './layers.ts';
import { MESSAGE_FIELDS } from './message.ts';
import { NETBIOS_FIELDS } from './netbios.ts';
import { RDATA_FIELDS } from './rdata.ts';
import { RELATION_FIELDS } from './relations.ts';

/** Every field of the filter language. */
export const FIELDS: readonly FilterField[] = [
  ...LAYER_FIELDS,
  ...MESSAGE_FIELDS,
  ...RELATION_FIELDS,
  ...EDNS_FIELDS,
  ...RDATA_FIELDS,
  ...NETBIOS_FIELDS,
];

const byName = new Map(FIELDS.map((field) => [field.name, field]));

/** The field of a name, undefined without. */
export function findField(name: string): FilterField | undefined {
  return byName.get(name);
}

/** The field whose name is nearest to a mistyped one; undefined when none is near. */
export function nearestField(name: string): string | undefined {
  const wanted = name.slice(0, 80).toLowerCase();
  let best: string | undefined;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const { name: candidate } of FIELDS) {
    if (Math.abs(candidate.length - wanted.length) >= least) continue;
    const distance = editDistance(wanted, candidate, least);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Insertions, deletions, changes and swaps of neighbours that turn `a` into `b`; `limit` when it is that or more. */
function editDistance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(change, row[j] + 1, next[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    if (Math.min(...next) >= limit) return limit;
    before = row;
    row = next;
  }
  return row[b.length];
}
