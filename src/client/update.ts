import type { RecordInput } from '../rr/encode.ts';
import { exchange, type Exchange, type ExchangeOptions } from './exchange.ts';

/** What has to hold before a zone is changed (RFC 2136 §2.4). Without `type` any; without `data` any of that type. */
export interface Prerequisite {
  name: string;
  type?: string;
  data?: string;
  /** False: it must not be there (then without `data`). True unless told. */
  exists?: boolean;
}

/** Records that go (RFC 2136 §2.5): all of a name, all of a type, or one. */
export interface Removal {
  name: string;
  type?: string;
  data?: string;
}

export interface ZoneChange {
  require?: readonly Prerequisite[];
  /** Done before `add`. */
  remove?: readonly Removal[];
  add?: readonly RecordInput[];
}

/** Changes a zone at its primary (RFC 2136), all of it or nothing; mostly signed (`tsig`). The answer's rcode says how it went. */
export function update(zone: string, change: ZoneChange, options: ExchangeOptions): Promise<Exchange> {
  const answers = (change.require ?? []).map(prerequisite);
  const authority = [...(change.remove ?? []).map(removal), ...(change.add ?? [])];
  return exchange(
    { name: zone, type: 'SOA' },
    { ...options, opcode: 'UPDATE', recursionDesired: false, flags: [], sections: { answers, authority } },
  );
}

function prerequisite({ name, type = 'ANY', data, exists = true }: Prerequisite): RecordInput {
  if (data !== undefined && exists) return { name, type, ttl: 0, data };
  return { name, type, class: exists ? 'ANY' : 'NONE', ttl: 0, data: '' };
}

function removal({ name, type = 'ANY', data }: Removal): RecordInput {
  return data === undefined
    ? { name, type, class: 'ANY', ttl: 0, data: '' }
    : { name, type, class: 'NONE', ttl: 0, data };
}

/** Tells a secondary that a zone has changed (RFC 1996); with `soa` what its SOA is now. */
export function notify(
  zone: string,
  options: ExchangeOptions,
  soa?: Omit<RecordInput, 'name' | 'type'>,
): Promise<Exchange> {
  const answers = soa === undefined ? [] : [{ name: zone, type: 'SOA', ...soa }];
  return exchange(
    { name: zone, type: 'SOA' },
    { ...options, opcode: 'NOTIFY', recursionDesired: false, flags: ['aa'], sections: { answers } },
  );
}
