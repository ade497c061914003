import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from '../../src/client/exchange.ts';

/** A name server as Debian ships it, on a port of the loopback. */
export interface NameServer {
  name: string;
  port: number;
  /** Also answers transfers. */
  transfers: boolean;
}

const HOST = '127.0.0.1';
const ZONE = 'verdict.test';

/** All that a table of questions needs: ordinary and odd records, a signed zone. */
const RECORDS = `$ORIGIN ${ZONE}.
$TTL 300
@ IN SOA ns1 hostmaster 2026112501 7200 3600 1209600 60
@ NS ns1
@ NS ns2
@ MX 10 mail
@ MX 20 mail.elsewhere.example.
@ TXT "v=spf1 -all" "second string"
@ CAA 0 issue "ca.example.net"
ns1 A 127.0.0.1
ns2 A 127.0.0.2
mail A 192.0.2.25
mail AAAA 2001:db8::25
www A 192.0.2.80
www A 192.0.2.81
www AAAA 2001:db8::80
alias CNAME www
chain CNAME alias
outside CNAME www.example.org.
dangling CNAME nowhere
*.wild A 192.0.2.99
*.wild TXT "wild"
_sip._tcp SRV 10 60 5060 www
_sip._tcp SRV 20 0 5060 mail
svc HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.80
odd TYPE65280 \\# 4 0A000001
esc\\.aped A 192.0.2.3
UPPER A 192.0.2.4
empty.non.terminal A 192.0.2.5
ptr PTR www
info HINFO "PC" "Linux"
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
naptr NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .
ssh SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
tls TLSA 3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971
ttl0 0 A 192.0.2.6
sub NS ns.sub
ns.sub A 192.0.2.53
lame NS ns.nowhere.example.
${Array.from({ length: 40 }, (_, i) => `many A 192.0.2.${i + 100}`).join('\n')}
${Array.from({ length: 5 }, (_, i) => `big TXT "${String.fromCharCode(97 + i).repeat(250)}" "${String.fromCharCode(107 + i).repeat(250)}"`).join('\n')}
`;

const children: ChildProcess[] = [];
let folder = '';

/** Starts all name servers, each with the same zone, and waits until they answer. They end with the tests. */
export async function startNameServers(): Promise<NameServer[]> {
  const end = begin();
  const zone = signedZone();
  bind(zone, 5301);
  unbound(zone, 5302);
  knot(zone, 5303);
  nsd(zone, 5304);
  powerdns(zone, 5305);
  dnsmasq(5306);
  const servers = [
    { name: 'BIND', port: 5301, transfers: true },
    { name: 'Unbound', port: 5302, transfers: false },
    { name: 'Knot', port: 5303, transfers: true },
    { name: 'NSD', port: 5304, transfers: true },
    { name: 'PowerDNS', port: 5305, transfers: false },
    { name: 'dnsmasq', port: 5306, transfers: false },
  ];
  try {
    await Promise.all(servers.map((server) => answers(server)));
  } catch (error) {
    end();
    throw error;
  }
  return servers;
}

/** The same, of servers whose answers depend on the client's subnet (RFC 7871); zone `geo.test`. */
export async function startSubnetServers(): Promise<NameServer[]> {
  const end = begin();
  knotBySubnet(5307);
  powerdnsBySubnet(5308);
  const servers = [
    { name: 'Knot', port: 5307, transfers: false },
    { name: 'PowerDNS', port: 5308, transfers: false },
  ];
  try {
    await Promise.all(servers.map((server) => answers(server, 'www.geo.test')));
  } catch (error) {
    end();
    throw error;
  }
  return servers;
}

/** A folder for all; the result ends servers and folder, as the end of the tests does. */
function begin(): () => void {
  if (folder !== '') return end;
  folder = mkdtempSync(join(tmpdir(), 'nametap-servers-'));
  after(end);
  process.once('exit', end);
  return end;
}

