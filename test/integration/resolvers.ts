import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Network } from './network.ts';

/** Where the answers of all resolvers come from: everything below some domains exists. */
const AUTHORITY = '127.0.0.1';
const AUTHORITY_PORT = 5360;
/** Where nametap serves its zone, and with which key. */
export const PRIMARY_PORT = 5391;
export const SECRET = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');
export const ZONE = 'rpz.nametap';
/** Domains whose authority is on a port of its own: the ends of tunnels. */
export const TUNNELS = { 'tunnel.example': 5361, 'pipe.example': 5362 } as const;

/** A program that resolves, as people would set it up to take what nametap blocks. */
export interface Resolver {
  name: string;
  port: number;
  /** Writes its configuration to `folder`; the command that runs it. `lists`: folder of the files that nametap writes. */
  command(folder: string, lists: string): string[];
}

const bind: Resolver = {
  name: 'BIND',
  port: 53,
  command(folder) {
    const config = join(folder, 'named.conf');
    writeFileSync(
      config,
      `key nametap { algorithm hmac-sha256; secret "${SECRET}"; };
options {
  directory "${folder}"; pid-file none; session-keyfile none; managed-keys-directory "${folder}";
  listen-on { 10.77.0.1; 127.0.0.1; }; listen-on-v6 { none; };
  recursion yes; allow-query { any; }; dnssec-validation no; forwarders { ${AUTHORITY} port ${AUTHORITY_PORT}; }; forward only;
  response-policy { zone "${ZONE}"; } qname-wait-recurse no min-update-interval 0;
};
controls { };
${Object.entries(TUNNELS)
  .map(([zone, port]) => `zone "${zone}" { type forward; forward only; forwarders { 127.0.0.1 port ${port}; }; };\n`)
  .join(
    '',
  )}zone "${ZONE}" { type secondary; primaries { 127.0.0.1 port ${PRIMARY_PORT} key nametap; }; file "${folder}/rpz.db"; notify no; };
`,
    );
    return ['named', '-g', '-c', config];
  },
};

const unbound: Resolver = {
  name: 'Unbound',
  port: 5354,
  command(folder, lists) {
    const config = join(folder, 'unbound-rpz.conf');
    writeFileSync(
      config,
      `server:
  interface: 127.0.0.1@5354
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  module-config: "respip iterator"
forward-zone:
  name: "."
  forward-addr: ${AUTHORITY}@${AUTHORITY_PORT}
rpz:
  name: "${ZONE}"
  zonefile: "${lists}/blocked.rpz"
remote-control:
  control-enable: yes
  control-use-cert: no
  control-interface: 127.0.0.1
  control-port: 8953
`,
    );
    return ['unbound', '-d', '-c', config];
  },
};
/** What makes Unbound read its zone again. */
export const UNBOUND_RELOAD = ['unbound-control', '-s', '127.0.0.1@8953', 'auth_zone_reload', ZONE];

const knot: Resolver = {
  name: 'Knot Resolver',
  port: 5355,
  command(folder, lists) {
    const config = join(folder, 'kresd.conf');
    writeFileSync(
      config,
      `net.listen('127.0.0.1', 5355, { kind = 'dns' })
modules = { 'policy' }
policy.add(policy.rpz(policy.DENY, '${lists}/blocked.rpz', true))
policy.add(policy.all(policy.STUB('${AUTHORITY}@${AUTHORITY_PORT}')))
trust_anchors.remove('.')
cache.size = 10 * MB
`,
    );
    const cache = join(folder, 'kresd');
    mkdirSync(cache);
    return ['kresd', '-n', '-c', config, cache];
  },
};

const powerdns: Resolver = {
  name: 'PowerDNS Recursor',
  port: 5356,
  command(folder) {
    const home = join(folder, 'pdns');
    mkdirSync(home);
    writeFileSync(
      join(home, 'recursor.conf'),
      `socket-dir=${home}
local-address=127.0.0.1
local-port=5356
allow-from=127.0.0.0/8
forward-zones-recurse=.=${AUTHORITY}:${AUTHORITY_PORT}
lua-config-file=${home}/rpz.lua
dnssec=off
threads=1
packetcache-ttl=2
packetcache-servfail-ttl=2
security-poll-suffix=
`,
    );
    writeFileSync(
      join(home, 'rpz.lua'),
      `rpzPrimary("127.0.0.1:${PRIMARY_PORT}", "${ZONE}", {tsigname="nametap", tsigalgo="hmac-sha256", tsigsecret="${SECRET}", refresh=1})\n`,
    );
    return ['pdns_recursor', `--config-dir=${home}`];
  },
};

const dnsdist: Resolver = {
  name: 'dnsdist',
  port: 5357,
  command(folder, lists) {
    const config = join(folder, 'dnsdist.conf');
    const script = new URL('../../deploy/dnsdist/nametap.lua', import.meta.url).pathname;
    writeFileSync(
      config,
      `setLocal('127.0.0.1:5357')
setSecurityPollSuffix('')
newServer('${AUTHORITY}:${AUTHORITY_PORT}')
nametap_list = '${lists}/blocked.dnsdist'
dofile('${script}')
`,
    );
    return ['dnsdist', '--supervised', '--disable-syslog', '-C', config];
  },
};

export const RESOLVERS: readonly Resolver[] = [bind, unbound, knot, powerdns, dnsdist];

/** Starts where the answers come from; resolvers ask it. */
export function startAuthority(network: Network): void {
  const config = join(network.folder, 'authority.conf');
  const names = ['evil.example', 'good.example', 'other.example', 'expires.example', 'drop.example'];
  writeFileSync(
    config,
    `server:
  interface: ${AUTHORITY}@${AUTHORITY_PORT}
  username: ""
  chroot: ""
  directory: "${network.folder}"
  pidfile: ""
  use-syslog: no
  local-zone: "." static
${names.map((name) => `  local-zone: "${name}." redirect\n  local-data: "${name}. 1 A 192.0.2.7"\n`).join('')}`,
  );
  network.start(network.server, ['unbound', '-d', '-c', config], 'ignore');
}

/** What a resolver says to a name: NOERROR, NXDOMAIN …; `nothing` when it does not answer. */
export function answerOf(network: Network, { port }: { port: number }, name: string, type = 'A'): string {
  const words = ['+time=1', '+tries=1', '+noall', '+comments', '@127.0.0.1', '-p', String(port), name, type];
  const { stdout } = spawnSync('ip', ['netns', 'exec', network.server, 'dig', ...words], { encoding: 'utf8' });
  return /status: (\w+)/.exec(stdout)?.[1] ?? 'nothing';
}

/** Milliseconds until every resolver says `wanted` to a name, by its name; `most` and more where one does not. */
export async function until(
  network: Network,
  name: string,
  wanted: string,
  most: number,
): Promise<Record<string, number>> {
  const began = performance.now();
  const times: Record<string, number> = {};
  while (Object.keys(times).length < RESOLVERS.length && performance.now() - began < most) {
    for (const one of RESOLVERS) {
      if (times[one.name] === undefined && answerOf(network, one, name) === wanted) {
        times[one.name] = Math.round(performance.now() - began);
      }
    }
    await sleep(20);
  }
  for (const one of RESOLVERS) times[one.name] ??= Number.POSITIVE_INFINITY;
  return times;
}
