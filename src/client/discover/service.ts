import { isIP } from 'node:net';

import { UserError } from '../../core/errors.ts';
import { HTTPS } from '../../rr/https.ts';
import { SRV } from '../../rr/srv.ts';
import type { RecordData } from '../../rr/value.ts';
import type { Resolution, Resolver } from '../resolver.ts';

export type ServiceType = 'SRV' | 'SVCB' | 'HTTPS';

/** A server that a service names. */
export interface ServiceServer {
  /** Host, without last dot. */
  target: string;
  port: number;
  priority: number;
  /** Of SRV; SVCB knows none, its servers share equally. */
  weight: number;
  /** IPv6 and IPv4; those of the hints where DNS gave none. */
  addresses: string[];
  /** Of SVCB: protocols (`h2`, `h3`). */
  alpn: string[];
  /** Why it has no address; absent when it has. */
  problem?: string;
}

/** What DNS says of a service. */
export interface Service {
  name: string;
  type: ServiceType;
  servers: ServiceServer[];
  /** Seconds for which this holds: the least TTL of all records used. */
  ttl: number;
  /** Names on the way, the asked one first (CNAME, and aliases of SVCB). */
  names: string[];
  /** What is odd, in plain words. */
  problems: string[];
  /** Why there are no servers; absent when there are. */
  sentence?: string;
  /** False when nobody answered: what was known before may still hold. */
  isAnswered: boolean;
}

/** Most servers of a service, addresses of a server, aliases one after another: what is beyond is told, not used. */
const MOST_SERVERS = 64;
const MOST_ADDRESSES = 16;
const MOST_ALIASES = 8;
/** For how long "there is none" holds, where the answer does not say, s. */
const NEGATIVE_TTL = 30;

/** Keys of SVCB that are understood; a record that makes another one mandatory must not be used (RFC 9460 §8). */
const KNOWN_KEYS = new Set(['alpn', 'no-default-alpn', 'port', 'ipv4hint', 'ipv6hint', 'ech', 'mandatory', 'dohpath']);

/** `_sip._tcp.example.org` is found by SRV, `example.org` and `_8443._https.example.org` by HTTPS, `_dns.…` by SVCB. */
export function serviceTypeOf(name: string): ServiceType {
  const labels = name.toLowerCase().split('.');
  if (/^_(?:tcp|udp|sctp|dccp|tls)$/.test(labels[1] ?? '')) return 'SRV';
  const scheme = /^_\d+$/.test(labels[0]) ? labels[1] : labels[0];
  return scheme?.startsWith('_') === true && scheme !== '_https' ? 'SVCB' : 'HTTPS';
}

/** Asks for a service and for the addresses of its servers. Never throws for what the network does. */
export async function findService(
  name: string,
  type: ServiceType,
  resolver: Resolver,
  signal?: AbortSignal,
): Promise<Service> {
  const service: Service = {
    name,
    type,
    servers: [],
    ttl: Number.POSITIVE_INFINITY,
    names: [foldName(name)],
    problems: [],
    isAnswered: true,
  };
  const records = await serviceRecords(service, resolver, signal);
  if (records.length > MOST_SERVERS)
    service.problems.push(`There are ${records.length} servers; the first ${MOST_SERVERS} are used.`);
  const servers = records.slice(0, MOST_SERVERS);
  // One host may be named several times, with other ports: it is asked for once, as the resolver shares questions.
  await Promise.all(servers.map((server) => addAddresses(server, service, resolver, signal)));
  service.servers = servers.map(({ hints: _hints, ...server }) => server);
  if (service.servers.length === 0) service.sentence ??= `${name} names no server.`;
  if (!Number.isFinite(service.ttl)) service.ttl = NEGATIVE_TTL;
  return service;
}

interface Found extends ServiceServer {
  hints: string[];
}

async function serviceRecords(service: Service, resolver: Resolver, signal?: AbortSignal): Promise<Found[]> {
  let name = service.name;
  for (let aliases = 0; aliases <= MOST_ALIASES; aliases++) {
    const resolution = await resolver.query(name, service.type, withSignal(signal));
    for (const one of resolution.names.slice(1)) service.names.push(one);
    noteTtl(service, resolution);
    if (resolution.records.length === 0) {
      service.sentence = absence(resolution, service.type);
      service.isAnswered = resolution.outcome === 'answered' && /^(?:NOERROR|NXDOMAIN)$/.test(resolution.rcode ?? '');
      return [];
    }
    if (service.type === 'SRV') return srvServers(service, resolution.records);
    const end = resolution.names.at(-1) ?? name;
    const step = svcbServers(service, resolution.records, end);
    if (Array.isArray(step)) return step;
    if (service.names.includes(step.alias)) {
      service.sentence = `The aliases go round in a circle: ${[...service.names, step.alias].join(' → ')}.`;
      return [];
    }
    service.names.push(step.alias);
    name = step.alias;
  }
  service.sentence = `There are more than ${MOST_ALIASES} aliases one after another.`;
  return [];
}

