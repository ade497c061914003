import { lookup, resolve } from 'node:dns/promises';
import type { RecordData } from '../rr/value.ts';
import type { Question } from './question.ts';
import type { Answer } from './resolver.ts';

const RCODES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'NXDOMAIN',
  ENODATA: 'NOERROR',
  ESERVFAIL: 'SERVFAIL',
  EREFUSED: 'REFUSED',
  EFORMERR: 'FORMERR',
  ENOTIMP: 'NOTIMP',
};

/**
 * Asks this machine by node:dns: addresses as every program finds them (hosts file, mDNS …), other types from the
 * resolvers it names. It tells no TTL, flags or message.
 */
export async function askSystem({ name, type }: Question): Promise<Answer> {
  try {
    const data = type === 'A' || type === 'AAAA' ? await addresses(name, type) : await others(name, type);
    const records: RecordData[] = data.map((text) => ({ name, type, class: 'IN', ttl: 0, data: text }));
    return { message: null, rcode: 'NOERROR', records, outcome: 'answered', sentence: 'This machine answered.' };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const rcode = RCODES[code] ?? null;
    const outcome = rcode !== null ? 'answered' : code === 'ETIMEOUT' || code === 'EAI_AGAIN' ? 'timeout' : 'not_sent';
    return { message: null, rcode, records: [], outcome, sentence: `This machine says: ${message}.` };
  }
}

async function addresses(name: string, type: 'A' | 'AAAA'): Promise<string[]> {
  const found = await lookup(name, { all: true, family: type === 'A' ? 4 : 6 });
  return found.map(({ address }) => address);
}

async function others(name: string, type: string): Promise<string[]> {
  const found: unknown = await resolve(name, type);
  return (Array.isArray(found) ? found : [found]).map(dataText);
}

/** A record as node:dns gives it, as text: an object's values in order, a TXT's strings in quotes. */
function dataText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((text) => JSON.stringify(text)).join(' ');
  const { type: _, ...fields } = value as Record<string, string | number>;
  return Object.values(fields).join(' ');
}
