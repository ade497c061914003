import type { CanonicalRecord } from '../dnssec/canonical.ts';
import type { Trust } from '../dnssec/validator.ts';
import type { DomainName } from '../domain-name.ts';
import type { Exchange } from '../exchange.ts';
import type { Reply } from './reply.ts';
import type { ServerName, Trace, TraceEnd } from './types.ts';

/** A zone, its servers, and whether its keys are trusted. */
export interface Zone {
  name: DomainName;
  servers: ServerName[];
  /** Null while nobody asked for it, and where signatures are not looked at. */
  trust: Trust | null;
  /** Who referred to it, and with which records of trust. */
  from: { parent: Zone; records: readonly CanonicalRecord[] } | null;
}

/** What looking for one name gave, before its aliases are followed. */
export interface Found {
  zone: Zone;
  reply: Reply;
  result: Exchange;
}

/** A look-up that cannot go on: how it ended, and why. */
export class Stop extends Error {
  readonly end: TraceEnd;
  constructor(end: TraceEnd, sentence: string) {
    super(sentence);
    this.end = end;
  }
}

/** How a trace that came to its end is told. */
export function sentenceOf({ end, answers }: Trace, name: DomainName, at: DomainName, zone: DomainName): string {
  const through = at.is(name) ? '' : `, through aliases, at ${at.text}`;
  const where = zone.labels === 0 ? 'the root' : zone.text;
  if (end === 'nxdomain') return `${at.text} does not exist: ${where} says so.`;
  if (end === 'nodata') return `${at.text} exists in ${where}, but has no records of this type.`;
  const count = answers.length === 1 ? 'one record' : `${answers.length} records`;
  return `${name.text} has ${count}${through}, from ${where}.`;
}
