import { EXIT, reasonOf, UserError } from '../core/errors.ts';

/** Reads threat lists of every usual form into names and addresses. */

/** What a list says of a name or an address. */
export interface Threat {
  /** As the list has it: a name (folded, without a last dot) or an address. */
  value: string;
  isAddress: boolean;
  /** What the list says about it; empty where it says nothing. */
  note: string;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^[0-9a-f:]+:[0-9a-f:.]*$/i;
const NAME = /^(?=.{3,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/;
/** Names of hosts files that mean the machine itself. */
const OWN = new Set(['localhost.localdomain', 'local', 'broadcasthost', 'ip6-localhost']);
const HOSTS = /^(?:0\.0\.0\.0|127\.0\.0\.\d+|::1?|255\.255\.255\.255|fe80::1\S*)[ \t]+(\S.*)$/;
const RPZ = /^(\*\.)?(\S+?)\.?[ \t]+(?:\d+[smhdw]?[ \t]+)?(?:IN[ \t]+)?CNAME[ \t]+(\S+)/i;
const RECORD = /[ \t](?:IN[ \t]+)?(?:SOA|NS|A|AAAA|TXT|MX|PTR|SRV)[ \t]/i;
const DEPTH = 12;

/**
 * What a list in any of the known forms holds: hosts, names or addresses one a line, RPZ, MISP JSON, STIX 2.1. Throws
 * UserError where JSON is broken, or not whole yet.
 */
export function* threatsOf(lines: readonly string[], path: string): Generator<Threat> {
  const first = lines.find((line) => line.trim() !== '')?.trimStart() ?? '';
  if (first.startsWith('{') || (first.startsWith('[') && !first.startsWith('[Adblock')))
    yield* jsonThreats(lines, path);
  else if (lines.some((line) => /^\$(?:ORIGIN|TTL)|[ \t]SOA[ \t]/i.test(line))) yield* zoneThreats(lines);
  else for (const line of lines) yield* lineThreats(line);
}

function* lineThreats(line: string): Generator<Threat> {
  if (/^\s*[!;]/.test(line)) return;
  const [before, ...comment] = line.split('#');
  const note = comment.join('#').trim().slice(0, 100);
  const text = before.trim();
  if (text === '') return;
  const hosts = HOSTS.exec(text)?.[1];
  if (hosts !== undefined) {
    for (const name of hosts.split(/\s+/)) yield* threat(name, note);
    return;
  }
  // A second column, and what Adblock and dnsmasq put around a name.
  const [value, ...more] = text.split(/[\t,]/);
  yield* threat(
    value.replace(/^\|\||\^.*$/g, '').replace(/^(?:local|address|server)=\/([^/]+)\/.*$/, '$1'),
    note || more.join(' ').trim().slice(0, 100),
  );
}

/** RPZ: names under the zone's own; pass-through entries are none. */
function* zoneThreats(lines: readonly string[]): Generator<Threat> {
  let origin = '';
  for (const line of lines) {
    const set = /^\$ORIGIN\s+(\S+)/i.exec(line)?.[1];
    if (set !== undefined) origin = set.replace(/\.$/, '').toLowerCase();
    const owner = /^(\S+)\s.*\sSOA\s/i.exec(line)?.[1];
    if (owner !== undefined && owner !== '@' && origin === '') origin = owner.replace(/\.$/, '').toLowerCase();
    const match = RPZ.exec(line.replace(/;.*/, ''));
    if (match === null || RECORD.test(match[2])) continue;
    const [, , owned, target] = match;
    if (/^rpz-passthru\.?$/i.test(target)) continue;
    let name = owned.toLowerCase();
    if (origin !== '' && name.endsWith(`.${origin}`)) name = name.slice(0, -origin.length - 1);
    const address = /^32\.(\d+)\.(\d+)\.(\d+)\.(\d+)\.rpz-ip$/.exec(name);
    if (address !== null) yield* threat(address.slice(1).toReversed().join('.'), '');
    else if (!/\.rpz-(?:ip|client-ip|nsip|nsdname)$/.test(name)) yield* threat(name, '');
  }
}

function* jsonThreats(lines: readonly string[], path: string): Generator<Threat> {
  let value: unknown;
  try {
    value = JSON.parse(lines.join('\n').trim());
  } catch (error) {
    throw new UserError(`The list ${path} begins like JSON and is none: ${reasonOf(error)}.`, EXIT.file);
  }
  yield* walk(value, 0, Date.now());
}

/** Attributes of MISP and indicators of STIX, wherever they lie. */
function* walk(value: unknown, depth: number, now: number): Generator<Threat> {
  if (depth > DEPTH || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const one of value as unknown[]) yield* walk(one, depth + 1, now);
    return;
  }
  const object = value as Record<string, unknown>;
  if (object.type === 'indicator' && typeof object.pattern === 'string') {
    yield* stixThreats(object, now);
    return;
  }
  if (typeof object.type === 'string' && typeof object.value === 'string') yield* mispThreats(object);
  for (const [key, one] of Object.entries(object)) {
    if (CONTAINERS.has(key)) yield* walk(one, depth + 1, now);
  }
}

const CONTAINERS = new Set(['response', 'Event', 'Attribute', 'Object', 'objects', 'ObjectReference']);
const MISP_TYPES = new Set(['domain', 'hostname', 'ip-dst', 'ip-src', 'domain|ip', 'ip-dst|port', 'hostname|port']);

function* mispThreats({ type, value, comment, to_ids: isSign }: Record<string, unknown>): Generator<Threat> {
  // What is no sign of its own stands in an event for context only.
  if (typeof type !== 'string' || typeof value !== 'string' || !MISP_TYPES.has(type) || isSign === false) return;
  const note = typeof comment === 'string' ? comment.slice(0, 100) : '';
  const parts = type === 'domain|ip' ? value.split('|') : [value.split(/[|:](?=\d+$)/)[0]];
  for (const part of parts) yield* threat(part, note);
}

function* stixThreats(indicator: Record<string, unknown>, now: number): Generator<Threat> {
  const { pattern, name, valid_until: until, revoked } = indicator;
  if (revoked === true || (typeof until === 'string' && Date.parse(until) < now)) return;
  const note = typeof name === 'string' ? name.slice(0, 100) : '';
  const comparison = /(?:domain-name|ipv4-addr|ipv6-addr):value\s*=\s*'((?:[^'\\]|\\.)*)'/g;
  for (const match of String(pattern).matchAll(comparison)) yield* threat(match[1].replaceAll('\\', ''), note);
}

function* threat(written: string, note: string): Generator<Threat> {
  const value = written.trim().toLowerCase().replace(/^\*\./, '').replace(/\.$/, '');
  if (IPV4.test(value) || IPV6.test(value)) yield { value, isAddress: true, note };
  else if (NAME.test(value) && !OWN.has(value)) yield { value, isAddress: false, note };
}
