import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { exchange } from '../../../src/client/exchange.ts';
import { AT, type Place, ZONES, type ZoneSource } from './zones.ts';

const run = promisify(execFile);

/** The little internet, running. */
export interface ZoneServers {
  /** DS of its root, as rdata text: the trust anchor. */
  anchor: string;
  /** The same as `delv -a` wants it. */
  anchorFile: string;
  /** `root-hints` in zone-file form. */
  hintsFile: string;
}

const children: ChildProcess[] = [];
let folder = '';

/**
 * Signs the zones and starts their servers: NSD for root and top level, NSD, Knot and PowerDNS for the leaves, Unbound as the
 * resolver, on addresses of the loopback, port 53 (BIND would want them to be on the interface). They end with the tests. Needs the right to use that port.
 */
export async function startZones(): Promise<ZoneServers> {
  folder = mkdtempSync(join(tmpdir(), 'nametap-zones-'));
  const end = () => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  after(end);
  process.once('exit', end);
  try {
    const digests = await writeZones();
    const anchor = digests.get('.') ?? '';
    const anchorFile = write('anchor', `trust-anchors { . static-ds ${anchor.replace(/(\S+)$/, '"$1"')}; };\n`);
    const hintsFile = write('hints', `. 3600 NS ns-root.\nns-root. 3600 A ${AT.root}\n`);
    for (const place of ['root', 'tld', 'nsd'] as const) nsd(place);
    resolver(hintsFile);
    knot();
    powerdns();
    await Promise.all((['root', 'tld', 'nsd', 'knot', 'powerdns', 'resolver'] as const).map(answers));
    // A server that answers from its cache has to have something there.
    for (const [name, type] of [
      ['lazy.test', 'NS'],
      ['lazy.test', 'SOA'],
      ['www.lazy.test', 'A'],
      ['www.lazy.test', 'AAAA'],
    ]) {
      await exchange({ name, type }, { server: { address: AT.resolver, port: 53 }, transport: 'udp' });
    }
    return { anchor, anchorFile, hintsFile };
  } catch (error) {
    end();
    throw error;
  }
}

/** Writes and signs all zones, leaves first; gives the DS of those that are signed, by name. */
async function writeZones(): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  const leaves = ZONES.filter(({ name }) => name.includes('.') && name !== '.');
  // A zone needs the DS of those below it: the deepest names first, those of one depth at once.
  const depths = [...new Set(leaves.map(({ name }) => name.split('.').length))].sort((a, b) => b - a);
  for (const depth of depths) {
    await Promise.all(
      leaves.filter(({ name }) => name.split('.').length === depth).map((zone) => writeZone(zone, digests)),
    );
  }
  for (const zone of ZONES.filter(({ name }) => !leaves.some((leaf) => leaf.name === name)))
    await writeZone(zone, digests);
  return digests;
}

const fileOf = (name: string) => (name === '.' ? 'root' : name);

async function writeZone(zone: ZoneSource, digests: Map<string, string>): Promise<void> {
  const { name, servers, records, signing } = zone;
  const origin = name === '.' ? '.' : `${name}.`;
  const own = servers.length === 0 ? '@ NS ns.help.other.\n' : servers.map((place) => nsOf(place, name)).join('');
  const primary = servers.length === 0 ? 'ns.help.other.' : serverName(servers[0], name);
  const below = ZONES.filter((child) => parentOf(child.name) === name && child.name !== name);
  const delegations = below.map((child) => delegation(child, digests)).join('');
  const soa = `@ SOA ${primary} hostmaster.test. 2026112501 7200 3600 1209600 60\n`;
  const text = `$ORIGIN ${origin}\n$TTL 3600\n${soa}${own}${records}${delegations}`;
  const file = fileOf(name);
  if (signing === undefined) {
    write(`${file}.zone`, text);
    return;
  }
  const { stdout } = await run(
    'dnssec-keygen',
    ['-q', '-a', signing.algorithm, ...(signing.algorithm === 'RSASHA256' ? ['-b', '2048'] : []), '-f', 'KSK', name],
    { cwd: folder },
  );
  const key = stdout.trim();
  write(`${file}.plain`, `${text}$INCLUDE ${key}.key\n`);
  const times = signing.isExpired === true ? ['-s', 'now-40d', '-e', 'now-10d', '-P'] : [];
  await run(
    'dnssec-signzone',
    ['-q', '-z', '-o', name, '-f', `${file}.zone`, ...signing.denial, ...times, `${file}.plain`, key],
    { cwd: folder },
  );
  if (signing.broken !== undefined) breakSignature(`${file}.zone`, `${signing.broken}.${name}.`);
  const ds = (await run('dnssec-dsfromkey', ['-2', `${key}.key`], { cwd: folder })).stdout
    .trim()
    .replace(/^.* IN DS /, '');
  digests.set(name, signing.ds ?? ds);
}

