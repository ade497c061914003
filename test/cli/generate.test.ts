import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nametap } from './nametap.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-generate-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('an attack is generated, and noticed where the labels say', () => {
  const write = join(folder, 'day.pcap');
  const labels = join(folder, 'day.tsv');
  const made = ['generate', '--scenario', 'exfiltration', '--clients', '3', '-w', write, '--labels', labels];
  const { code, err } = nametap(made);
  assert.equal(code, 0, err);
  assert.match(err, /packets of [\d,]+ transactions; 5 things to notice, 0 not to/);
  const subjects = readFileSync(labels, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t')[4]);
  const detected = nametap(['detect', '--detector', 'tun-bytes', write]);
  assert.equal(detected.code, 0, detected.err);
  for (const subject of subjects) assert.ok(detected.out.includes(`"${subject}"`), subject);
});

test('scenarios are listed; what cannot be is said', () => {
  const help = nametap(['generate', '--scenario', 'help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /^flood-rsd +water torture: .* \[FLOOD-RSD\]$/m);
  for (const [words, said] of [
    [[], /Where to\? Give a file with -w/],
    [['--scenario', 'rain', '-w', '-'], /no scenario 'rain'/],
    [['--clients', '0', '-w', '-'], /--clients wants 1 to 60,000/],
  ] as const) {
    const { code, err } = nametap(['generate', ...words]);
    assert.equal(code, 1);
    assert.match(err, said);
  }
});
