import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { askWords, serversOf } from '../../src/client/ask.ts';
import { Connections } from '../../src/client/connections.ts';
import { CookieJar } from '../../src/client/cookies.ts';
import { digText } from '../../src/client/show/dig.ts';
import { transferWords } from '../../src/client/show/transfer.ts';
import { readWords } from '../../src/client/words.ts';
import { type NameServer, startNameServers, startSubnetServers } from './dns-servers.ts';

const run = promisify(execFile);
const Z = 'verdict.test';

/** Asked at each server: what stands behind the server in dig's words. */
const QUESTIONS = [
  `${Z} SOA`,
  `${Z} NS`,
  `${Z} MX`,
  `${Z} TXT`,
  `${Z} CAA`,
  `${Z} DNSKEY +dnssec`,
  `www.${Z}`,
  `www.${Z} AAAA`,
  `www.${Z} A +norecurse`,
  `WWW.Verdict.TEST A`,
  `www.${Z} MX`,
  `alias.${Z} A`,
  `chain.${Z} AAAA`,
  `outside.${Z} A +norecurse`,
  `dangling.${Z} A`,
  `alias.${Z} CNAME`,
  `a.wild.${Z} A`,
  `a.b.wild.${Z} TXT`,
  `_sip._tcp.${Z} SRV`,
  `svc.${Z} HTTPS`,
  `odd.${Z} TYPE65280`,
  `esc\\.aped.${Z} A`,
  `upper.${Z} A`,
  `non.terminal.${Z} A`,
  `ptr.${Z} PTR`,
  `info.${Z} HINFO`,
  `loc.${Z} LOC`,
  `naptr.${Z} NAPTR`,
  `ssh.${Z} SSHFP`,
  `tls.${Z} TLSA`,
  `ttl0.${Z} A`,
  `a.sub.${Z} A +norecurse`,
  `lame.${Z} NS +norecurse`,
  `many.${Z} A`,
  `many.${Z} A +bufsize=512`,
  `big.${Z} TXT`,
  `big.${Z} TXT +noedns`,
  `big.${Z} TXT +tcp`,
  `big.${Z} TXT +ignore`,
  `www.${Z} A +noedns`,
  `www.${Z} A +dnssec`,
  `nowhere.${Z} A`,
  `nowhere.${Z} A +dnssec`,
  `www.${Z} A +subnet=192.0.2.0/24`,
  `www.${Z} A +nsid`,
  `www.${Z} A +edns=1`,
  `www.${Z} A +cdflag +noadflag`,
  `www.${Z} ANY +tcp`,
  `${Z} IXFR=2026112501`,
  `${Z} AXFR`,
  `version.bind CH TXT`,
  `example.org A +norecurse`,
  `. NS +norecurse`,
  `-x 192.0.2.80 +norecurse`,
];

/** Asked at servers whose answers depend on the subnet they are told (ECS). */
const BY_SUBNET = [
  'www.geo.test A',
  'www.geo.test A +subnet=192.0.2.0/24',
  'www.geo.test A +subnet=192.0.2.77',
  'www.geo.test A +subnet=198.51.100.7/32',
  'www.geo.test A +subnet=198.51.100.200/32',
  'www.geo.test A +subnet=198.51.100.0/20',
  'www.geo.test A +subnet=2001:db8::/40',
  'www.geo.test A +subnet=0',
  'www.geo.test A +subnet=192.0.2.0/24 +tcp',
  'www.geo.test AAAA +subnet=192.0.2.0/24',
  'nowhere.geo.test A +subnet=192.0.2.0/24',
  'you.geo.test TXT +subnet=192.0.2.0/24',
];

/**
 * Identical verdicts: status, flags, EDNS, TC → TCP, every record with its TTL. What changes from one question to the next
 * (id, cookie, times, the order within a section) is left out, and the SOA of an IXFR's question that a refusal gives back.
 */
