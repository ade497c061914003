import { MDNS } from '../core/carrier.ts';
import type { EncodedRecords } from '../rr/batch-writer.ts';
import { parseName } from '../wire/writer.ts';
import { askCached, type Client, lookUp } from './client.ts';
import { Random } from './random.ts';
import { addressAnswer, ipv4, ipv4Of, NXDOMAIN, octets, oneAnswer, TYPE, txtData } from './records.ts';
import type { Stage } from './stage.ts';
import { type HostName, inventedLabel, publicAddress, type Zone } from './world.ts';

const DAY = 86_400;
const MULTICAST = ipv4Of(224, 0, 0, 251);
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const HEX = '0123456789abcdef';
const BASE36 = `${LOWER}0123456789`;

/** How busy people are, 0 … 1: hour of the day and day of the week, UTC. */
export function activity(time: number): number {
  const hour = (time % DAY) / 3600;
  const day = Math.floor(time / DAY + 4) % 7;
  const atWork = Math.max(0, Math.cos(((hour - 13.5) / 24) * 2 * Math.PI)) ** 0.7;
  const isWeekend = day === 0 || day === 6;
  return 0.04 + 0.96 * atWork * (isWeekend ? 0.3 : 1);
}

/** Services that many programs ask for without anybody wanting it. */
interface Services {
  /** Pages bring these in. */
  parties: HostName[];
  updates: HostName[];
  telemetry: HostName[];
  reputation: Zone;
  blockLists: Zone[];
  /** Names that are asked once: counters, CDN shards; of well-known and of unknown companies. */
  disposable: { zone: Zone; answers: EncodedRecords[] }[];
  vendors: HostName[];
  local: Zone;
  files: HostName[];
  arpa: Zone;
}

/** Gives every client its habits. */
export function addHabits(stage: Stage): void {
  const services = servicesOf(stage);
  for (const client of stage.clients) {
    const { random, kind } = client;
    const first = stage.arrival(client) + random.next() * 3600;
    if (kind === 'desktop' || kind === 'phone') {
      const favourites = Array.from({ length: 25 }, () => pageOf(stage, services, client));
      stage.schedule(first, (now) => session(stage, services, client, favourites, now));
    }
    if (kind === 'server') serve(stage, services, client, first);
    if (kind === 'device') {
      const vendor = services.vendors[client.number % services.vendors.length];
      const period = random.pick([300, 900, 3600]);
      stage.schedule(first, (now) => {
        lookUp(stage, client, vendor, now);
        return now + period * (0.98 + random.next() * 0.04);
      });
    }
    const update = random.pick(services.updates);
    stage.schedule(first + 5, (now) => {
      lookUp(stage, client, update, now);
      return now + 3600 * random.between(0.7, 1.3);
    });
    if (kind !== 'server') stage.schedule(first + 9, (now) => announce(stage, client, now));
  }
}

function servicesOf(stage: Stage): Services {
  const { world } = stage;
  const random = new Random(`services ${world.sites[1].domain}`);
  const known = (n: number) => world.sites[n % world.sites.length];
  const local = world.addZone('ad.lan', 0);
  local.kind = 'local';
  const names = ['dc1', 'dc2', 'files', 'print', 'intranet', 'mail'].map((host) =>
    world.addName(local, `${host}.ad.lan`, ipv4Of(10, 0, 1, random.int(200))),
  );
  for (const name of names) {
    name.answers.set(TYPE.A, [addressAnswer(ipv4Of(10, 0, 1, random.int(200)), 1200)]);
    name.answers.delete(TYPE.AAAA);
    name.ttl = 1200;
  }
  const telemetry = [1, 2, 3].map((n) => world.addName(known(n), `v${n}.events.data.${known(n).domain}`));
  return {
    parties: world.sites.slice(0, 176).flatMap(({ hosts }) => hosts),
    updates: world.sites.slice(0, 26).flatMap(({ hosts }) => hosts.slice(0, 1)),
    telemetry,
    reputation:
      world.sites.find(({ domain }) => /^(?:avast|sophos|mcafee|symantec|kaspersky)\./.test(domain)) ?? known(60),
    blockLists: [world.addZone('zen-blocklist.org', 0), world.addZone('dnsbl-check.net', 0)],
    disposable: [known(9), known(20), known(33), world.addZone(world.unknownDomain(random), 1)].map((zone) => ({
      zone,
      answers: poolOf(random),
    })),
    vendors: [1, 2, 3].map(() => world.addZone(world.unknownDomain(random), 1).hosts[0]),
    local,
    files: names,
    arpa: world.addZone('in-addr.arpa', 0),
  };
}

