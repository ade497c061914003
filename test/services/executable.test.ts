import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildExecutable } from '../../scripts/executable/build.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A system that holds libc, the one file, and a capture. */
const system = mkdtempSync(join(tmpdir(), 'nametap-chroot-'));
let executable = '';

before(() => {
  executable = buildExecutable(`${process.platform}-${process.arch}`, { fast: true });
  const libc = execFileSync('dpkg', ['-L', 'libc6'], { encoding: 'utf8' }).split('\n');
  for (const path of libc.filter((one) => /^(?:\/usr)?\/lib/.test(one) && /\.so(?:\.|$)/.test(one))) {
    mkdirSync(join(system, dirname(path)), { recursive: true });
    copyFileSync(path, join(system, path));
  }
  for (const name of ['tmp', 'captures']) mkdirSync(join(system, name));
  chmodSync(system, 0o755);
  chmodSync(join(system, 'tmp'), 0o1777);
  copyFileSync(executable, join(system, 'nametap'));
  chmodSync(join(system, 'nametap'), 0o755);
  copyFileSync(join(root, 'test/captures/lookups.pcapng'), join(system, 'captures/lookups.pcapng'));
});
after(() => rmSync(system, { recursive: true, force: true }));

/** Nothing of this machine's Node, and no certificates that are not there. */
const env = { PATH: '/usr/bin:/bin' };

function inside(...words: string[]) {
  const chroot = ['--userspec=65534:65534', system, '/nametap', ...words];
  return spawnSync('/usr/sbin/chroot', chroot, { encoding: 'utf8', env, timeout: 60_000 });
}
function output(...words: string[]): string {
  const { status, stdout, stderr } = inside(...words);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  return stdout;
}
const outside = (...words: string[]) =>
  execFileSync(process.execPath, [join(root, 'bin/nametap'), ...words], { encoding: 'utf8', cwd: system });

test('where there is only libc it reads captures and sums them up, as a checkout does', () => {
  assert.equal(output('read', '/captures/lookups.pcapng'), outside('read', 'captures/lookups.pcapng'));
  const { transactions } = JSON.parse(output('report', '-T', 'json', '/captures/lookups.pcapng'));
  assert.deepEqual(transactions, JSON.parse(outside('report', '-T', 'json', 'captures/lookups.pcapng')).transactions);
});

test('it unpacks itself once, for its user alone', () => {
  const cache = join(system, 'tmp/nametap-65534');
  const [name, ...others] = readdirSync(cache);
  assert.deepEqual(others, []);
  assert.match(name, /^[0-9a-f]{32}$/);
  assert.equal(statSync(cache).mode & 0o777, 0o700);
  const { ino } = statSync(join(cache, name));
  output('--version');
  assert.equal(statSync(join(cache, name)).ino, ino);
});

test('what root unpacks is for all, whatever its umask', () => {
  const script = 'umask 077; exec /usr/sbin/chroot "$0" /nametap --version';
  const { status, stderr } = spawnSync('sh', ['-c', script, system], { encoding: 'utf8', env });
  assert.equal(status, 0, stderr);
  const cache = join(system, 'var/cache/nametap');
  const home = join(cache, readdirSync(cache)[0]);
  for (const path of [cache, home, join(home, 'node_modules'), join(home, 'node')]) {
    assert.equal(statSync(path).mode & 0o777, 0o755, path);
  }
  assert.equal(statSync(join(home, 'node_modules/nametap/package.json')).mode & 0o777, 0o644);
});

test('a cache that others may write to is not trusted', () => {
  mkdirSync(join(system, 'captures/open'));
  chmodSync(join(system, 'captures/open'), 0o777);
  const chroot = ['--userspec=65534:65534', system, '/nametap', '--version'];
  const { status, stderr } = spawnSync('/usr/sbin/chroot', chroot, {
    encoding: 'utf8',
    env: { ...env, NAMETAP_CACHE: '/captures/open' },
  });
  assert.equal(status, 2);
  assert.match(stderr, /could not unpack itself: \/captures\/open is not a folder that only this user may write to/);
});

test('where there is only libc it probes', async () => {
  const server = createServer((_, response) => response.end('fine')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const chroot = ['--userspec=65534:65534', system, '/nametap', 'probe', 'http', `http://127.0.0.1:${port}/`];
  const probe = spawn('/usr/sbin/chroot', chroot, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  probe.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const [code] = (await once(probe, 'close')) as [number];
  server.close();
  assert.equal(code, 0, said);
  assert.match(said, new RegExp(`^ok http://127\\.0\\.0\\.1:${port}/ 200 `, 'm'));
});

test('where there is only libc it serves, with database and page', async () => {
  const words = ['serve', '--demo', 'on', '--data', '/tmp/data', '--server-listen', '127.0.0.1:0'];
  const serving: ChildProcess = spawn('/usr/sbin/chroot', ['--userspec=65534:65534', system, '/nametap', ...words], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.ok(serving.stdout);
  try {
    const url = await servedAt(serving.stdout);
    const get = async (path: string, token?: string) => {
      const answer = await fetch(
        new URL(path, url),
        token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
      );
      return { status: answer.status, text: await answer.text() };
    };
    assert.equal((await get('/readyz')).status, 200);
    const page = await get('/');
    assert.equal(page.status, 200);
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page.text)?.[1];
    assert.ok(script);
    assert.equal((await get(script)).status, 200);
    const token = execFileSync('cat', [join(system, 'tmp/data/token')], { encoding: 'utf8' }).trim();
    const { status, text } = await get('/api/v1/overview?from=-1h&to=now', token);
    assert.equal(status, 200, text);
  } finally {
    serving.kill('SIGTERM');
    await once(serving, 'exit');
  }
});

/** The address that serve prints. */
async function servedAt(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const url = /(http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('serve ended without an address');
}
