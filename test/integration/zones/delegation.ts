/**
 * A small world of its own, by Debian's BIND on addresses of the loopback: root, top-level domain and zones below it,
 * signed in several ways, broken in others. Port 53, because resolvers ask nowhere else.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exchange } from '../../../src/client/exchange.ts';

export const ROOT_SERVER = '127.0.53.1';
const TLD_SERVER = '127.0.53.2';
const LEAF_SERVER = '127.0.53.3';
/** Answers, but serves nothing. */
const LAME_SERVER = '127.0.53.4';
/** A resolver for others that does not validate. */
export const RESOLVER = '127.0.53.9';

const ADDRESSES = [ROOT_SERVER, TLD_SERVER, LEAF_SERVER, LAME_SERVER, RESOLVER];

const onLoopback = (what: string, address: string) => execFileSync('ip', ['address', what, `${address}/32`, 'dev', 'lo']);

interface Zone {
  name: string;
  server: string;
  records: string;
  /** Algorithm of dnssec-keygen; absent: not signed. */
  algorithm?: string;
  /** More words for dnssec-signzone. */
  sign?: readonly string[];
  /** What happens to the signed zone before it is served. */
  spoil?(text: string): string;
  /** DS that the parent gets instead of the zone's own. */
  signer?: string;
}

const head = (ns: string) =>
  `$TTL 300\n@ IN SOA ns.${ns} hostmaster.${ns} 2026112501 7200 3600 1209600 60\n@ NS ns.${ns}\n`;
const leaf = (name: string) => `${head(`${name}.test.`)}ns A ${LEAF_SERVER}\nwww A 192.0.2.80\n`;
const P256 = 'ECDSAP256SHA256';

/** Below first: parents need the DS of their children. */
const ZONES: readonly Zone[] = [
  {
    name: 'lazy.secure.test',
    server: LEAF_SERVER,
    algorithm: P256,
    records: `${head('lazy.secure.test.')}ns A ${LEAF_SERVER}\nwww A 192.0.2.81\n`,
  },
  {
    name: 'secure.test',
    server: LEAF_SERVER,
    algorithm: P256,
    sign: ['-3', 'ab12', '-H', '5'],
    records: `${leaf('secure')}*.wild A 192.0.2.99
alias CNAME www.ed.test.
outside CNAME www.plain.test.
one CNAME two
two CNAME one
deep.empty.end A 192.0.2.1
lazy NS ns.lazy
ns.lazy A ${LEAF_SERVER}
${Array.from({ length: 8 }, (_, i) => `big TXT "${String(i).repeat(250)}"`).join('\n')}
`,
  },
  { name: 'ed.test', server: LEAF_SERVER, algorithm: 'ED25519', records: `${leaf('ed')}*.wild TXT "wild"\n` },
  { name: 'rsa.test', server: LEAF_SERVER, algorithm: 'RSASHA512', records: leaf('rsa') },
  { name: 'p384.test', server: LEAF_SERVER, algorithm: 'ECDSAP384SHA384', records: leaf('p384') },
  { name: 'plain.test', server: LEAF_SERVER, records: leaf('plain') },
  {
    name: 'badsig.test',
    server: LEAF_SERVER,
    algorithm: P256,
    records: leaf('badsig'),
    spoil: (text) => text.replaceAll('192.0.2.80', '192.0.2.66'),
  },
  {
    name: 'expired.test',
    server: LEAF_SERVER,
    algorithm: P256,
    sign: ['-s', '20200101000000', '-e', '20200201000000'],
    records: leaf('expired'),
  },
  {
    name: 'mismatch.test',
    server: LEAF_SERVER,
    algorithm: P256,
    records: leaf('mismatch'),
    signer: '4711 13 2 0000000000000000000000000000000000000000000000000000000000000000',
  },
  {
    name: 'unknown.test',
    server: LEAF_SERVER,
    algorithm: P256,
    records: leaf('unknown'),
    signer: '4711 13 250 0000000000000000000000000000000000000000000000000000000000000000',
  },
  { name: 'lame.test', server: LEAF_SERVER, records: leaf('lame') },
  { name: 'noglue.test', server: LEAF_SERVER, records: `${head('secure.test.')}www A 192.0.2.82\n` },
  {
    name: 'test',
    server: TLD_SERVER,
    algorithm: P256,
    records: `${head('test.')}ns A ${TLD_SERVER}
${['secure', 'ed', 'rsa', 'p384', 'plain', 'badsig', 'expired', 'mismatch', 'unknown'].map((name) => `${name} NS ns.${name}\nns.${name} A ${LEAF_SERVER}`).join('\n')}
lame NS ns1.lame
lame NS ns2.lame
ns1.lame A ${LAME_SERVER}
ns2.lame A ${LEAF_SERVER}
noglue NS ns.secure
loop1 NS ns.loop2
loop2 NS ns.loop1
`,
  },
  {
    name: '.',
    server: ROOT_SERVER,
    algorithm: 'RSASHA256',
    records: `${head('.').replaceAll('..', '.')}ns. A ${ROOT_SERVER}\ntest NS ns.test.\nns.test. A ${TLD_SERVER}\n`,
  },
];

