/** `nametap trace` against a little internet, beside dig and delv. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { trace } from '../../src/client/trace/trace.ts';
import type { Trace, TraceOptions } from '../../src/client/trace/types.ts';
import { startZones } from './zones/servers.ts';
import { AT, CASES, UNRESOLVABLE } from './zones/zones.ts';

const zones = await startZones();
const resolvConf = join(mkdtempSync(join(tmpdir(), 'nametap-trace-')), 'resolv.conf');
writeFileSync(resolvConf, `nameserver ${AT.resolver}\n`);

const traced = (name: string, type = 'A', options: TraceOptions = {}): Promise<Trace> =>
  trace(name, type, { root: [AT.root], anchors: [zones.anchor], timeoutMs: 1000, ...options });
const remarks = ({ steps }: Trace) => steps.flatMap((step) => step.remarks).join('\n');

/** What delv says of each verdict. */
const DELV = {
  secure: /^; (negative response, )?fully validated/m,
  insecure: /^; (negative response, )?unsigned answer/m,
  bogus: /resolution failed/m,
};

test('verdicts are those of delv, answers those of dig +trace', async (t) => {
  for (const { name, type, security, rcode, delv: other } of CASES) {
    const result = await traced(name, type);
    assert.deepEqual(
      [result.rcode, result.security?.state],
      [rcode, security],
      `${name} ${type}: ${result.security?.reason}`,
    );
    assert.match(delv(name, type), DELV[other?.says ?? security], `delv of ${name} ${type}`);
    const last = result.answers.filter((record) => record.type === type);
    // dig follows no aliases here, and gives up at a server that is lame or dead.
    const isForDig = result.answers.length === last.length && !/^www\.(lame|silent|lazy)\./.test(name);
    if (isForDig) assert.deepEqual(dataOf(last), digTrace(name, type), `${name} ${type}`);
  }
  t.diagnostic(`${CASES.length} names compared with delv and dig +trace`);
});

test('the reason is that of the link which breaks', async () => {
  const reasonOf = async (name: string, options: TraceOptions = {}) =>
    (await traced(name, 'A', options)).security?.reason ?? '';
  assert.match(await reasonOf('www.broken.test'), /^A of www\.broken\.test: its signature with key \d+ is wrong$/);
  assert.match(await reasonOf('www.expired.test'), /^DNSKEY of expired\.test: its signature expired \d{4}-\d\d-\d\d$/);
  assert.match(await reasonOf('www.mismatch.test'), /^none of its keys \(\d+\) is the one of its DS \(4711\)$/);
  assert.equal(await reasonOf('www.stripped.test'), 'it has a DS at its parent, but no DNSKEY');
  assert.match(await reasonOf('www.unknown.test'), /algorithm 200.*not known here$/);
  // The root's own signatures are over by then.
  const later = await traced('www.secure.test', 'A', { now: Math.floor(Date.now() / 1000) + 400 * 86_400 });
  assert.equal(later.security?.state, 'bogus');
  assert.match(later.security?.chain[0].reason ?? '', /expired/);
  assert.match(
    await reasonOf('www.secure.test', { anchors: [`1 8 2 ${'00'.repeat(32)}`] }),
    /none of its keys|is bogus/,
  );
});

test('every step tells where the delegation goes, and what is odd about it', async () => {
  const plain = await traced('www.secure.test');
  const way = plain.steps.filter((step) => step.purpose === 'name');
  assert.deepEqual(
    way.map((step) => [step.zone, step.kind, step.referral?.zone, step.question.name]),
    [
      ['.', 'referral', 'test', 'test'],
      ['test', 'referral', 'secure.test', 'secure.test'],
      ['secure.test', 'answer', undefined, 'www.secure.test'],
    ],
  );
  assert.deepEqual([way[0].referral?.servers[0].addresses, way[0].referral?.servers[0].from], [[AT.tld], 'glue']);
  assert.ok(plain.steps.every((step) => step.ms > 0));
  const whole = await traced('www.secure.test', 'A', { minimise: false });
  const shown = whole.steps.filter((step) => step.purpose === 'name').map((step) => step.question.name);
  assert.deepEqual(new Set(shown), new Set(['www.secure.test']));

  const huge = await traced('huge.secure.test', 'TXT');
  const cut = huge.steps[huge.steps.length - 1];
  assert.deepEqual([cut.transport, cut.udp_ms !== undefined, cut.tcp_ms !== undefined], ['tcp', true, true]);
  assert.match(remarks(await traced('www.forsaken.test')), /lame: does not serve the zone/);
  assert.match(remarks(await traced('www.lazy.test')), /lame: answers without authority/);
  const looked = await traced('www.outside.test');
  assert.ok(looked.steps.some((step) => step.depth === 1 && step.question.name === 'ns.help.other'));
});