function srvServers(service: Service, records: readonly RecordData[]): Found[] {
  const servers: Found[] = [];
  for (const { data } of records) {
    const value = valueOf(SRV, data, service);
    if (value === undefined) continue;
    const { priority, weight, port, target } = value;
    // RFC 2782: a single `.` says that the service is decidedly not offered here.
    if (target === '.') service.sentence = `${service.name} says that it does not offer this service.`;
    else servers.push({ target: foldName(target), port, priority, weight, addresses: [], alpn: [], hints: [] });
  }
  return servers;
}

/** Servers of the records in ServiceMode; where one is in AliasMode, that alias alone counts (RFC 9460 §2.4.2). */
function svcbServers(service: Service, records: readonly RecordData[], owner: string): Found[] | { alias: string } {
  const servers: Found[] = [];
  for (const { data } of records) {
    const value = valueOf(HTTPS, data, service);
    if (value === undefined) continue;
    const { priority, target, params } = value;
    const host = target === '.' ? owner : foldName(target);
    if (priority === 0) {
      if (target !== '.') return { alias: host };
      service.sentence = `${service.name} says that it does not offer this service.`;
      return [];
    }
    const values = new Map(params.map(({ key, value }) => [key, value]));
    const unknown = listOf(values.get('mandatory')).filter((key) => !KNOWN_KEYS.has(key));
    if (unknown.length > 0) {
      service.problems.push(`${host} needs ${unknown.join(', ')}, which is not known here: it was left out.`);
      continue;
    }
    const port = values.has('port') ? Number(values.get('port')) : usualPort(service.name);
    const hints = [...listOf(values.get('ipv6hint')), ...listOf(values.get('ipv4hint'))];
    // Nothing shares out by weight: equals are chosen from at random.
    servers.push({ target: host, port, priority, weight: 1, addresses: [], alpn: listOf(values.get('alpn')), hints });
  }
  return servers;
}

/** The value of a record's data; undefined, and told, when it is malformed (shown as `\\# …`, which is no value's text). */
function valueOf<V>(form: { parse(text: string): V }, data: string, service: Service): V | undefined {
  try {
    if (!data.startsWith('\\#')) return form.parse(data);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  service.problems.push('A record is malformed and was left out.');
  return undefined;
}

/** The port in the name (RFC 9460 §2.3), else that of HTTPS. */
function usualPort(name: string): number {
  const port = /^_(\d{1,5})\./.exec(name);
  return port === null ? 443 : Number(port[1]);
}

async function addAddresses(server: Found, service: Service, resolver: Resolver, signal?: AbortSignal): Promise<void> {
  const both = await Promise.all(['AAAA', 'A'].map((type) => resolver.query(server.target, type, withSignal(signal))));
  for (const resolution of both) if (resolution.records.length > 0) noteTtl(service, resolution);
  // RFC 2782: the target must not be an alias.
  if (service.type === 'SRV' && both[1].names.length > 1)
    service.problems.push(`${server.target} is an alias, which the target of SRV must not be.`);
  const found = both.flatMap(({ records }) => records.map(({ data }) => data)).filter((data) => isIP(data) !== 0);
  const addresses = found.length > 0 ? found : server.hints.filter((hint) => isIP(hint) !== 0);
  if (addresses.length > MOST_ADDRESSES)
    service.problems.push(`${server.target} has ${addresses.length} addresses; ${MOST_ADDRESSES} are used.`);
  server.addresses = addresses.slice(0, MOST_ADDRESSES);
  if (addresses.length === 0)
    server.problem = absence(both.find(({ outcome }) => outcome !== 'answered') ?? both[1], 'A');
}

function absence({ outcome, rcode, sentence, question }: Resolution, type: string): string {
  if (outcome !== 'answered') return sentence;
  if (rcode === 'NOERROR') return `${question.name} has no ${type} record.`;
  return rcode === 'NXDOMAIN'
    ? `${question.name} does not exist.`
    : `The resolver answers ${rcode ?? 'nothing'} for ${question.name}.`;
}

function noteTtl(service: Service, { records, message }: Resolution): void {
  const soa = records.length > 0 ? [] : (message?.authority ?? []).filter(({ type }) => type === 'SOA');
  for (const { ttl } of [...records, ...soa]) service.ttl = Math.min(service.ttl, ttl);
}

const listOf = (value: string | undefined): string[] => (value === undefined || value === '' ? [] : value.split(','));

const withSignal = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });

/** A name in lower case, without its last dot. */
function foldName(name: string): string {
  return name.toLowerCase().replace(/(?<=.)\.$/, '');
}