function delegation(child: ZoneSource, digests: ReadonlyMap<string, string>): string {
  const label = `${child.name}.`;
  const ds = digests.get(child.name);
  const signed = ds === undefined ? '' : `${label} DS ${ds}\n`;
  const usual = child.servers.map((place) => nsOf(place, child.name, label)).join('');
  return `${child.delegation?.includes(' NS ') === true && !child.delegation.includes('ns-knot') ? '' : usual}${child.delegation === undefined ? '' : `${child.delegation}\n`}${signed}`;
}

/** NS and its address, in the zone itself or (`at`) in its parent. */
function nsOf(place: Place, zone: string, at = '@'): string {
  const name = serverName(place, zone);
  return `${at} NS ${name}\n${name} A ${AT[place]}\n`;
}

const serverName = (place: Place, zone: string) => (zone === '.' ? `ns-${place}.` : `ns-${place}.${zone}.`);

function parentOf(name: string): string {
  if (name === '.') return '';
  const above = ZONES.map((zone) => zone.name).filter(
    (zone) => zone !== name && (zone === '.' || name.endsWith(`.${zone}`)),
  );
  return above.sort((a, b) => b.length - a.length)[0];
}

/** Changes one character in the middle of the signature over an A record. */
function breakSignature(file: string, owner: string): void {
  const path = join(folder, file);
  const lines = readFileSync(path, 'utf8').split('\n');
  const from = lines.findIndex(
    (line, i) => line.startsWith(`${owner}\t`) && / A 192/.test(line.replaceAll('\t', ' ')) && i >= 0,
  );
  const at = lines.findIndex((line, i) => i > from && line.replaceAll('\t', ' ').includes('RRSIG A '));
  // The base64 begins two lines below: key tag and signer stand in front of it.
  const signature = at + 2;
  const first = lines[signature].trim();
  lines[signature] = lines[signature].replace(first, (first.startsWith('A') ? 'B' : 'A') + first.slice(1));
  writeFileSync(path, lines.join('\n'));
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function start(command: string, ...words: string[]): void {
  children.push(spawn(command, words, { cwd: folder, stdio: 'ignore' }));
}

const zonesAt = (place: Place) => ZONES.filter(({ servers, served }) => (served ?? servers).includes(place));
const zonePath = (name: string) => join(folder, `${fileOf(name)}.zone`);

function resolver(hints: string): void {
  const path = write(
    'resolver.conf',
    `server:
  interface: ${AT.resolver}
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  root-hints: "${hints}"
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow_snoop
  do-not-query-localhost: no
  local-zone: "test." nodefault
  ede: no
remote-control:
  control-enable: no
stub-zone:
  name: "lazy.test"
  stub-addr: ${AT.nsd}
`,
  );
  start('unbound', '-d', '-c', path);
}

function nsd(place: Place): void {
  const zones = zonesAt(place).map(({ name }) => `zone:\n  name: "${name}"\n  zonefile: "${zonePath(name)}"\n`);
  const path = write(
    `${place}.conf`,
    `server:
  ip-address: ${AT[place]}
  username: ""
  zonesdir: ""
  database: ""
  pidfile: ""
  zonelistfile: "${folder}/${place}.list"
  xfrdfile: "${folder}/${place}.xfrd"
  cookie-secret-file: "${folder}/${place}.cookie"
  server-count: 1
remote-control:
  control-enable: no
${zones.join('')}`,
  );
  start('nsd', '-d', '-c', path);
}

function knot(): void {
  mkdirSync(join(folder, 'knot'));
  const zones = zonesAt('knot').map(
    ({ name }) => `  - domain: ${name}\n    file: ${zonePath(name)}\n    zonefile-sync: -1\n`,
  );
  const path = write(
    'knot.conf',
    `server:
  listen: ${AT.knot}@53
  rundir: ${folder}/knot
database:
  storage: ${folder}/knot
zone:
${zones.join('')}`,
  );
  start('knotd', '-c', path);
}

function powerdns(): void {
  mkdirSync(join(folder, 'pdns'));
  const zones = zonesAt('powerdns').map(({ name }) => `zone "${name}" { type master; file "${zonePath(name)}"; };\n`);
  write('pdns/named.conf', zones.join(''));
  write(
    'pdns/pdns.conf',
    `launch=bind
bind-config=${folder}/pdns/named.conf
bind-dnssec-db=
socket-dir=${folder}/pdns
local-address=${AT.powerdns}
local-port=53
daemon=no
guardian=no
security-poll-suffix=
enable-lua-records=yes
edns-subnet-processing=yes
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
`,
  );
  start('pdns_server', `--config-dir=${folder}/pdns`);
}

/** Waits until a server answers for a zone that it has; throws after 20 s. */
async function answers(place: Place): Promise<void> {
  const server = { address: AT[place], port: 53 };
  const zone = place === 'resolver' ? 'secure.test' : zonesAt(place)[0].name;
  for (let i = 0; i < 200; i++) {
    const result = await exchange({ name: zone, type: 'SOA' }, { server, transport: 'udp', tries: 1, timeoutMs: 1000 });
    if (result.response?.rcode === 'NOERROR') return;
    await sleep(100);
  }
  throw new Error(`the name server '${place}' does not answer`);
}