export interface World {
  /** DS data of the root's key. */
  anchors: string[];
  /** File of the same for `delv -a`. */
  anchorFile: string;
  stop(): void;
}

/** Starts all of it and waits until it answers. */
export async function startWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-world-'));
  chmodSync(folder, 0o755);
  const children: ChildProcess[] = [];
  // BIND listens on addresses that an interface has; the loopback answers for others, too, but does not list them.
  for (const address of ADDRESSES) onLoopback('replace', address);
  let isStopped = false;
  const stop = () => {
    if (isStopped) return;
    isStopped = true;
    for (const child of children) child.kill('SIGKILL');
    for (const address of ADDRESSES) onLoopback('del', address);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', stop);
  const signers = new Map<string, string>();
  for (const zone of ZONES) makeZone(folder, zone, signers);
  const anchors = (signers.get('.') ?? '')
    .split('\n')
    .map((line) => line.replace(/^.*\bDS\b\s*/, ''))
    .filter((line) => line !== '');
  const anchorFile = join(folder, 'anchors');
  const lines = anchors.map((text) => {
    const [tag, algorithm, digest, ...hex] = text.split(/\s+/);
    return `. static-ds ${tag} ${algorithm} ${digest} "${hex.join('')}";`;
  });
  writeFileSync(anchorFile, `trust-anchors { ${lines.join(' ')} };\n`);
  writeFileSync(join(folder, 'named.conf'), authorities(folder));
  writeFileSync(join(folder, 'resolver.conf'), resolver(folder));
  writeFileSync(join(folder, 'hints'), `. 3600 NS ns.\nns. 3600 A ${ROOT_SERVER}\n`);
  for (const conf of ['named.conf', 'resolver.conf']) {
    children.push(
      spawn('named', ['-f', '-c', join(folder, conf)], {
        cwd: folder,
        stdio: process.env.WORLD_LOG === undefined ? 'ignore' : 'inherit',
      }),
    );
  }
  for (const [address, name] of [
    [ROOT_SERVER, '.'],
    [LEAF_SERVER, 'secure.test'],
    [RESOLVER, 'test'],
  ]) {
    await answers(address, name);
  }
  return { anchors, anchorFile, stop };
}

function makeZone(folder: string, zone: Zone, signers: Map<string, string>): void {
  const { name, records, algorithm, sign = [], spoil = (text: string) => text, signer } = zone;
  const file = join(folder, `${name}.zone`);
  const origin = name === '.' ? '.' : `${name}.`;
  const below = [...signers].filter(([child]) => child !== name && parentOf(child) === name).map(([, text]) => text);
  const text = `$ORIGIN ${origin}\n${records}${below.join('')}`;
  writeFileSync(file, text);
  if (algorithm === undefined) return;
  const run = (program: string, ...words: string[]) =>
    execFileSync(program, words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const bits = algorithm.startsWith('RSA') ? ['-b', '2048'] : [];
  const ksk = run('dnssec-keygen', '-q', '-a', algorithm, ...bits, '-f', 'KSK', origin).trim();
  const zsk = run('dnssec-keygen', '-q', '-a', algorithm, ...bits, origin).trim();
  writeFileSync(file, `${text}$INCLUDE ${ksk}.key\n$INCLUDE ${zsk}.key\n`);
  run('dnssec-signzone', '-q', '-P', '-o', origin, ...sign, '-f', `${file}.signed`, '-k', ksk, file, zsk);
  writeFileSync(file, spoil(readFileSync(`${file}.signed`, 'utf8')));
  const own = run('dnssec-dsfromkey', '-2', `${ksk}.key`);
  signers.set(name, signer === undefined ? own : `${origin} IN DS ${signer}\n`);
}

function parentOf(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? '.' : name.slice(dot + 1);
}

const options = (folder: string, addresses: readonly string[], more: string) => `options {
  directory "${folder}"; pid-file none; session-keyfile none; listen-on { ${addresses.map((one) => `${one};`).join(' ')} }; listen-on-v6 { none; };
  ${more}
};
controls { };
`;

function authorities(folder: string): string {
  const servers = [ROOT_SERVER, TLD_SERVER, LEAF_SERVER, LAME_SERVER];
  const views = servers.map((server) => {
    const zones = ZONES.filter((zone) => zone.server === server).map(
      ({ name }) => `zone "${name}" { type primary; file "${name}.zone"; check-names ignore; };`,
    );
    return `view "${server}" { match-destinations { ${server}; }; recursion no; ${zones.join('\n')} };`;
  });
  return options(folder, servers, 'notify no; dnssec-validation no; minimal-responses no;') + views.join('\n');
}

function resolver(folder: string): string {
  return `${options(folder, [RESOLVER], 'recursion yes; dnssec-validation no; empty-zones-enable no;')}zone "." { type hint; file "hints"; };\n`;
}

async function answers(address: string, name: string): Promise<void> {
  for (let k = 0; k < 100; k++) {
    const result = await exchange(
      { name, type: 'SOA' },
      { server: { address, port: 53 }, transport: 'udp', timeoutMs: 500, tries: 1 },
    );
    if (result.response?.rcode === 'NOERROR') return;
    await sleep(100);
  }
  throw new Error(`${address} does not answer for ${name}`);
}