function verdict(text: string): string[] {
  const lines = text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter(
      (line) =>
        line !== '' && !/^; <<>>|^;; (?:Query time|WHEN|global options|SERVER|Cut over)|^; \(\d+ server/.test(line),
    )
    .filter(
      (line) =>
        !/\t0\tIN\tSOA\t\. \. |^; COOKIE|^;; XFR size|^;; (?:WARNING: recursion|MSG SIZE|Got answer)/.test(line),
    )
    .map((line) => line.replace(/, id: \d+/, '').replace(/[ \t]+/g, ' '));
  // Records in any order: servers rotate them.
  const records = lines.filter((line) => !line.startsWith(';')).toSorted();
  return [...lines.filter((line) => line.startsWith(';')), ...records];
}

async function byDig({ port }: NameServer, words: readonly string[]): Promise<string> {
  const all = ['+nosplit', '+tries=1', '+time=3', '@127.0.0.1', '-p', String(port), ...words];
  // dig ends with 9 where nobody answers: its text says so.
  const { stdout } = await run('dig', all).catch((error: { stdout: string }) => error);
  return stdout;
}

const connections = new Connections();

async function byNametap({ port }: NameServer, words: readonly string[]): Promise<string> {
  const reverse = words[0] === '-x' ? [words[1]] : [];
  const rest = reverse.length > 0 ? words.slice(2) : words;
  const read = readWords(['+tries=1', '+time=3', '@127.0.0.1', ...rest], { reverse });
  read.port = port;
  const servers = await serversOf(read);
  const context = { connections, cookies: new CookieJar() };
  const [question] = read.questions;
  if (question.type === 'AXFR' || question.type === 'IXFR') {
    let text = '';
    await transferWords(read, question, servers, {
      ...context,
      print: (more) => {
        text += more;
      },
      remark: () => undefined,
    });
    return text;
  }
  const look = { color: false, parts: read.show, words, version: '' };
  return digText(await askWords(read, question, servers, context), look);
}

/** Status, flags and counts, as both write them. */
function headline(text: string): string[] {
  const status = /status: (\w+)/.exec(text)?.[1] ?? 'nothing';
  const flags = /;; [Ff]lags:([ a-z]*);(.*)/.exec(text);
  return [status, (flags?.[1] ?? '').trim(), (flags?.[2] ?? '').replaceAll(/[;,]/g, '').trim()];
}

async function byKdig({ port }: NameServer, words: readonly string[]): Promise<string> {
  const all = ['+edns', '+bufsize=1232', '+retry=0', '+time=3', '@127.0.0.1', '-p', String(port), ...words];
  const { stdout } = await run('kdig', all).catch((error: { stdout: string }) => error);
  return stdout;
}

// Transfers are shown in another way, EDNS versions are not negotiated.
const KDIG = QUESTIONS.filter((question) => !/[AI]XFR|\+edns=1|\+noedns/.test(question));

const servers = await startNameServers();
const bySubnet = await startSubnetServers();
test.after(() => connections.close());

test('the table has 200 questions and more', () => {
  assert.ok(QUESTIONS.length * servers.length >= 200, String(QUESTIONS.length * servers.length));
});

for (const server of servers) {
  test(`${server.name}: the verdicts are dig's`, async (t) => {
    for (const question of QUESTIONS) {
      const words = question.split(' ');
      await t.test(question, async () => {
        const [theirs, ours] = await Promise.all([byDig(server, words), byNametap(server, words)]);
        assert.notDeepEqual(verdict(theirs), []);
        assert.deepEqual(verdict(ours), verdict(theirs));
      });
    }
  });
}

for (const server of servers) {
  test(`${server.name}: status, flags and counts are kdig's`, async () => {
    for (const question of KDIG) {
      const words = question.split(' ');
      const [theirs, ours] = await Promise.all([byKdig(server, words), byNametap(server, [...words, '+nocookie'])]);
      assert.deepEqual(headline(ours), headline(theirs), question);
    }
  });
}

for (const server of bySubnet) {
  test(`${server.name}: what depends on the client's subnet is dig's, and kdig's`, async () => {
    const answers = new Set<string>();
    for (const question of BY_SUBNET) {
      const words = question.split(' ');
      const [theirs, ours] = await Promise.all([byDig(server, words), byNametap(server, words)]);
      assert.deepEqual(verdict(ours), verdict(theirs), question);
      // kdig knows no `0` alone, and wants an address with its prefix.
      const written = words.map((word) =>
        word.replace(/^(\+subnet=)0$/, '$10.0.0.0/0').replace(/^(\+subnet=[^/]*)$/, '$1/32'),
      );
      const [kdig, plain] = await Promise.all([byKdig(server, written), byNametap(server, [...words, '+nocookie'])]);
      assert.deepEqual(headline(plain), headline(kdig), question);
      const address = /\tA\t(\S+)/.exec(ours)?.[1];
      if (address !== undefined) answers.add(address);
    }
    assert.ok(answers.size >= 3, `${[...answers].join(', ')}: they do depend on it`);
  });
}