test('what leads nowhere ends, with the reason', async () => {
  for (const name of UNRESOLVABLE) {
    const { end, sentence } = await traced(name);
    assert.ok(end === 'failed' || end === 'alias_loop', `${name}: ${end}`);
    assert.match(sentence, /^No server of |lead back to /);
  }
  assert.match(remarks(await traced('www.hen.test')), /can be found through itself only: a loop/);
  const few = await traced('www.secure.test', 'A', { mostQueries: 3 });
  assert.deepEqual([few.end, few.queries], ['limit', 3]);
  const silent = await trace('www.secure.test', 'A', { root: [AT.dead], timeoutMs: 200, dnssec: false });
  assert.match(silent.sentence, /^No server of \. gave an answer about test\./);
});

test('all servers of a zone side by side', async () => {
  const lame = (await traced('www.lame.test', 'A', { all: true })).check;
  assert.deepEqual(
    lame?.servers.map(({ address, authoritative, serial, random }) => [address, authoritative, serial, random]).sort(),
    [
      [AT.nsd, true, 2_026_112_501, 'NXDOMAIN'],
      [AT.knot, false, null, 'REFUSED'],
    ],
  );
  assert.match(lame?.remarks.join('\n') ?? '', /127\.53\.0\.4\) is lame/);
  const skewed = (await traced('www.skewed.test', 'A', { all: true })).check;
  assert.match(skewed?.remarks.join('\n') ?? '', /The parent lists ns-knot\.skewed\.test; the zone itself does not\./);
  assert.deepEqual((await traced('www.secure.test', 'A', { all: true })).check?.remarks, []);
});

test('the command draws it, and says by its exit code when signatures do not hold', () => {
  const command = (name: string, ...more: string[]) => {
    const program = fileURLToPath(new URL('../../bin/nametap', import.meta.url));
    const words = ['trace', name, '--root', AT.root, '--anchor', zones.anchor, ...more];
    return spawnSync(program, words, { encoding: 'utf8' });
  };
  const good = command('www.secure.test');
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /^● test\. +\S+ 127\.53\.0\.2 .*→ secure\.test\. /m);
  assert.match(good.stdout, /^✓ secure\.test\. +key \d+ \(ECDSAP256SHA256\) is the one of its DS$/m);
  const bad = command('www.broken.test', '-T', 'json');
  assert.deepEqual([bad.status, (JSON.parse(bad.stdout) as Trace).security?.state], [1, 'bogus']);
  assert.equal(command('www.forsaken.test').status, 9);
});

function delv(name: string, type: string): string {
  const { stdout, stderr } = spawnSync('delv', [`@${AT.resolver}`, '-a', zones.anchorFile, '+root=.', name, type], {
    encoding: 'utf8',
  });
  return `${stdout}\n${stderr}`;
}

const dataOf = (records: Trace['answers']): string[] => records.map(({ data }) => bare(data)).sort();

/** Without quotes, last dots of names, and blanks that dig puts into long fields. */
function bare(data: string): string {
  return data
    .replaceAll('"', '')
    .replace(/\.(?= |$)/g, '')
    .replaceAll(' ', '')
    .toUpperCase();
}

/** What dig found at the end of its way. */
function digTrace(name: string, type: string): string[] {
  // dig looks the addresses of name servers up as the machine does: in a mount namespace of its own that is our resolver.
  const script = 'mount --bind "$1" /etc/resolv.conf && shift && exec dig "$@"';
  const words = ['-m', 'sh', '-c', script, 'sh', resolvConf, `@${AT.resolver}`, '+trace', '+nodnssec', name, type];
  const text = execFileSync('unshare', words, { encoding: 'utf8' });
  return text
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter(([owner, , , kind]) => owner === `${name}.` && kind === type)
    .map(([, , , , ...data]) => bare(data.join(' ')))
    .sort();
}
