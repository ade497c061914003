import { randomBytes } from 'node:crypto';
import { ANSWER } from '../../wire/message.ts';
import { DomainName } from '../domain-name.ts';
import { TYPE } from '../dnssec/canonical.ts';
import { answerRecords, type Reply } from './reply.ts';
import type { Tracer } from './trace.ts';
import type { ServerCheck, ZoneCheck } from './types.ts';
import type { Zone } from './zone.ts';

/** Addresses asked. */
const MOST_SERVERS = 32;
/** Records of one server that are compared, and characters of what is said about them. */
const MOST_LISTED = 100;
const MOST_SAID = 2000;

/**
 * Asks every server of a zone for its serial, its servers, the question, and a name that nobody can have registered: what
 * differs is said.
 */
export async function checkZone(tracer: Tracer, zone: Zone, name: DomainName, type: number): Promise<ZoneCheck> {
  const random = madeUpName(zone.name);
  const servers: ServerCheck[] = [];
  for (const server of zone.servers) {
    for (const address of await tracer.addressesOf(server, zone)) {
      if (servers.length === MOST_SERVERS) break;
      const at = { ...(server.name !== undefined && { name: server.name }), address };
      servers.push(await checkServer(tracer, zone, at, name, type, random));
    }
  }
  const parent = zone.servers.flatMap((server) => (server.name === undefined ? [] : [server.name])).sort();
  return { zone: zone.name.text, servers, parent, remarks: remarksOn(servers, parent, zone.servers, random) };
}

async function checkServer(
  tracer: Tracer,
  zone: Zone,
  at: { name?: string; address: string },
  name: DomainName,
  type: number,
  random: DomainName | null,
): Promise<ServerCheck> {
  const ask = (asked: DomainName, of: number) => tracer.ask(zone, at, asked, of, 0, 'check');
  const soa = await ask(zone.name, TYPE.SOA);
  const check: ServerCheck = {
    ...at,
    ms: soa.result.response === null ? null : soa.result.ms,
    outcome: soa.result.outcome,
    authoritative: soa.step.flags.includes('aa'),
    serial: serialOf(soa.reply),
    servers: [],
    rcode: null,
    answers: [],
    random: null,
  };
  // A server that is silent would be silent to the others, too.
  if (soa.result.response === null) return check;
  const servers = await ask(zone.name, TYPE.NS);
  check.servers = answerRecords(servers.reply)
    .filter((record) => record.type === 'NS')
    .map(({ data }) => data.toLowerCase())
    .slice(0, MOST_LISTED)
    .sort();
  const own = await ask(name, type);
  check.rcode = own.step.rcode;
  check.answers = answerRecords(own.reply)
    .map((record) => `${record.name} ${record.type} ${record.data}`)
    .slice(0, MOST_LISTED)
    .sort();
  if (random === null) return check;
  const made = await ask(random, TYPE.A);
  check.random =
    made.step.rcode === 'NOERROR' && made.step.answers.length > 0
      ? made.step.answers.map(({ data }) => data).join(', ')
      : made.step.rcode;
  return check;
}

/** Null where there is no room for one more label. */
function madeUpName(zone: DomainName): DomainName | null {
  const label = `nametap-${randomBytes(10).toString('hex')}`;
  if (zone.wire.length + label.length + 1 > 255) return null;
  return DomainName.parse(`${label}.${zone.labels === 0 ? '' : zone.text}`);
}

function serialOf({ records }: Reply): number | null {
  const soa = records.find((record) => record.section === ANSWER && record.type === TYPE.SOA);
  if (soa === undefined || soa.rdata.length < 22) return null;
  return new DataView(soa.rdata.buffer, soa.rdata.byteOffset).getUint32(soa.rdata.length - 20);
}

function remarksOn(
  servers: readonly ServerCheck[],
  parent: readonly string[],
  listed: Zone['servers'],
  random: DomainName | null,
): string[] {
  const remarks: string[] = [];
  const where = ({ name, address }: ServerCheck) => (name === undefined ? address : `${name} (${address})`);
  const told = servers.filter((server) => server.serial !== null);
  for (const server of servers) {
    if (server.ms === null) remarks.push(`${where(server)} does not answer (${server.outcome.replaceAll('_', ' ')}).`);
    else if (!server.authoritative) remarks.push(`${where(server)} is lame: it does not serve the zone.`);
  }
  for (const { name, addresses } of listed) {
    if (addresses.length === 0 && name !== undefined) remarks.push(`${name} has no address.`);
  }
  const serials = new Set(told.map(({ serial }) => serial));
  if (serials.size > 1) {
    const list = told.map((server) => `${where(server)} ${server.serial}`).join(', ');
    remarks.push(`Serials differ: ${list}.`);
  }
  const child = [...new Set(told.flatMap((one) => one.servers))].sort();
  const atParentOnly = parent.filter((name) => !child.includes(name));
  const atChildOnly = child.filter((name) => !parent.includes(name));
  if (told.length > 0 && parent.length > 0) {
    if (atParentOnly.length > 0) remarks.push(`The parent lists ${atParentOnly.join(', ')}; the zone itself does not.`);
    if (atChildOnly.length > 0) remarks.push(`The zone lists ${atChildOnly.join(', ')}; its parent does not.`);
  }
  const answers = new Map<string, ServerCheck[]>();
  for (const server of told) {
    const key = `${server.rcode} ${server.answers.join('; ')}`;
    answers.set(key, [...(answers.get(key) ?? []), server]);
  }
  if (answers.size > 1) {
    const list = [...answers].map(([text, who]) => `${who.map(where).join(', ')}: ${text}`).join(' | ');
    remarks.push(`Answers differ: ${list.length <= MOST_SAID ? list : `${list.slice(0, MOST_SAID)} …`}.`);
  }
  const rewriting = told.filter((one) => one.random !== null && one.random !== 'NXDOMAIN');
  if (rewriting.length > 0 && random !== null) {
    const what = rewriting[0].random === 'NOERROR' ? 'no records' : rewriting[0].random;
    remarks.push(`${random.text}, which nobody has, gives ${what}: a wildcard, or answers are rewritten.`);
  }
  return remarks;
}