function end(): void {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

function signedZone(): string {
  writeFileSync(join(folder, 'plain.zone'), RECORDS);
  const run = (program: string, ...words: string[]) =>
    execFileSync(program, words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const ksk = run('dnssec-keygen', '-q', '-a', 'ECDSAP256SHA256', '-f', 'KSK', ZONE).trim();
  const zsk = run('dnssec-keygen', '-q', '-a', 'ECDSAP256SHA256', ZONE).trim();
  writeFileSync(join(folder, 'plain.zone'), `${RECORDS}$INCLUDE ${ksk}.key\n$INCLUDE ${zsk}.key\n`);
  run('dnssec-signzone', '-q', '-o', ZONE, '-f', 'signed.zone', '-k', ksk, 'plain.zone', zsk);
  return join(folder, 'signed.zone');
}

function start(command: string, ...words: string[]): void {
  children.push(spawn(command, words, { cwd: folder, stdio: 'ignore' }));
}

function config(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function bind(zone: string, port: number): void {
  const path = config(
    'named.conf',
    `options { directory "${folder}"; pid-file none; session-keyfile none; managed-keys-directory "${folder}";
  listen-on port ${port} { ${HOST}; }; listen-on-v6 { none; }; recursion no; dnssec-validation no; minimal-responses no; check-names primary ignore;
  allow-transfer { any; }; notify no; server-id "bind-id"; answer-cookie yes; };
controls { };
zone "${ZONE}" { type primary; file "${zone}"; };
`,
  );
  start('named', '-f', '-c', path);
}

function unbound(zone: string, port: number): void {
  const path = config(
    'unbound.conf',
    `server:
  interface: ${HOST}@${port}
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  identity: "unbound-id"
  nsid: "ascii_unbound-id"
  module-config: "iterator"
  local-zone: "test." nodefault
auth-zone:
  name: "${ZONE}"
  zonefile: "${zone}"
  for-downstream: yes
remote-control:
  control-enable: no
`,
  );
  start('unbound', '-d', '-c', path);
}

function knot(zone: string, port: number): void {
  const path = config(
    'knot.conf',
    `server:
  listen: ${HOST}@${port}
  rundir: ${folder}/knot
  nsid: knot-id
database:
  storage: ${folder}/knot
acl:
  - id: all
    address: 127.0.0.0/8
    action: transfer
zone:
  - domain: ${ZONE}
    file: ${zone}
    acl: all
    zonefile-sync: -1
`,
  );
  mkdirSync(join(folder, 'knot'));
  start('knotd', '-c', path);
}

function nsd(zone: string, port: number): void {
  const path = config(
    'nsd.conf',
    `server:
  ip-address: ${HOST}@${port}
  username: ""
  zonesdir: ""
  database: ""
  pidfile: ""
  zonelistfile: "${folder}/nsd.list"
  xfrdfile: "${folder}/nsd.xfrd"
  cookie-secret-file: "${folder}/nsd.cookie"
  server-count: 1
  nsid: "ascii_nsd-id"
remote-control:
  control-enable: no
zone:
  name: "${ZONE}"
  zonefile: "${zone}"
  provide-xfr: 127.0.0.1 NOKEY
`,
  );
  start('nsd', '-d', '-c', path);
}

function powerdns(zone: string, port: number): void {
  mkdirSync(join(folder, 'pdns'));
  config('pdns/named.conf', `zone "${ZONE}" { type master; file "${zone}"; };\n`);
  config(
    'pdns/pdns.conf',
    `launch=bind
bind-config=${folder}/pdns/named.conf
bind-dnssec-db=
socket-dir=${folder}/pdns
local-address=${HOST}
local-port=${port}
daemon=no
guardian=no
security-poll-suffix=
version-string=anonymous
server-id=pdns-id
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
`,
  );
  start('pdns_server', `--config-dir=${folder}/pdns`);
}

function dnsmasq(port: number): void {
  const path = config(
    'dnsmasq.conf',
    `port=${port}
listen-address=${HOST}
bind-interfaces
no-resolv
no-hosts
keep-in-foreground
user=root
local=/${ZONE}/
host-record=www.${ZONE},192.0.2.80,2001:db8::80,300
host-record=mail.${ZONE},192.0.2.25,2001:db8::25,300
cname=alias.${ZONE},www.${ZONE}
mx-host=${ZONE},mail.${ZONE},10
txt-record=${ZONE},"v=spf1 -all","second string"
srv-host=_sip._tcp.${ZONE},www.${ZONE},5060,10,60
address=/wild.${ZONE}/192.0.2.99
`,
  );
  start('dnsmasq', '-C', path, '--pid-file');
}

function knotBySubnet(port: number): void {
  const zone = config(
    'geo.zone',
    `$ORIGIN geo.test.
$TTL 300
@ SOA ns1 hostmaster 1 7200 3600 1209600 60
@ NS ns1
ns1 A 127.0.0.1
www A 192.0.2.1
`,
  );
  const map = config(
    'geo.map',
    `www.geo.test:
  - net: 192.0.2.0/24
    A: 198.51.100.1
  - net: 198.51.100.0/25
    A: 198.51.100.2
  - net: 2001:db8::/32
    A: 198.51.100.3
`,
  );
  mkdirSync(join(folder, 'knot-geo'));
  const path = config(
    'knot-geo.conf',
    `server:
  listen: ${HOST}@${port}
  rundir: ${folder}/knot-geo
  edns-client-subnet: on
database:
  storage: ${folder}/knot-geo
mod-geoip:
  - id: geo
    config-file: ${map}
    ttl: 20
    mode: subnet
zone:
  - domain: geo.test
    file: ${zone}
    zonefile-sync: -1
    module: mod-geoip/geo
`,
  );
  start('knotd', '-c', path);
}

function powerdnsBySubnet(port: number): void {
  const zones = config(
    'geo.yaml',
    `domains:
- domain: geo.test
  ttl: 30
  records:
    geo.test:
      - soa: ns1.geo.test hostmaster.geo.test 1 7200 3600 1209600 60
      - ns: ns1.geo.test
    one.geo.test:
      - a: 198.51.100.1
    two.geo.test:
      - a: 198.51.100.2
    other.geo.test:
      - a: 198.51.100.9
    you.geo.test:
      - txt: "%ip"
  services:
    www.geo.test:
      default: [other.geo.test]
      192.0.2.0/24: [one.geo.test]
      198.51.100.0/25: [two.geo.test]
`,
  );
  mkdirSync(join(folder, 'pdns-geo'));
  config(
    'pdns-geo/pdns.conf',
    `launch=geoip
geoip-zones-file=${zones}
edns-subnet-processing=yes
socket-dir=${folder}/pdns-geo
local-address=${HOST}
local-port=${port}
daemon=no
guardian=no
security-poll-suffix=
version-string=anonymous
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
`,
  );
  start('pdns_server', `--config-dir=${folder}/pdns-geo`);
}

async function answers({ name, port }: NameServer, asked = `www.${ZONE}`): Promise<void> {
  for (const until = performance.now() + 20_000; performance.now() < until; await sleep(50)) {
    const { response } = await exchange(
      { name: asked, type: 'A' },
      { server: { address: HOST, port }, transport: 'udp', timeoutMs: 300, tries: 1, recursionDesired: false },
    );
    if (response?.answers.length !== undefined && response.answers.length > 0) return;
  }
  throw new Error(`${name} does not answer on port ${port}.`);
}