/** Addresses of a service that has machines in three networks. */
function poolOf(random: Random): EncodedRecords[] {
  return [0, 1, 2].flatMap(() => {
    const { words } = publicAddress(random);
    return [0, 1, 2, 3].map((n) => addressAnswer(ipv4((words[3] & 0xffff_ff00) | (n + 8)), 60));
  });
}

interface Page {
  own: readonly HostName[];
  parties: readonly HostName[];
}

function pageOf({ world }: Stage, { parties }: Services, { random }: Client): Page {
  const { hosts } = world.visited(random);
  const brought = Array.from({ length: 2 + random.int(9) }, () => random.pick(parties));
  return { own: hosts, parties: brought };
}

/** Somebody sits down, looks at pages, and goes. */
function session(stage: Stage, services: Services, client: Client, favourites: Page[], now: number): number {
  const { random } = client;
  if (!random.chance(activity(now))) return now + random.exponential(1500);
  let at = now;
  if (random.chance(0.3) && client.kind === 'desktop') probe(stage, services, client, at);
  const pages = 1 + Math.floor(random.exponential(client.kind === 'desktop' ? 12 : 6));
  let n = 0;
  stage.schedule(at, (time) => {
    visit(
      stage,
      services,
      client,
      random.chance(0.7) ? random.pick(favourites) : pageOf(stage, services, client),
      time,
    );
    return ++n < pages ? time + 2 + random.exponential(45) : undefined;
  });
  at += 2 + pages * 47;
  return at + random.exponential(1800);
}

function visit(stage: Stage, services: Services, client: Client, { own, parties }: Page, now: number): void {
  const { random } = client;
  let at = now;
  for (const name of own) {
    lookUp(stage, client, name, at, true);
    at += 0.05 + random.exponential(0.1);
  }
  for (const name of parties) {
    lookUp(stage, client, name, at, true);
    at += random.exponential(0.05);
  }
  if (random.chance(0.06)) suffixed(stage, services.local, client, random.pick(parties).text, at);
  if (random.chance(0.02)) mistyped(stage, client, at);
  if (random.chance(0.15)) disposable(stage, services, client, at);
  if (client.kind === 'desktop') {
    if (random.chance(0.25)) lookUp(stage, client, random.pick(services.files), at);
    if (random.chance(0.12)) reputation(stage, services, client, at);
    if (random.chance(0.2)) lookUp(stage, client, random.pick(services.telemetry), at);
  }
}

/** The search list goes first: NXDOMAIN in the local zone. */
function suffixed(stage: Stage, local: Zone, client: Client, name: string, at: number): void {
  if (name.length > 180) return;
  const question = { name: `${name}.ad.lan`, zone: local, rcode: NXDOMAIN, records: local.nothing, latencyMs: 0.6 };
  stage.askOnce(client, question, at);
}

/** A domain that nobody registered. */
function missing(stage: Stage, client: Client, name: string, at: number, type: number = TYPE.A): void {
  const { parents } = stage.world;
  stage.askOnce(client, { name, type, zone: parents, rcode: NXDOMAIN, records: stage.world.missing(name) }, at);
}

/** A letter wrong, or a link to a company that is gone. */
function mistyped(stage: Stage, client: Client, at: number): void {
  const { random } = client;
  const { domain } = stage.world.site(random, 0, 300);
  const place = random.int(Math.max(1, domain.indexOf('.') - 1));
  const typo = domain.slice(0, place) + domain.slice(place + 1);
  const name = random.chance(0.5) && typo.length > 6 ? `www.${typo}` : stage.world.unknownDomain(random);
  missing(stage, client, name, at);
}

/** Browsers ask for three names that cannot exist, to see whether NXDOMAIN is rewritten. */
function probe(stage: Stage, { local }: Services, client: Client, at: number): void {
  const { random } = client;
  for (let i = 0; i < 3; i++) {
    const label = random.text(LOWER, 7 + random.int(9));
    const isLocal = random.chance(0.4);
    const time = at + i * 0.001;
    if (isLocal) suffixed(stage, local, client, label, time);
    else missing(stage, client, label, time);
  }
}

/** Antivirus asks whether a file is known: its hash is in the name. */
function reputation(stage: Stage, { reputation: zone }: Services, client: Client, at: number): void {
  const { random } = client;
  const name = `${random.text(BASE36, 26)}.avqs.${zone.domain}`;
  const isKnown = random.chance(0.7);
  const records = isKnown ? addressAnswer(ipv4Of(127, 0, 0, 4), 3600) : zone.nothing;
  stage.askOnce(client, { name, zone, records, rcode: isKnown ? 0 : NXDOMAIN }, at);
}

function disposable(stage: Stage, { disposable: zones }: Services, client: Client, at: number): void {
  const { random } = client;
  const { zone, answers } = random.pick(zones);
  const name = `${random.text(HEX, 8)}.${random.pick(['i', 'px', 'img-cache'])}.${zone.domain}`;
  stage.askOnce(client, { name, zone, records: random.pick(answers) }, at);
}

/** mDNS: what is on the network, and what I am called. */
function announce(stage: Stage, client: Client, now: number): number {
  const { random } = client;
  const one = {
    protocol: MDNS,
    server: MULTICAST,
    client: client.address,
    clientPort: 5353,
    id: 0,
    rd: false,
    time: now,
  };
  const service = random.pick([
    '_googlecast._tcp.local',
    '_airplay._tcp.local',
    '_ipp._tcp.local',
    '_spotify-connect._tcp.local',
  ]);
  stage.say({ ...one, name: service, type: TYPE.PTR });
  return now + random.exponential(5400) / (0.2 + activity(now));
}

/** A server: the same few names all day; one in three takes mail, one in three reads logs. */
function serve(stage: Stage, services: Services, client: Client, first: number): void {
  const { random } = client;
  const names = Array.from({ length: 4 }, () => random.pick(services.updates));
  stage.schedule(first, (now) => {
    askCached(stage, client, random.pick(names), TYPE.A, now);
    return now + 60;
  });
  const role = client.number % 3;
  if (role === 0) stage.schedule(first + 3, (now) => takeMail(stage, services, client, now));
  if (role === 1) stage.schedule(first + 3, (now) => readLogs(stage, services, client, now));
}

function takeMail(stage: Stage, { blockLists }: Services, client: Client, now: number): number {
  const { random } = client;
  const sender = stage.world.visited(random);
  const reversed = [0, 0, 0, 0].map(() => random.int(256)).join('.');
  blockLists.forEach((zone, i) => {
    const isListed = random.chance(0.3);
    const records = isListed ? addressAnswer(ipv4Of(127, 0, 0, 2), 300) : zone.nothing;
    const rcode = isListed ? 0 : NXDOMAIN;
    stage.askOnce(client, { name: `${reversed}.${zone.domain}`, zone, records, rcode }, now + i * 0.01);
  });
  const policy = oneAnswer(TYPE.TXT, 3600, txtData(octets(`v=spf1 include:_spf.${sender.domain} ~all`)));
  stage.askOnce(client, { name: sender.wire, type: TYPE.TXT, zone: sender, records: policy }, now + 0.05);
  const exchange = oneAnswer(TYPE.MX, 3600, new Uint8Array([0, 10, ...parseName(`mx1.${sender.domain}`)]));
  stage.askOnce(client, { name: sender.wire, type: TYPE.MX, zone: sender, records: exchange }, now + 0.06);
  if (random.chance(0.06)) {
    // Senders whose domain does not exist.
    const name = `${inventedLabel(random)}.${random.pick(['com', 'net', 'info', 'biz'])}`;
    missing(stage, client, name, now + 0.07, TYPE.MX);
  }
  return now + random.exponential(90) / (0.3 + activity(now));
}

function readLogs(stage: Stage, { arpa }: Services, client: Client, now: number): number {
  const { random } = client;
  for (let i = random.int(4); i >= 0; i--) {
    const name = `${random.int(256)}.${random.int(256)}.${random.int(256)}.${random.pick([23, 52, 93, 185])}.in-addr.arpa`;
    const isKnown = random.chance(0.6);
    const host = parseName(`host-${random.int(9999)}.isp${random.int(20)}.net`);
    const records = isKnown ? oneAnswer(TYPE.PTR, 3600, host) : arpa.nothing;
    stage.askOnce(client, { name, type: TYPE.PTR, zone: arpa, records, rcode: isKnown ? 0 : NXDOMAIN }, now + i * 0.4);
  }
  return now + random.exponential(240);
}
