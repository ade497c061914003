import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { privacyEpochs } from '../../src/app/privacy-keys.ts';
import { UserError } from '../../src/core/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-keys-'));
after(() => rmSync(folder, { recursive: true }));
const DAY = 86_400;
const NOW = 1_700_000_000;
const rotation = { everySeconds: 30 * DAY, keepSeconds: 60 * DAY };

test('the key file is made once, for its owner alone, and read again', () => {
  const path = join(folder, 'once');
  const first = privacyEpochs(path, rotation, NOW);
  assert.equal(first.length, 1);
  assert.equal(first[0].key.length, 32);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(privacyEpochs(path, rotation, NOW + 29 * DAY), first);
});

test('keys change, and old ones are forgotten when their data is', () => {
  const path = join(folder, 'rotating');
  const first = privacyEpochs(path, rotation, NOW);
  const second = privacyEpochs(path, rotation, NOW + 30 * DAY);
  assert.deepEqual(
    second.map(({ from }) => from),
    [NOW, NOW + 30 * DAY],
  );
  assert.deepEqual(second[0], first[0]);
  assert.notDeepEqual(second[1].key, second[0].key);
  const later = privacyEpochs(path, rotation, NOW + 91 * DAY);
  assert.deepEqual(
    later.map(({ from }) => from),
    [NOW + 30 * DAY, NOW + 91 * DAY],
  );
  assert.ok(!readFileSync(path, 'utf8').includes(Buffer.from(first[0].key).toString('hex')));
  assert.equal(privacyEpochs(join(folder, 'ever'), { everySeconds: 0, keepSeconds: 0 }, NOW).length, 1);
  assert.equal(privacyEpochs(join(folder, 'ever'), { everySeconds: 0, keepSeconds: 0 }, 2 * NOW).length, 1);
});

test('a file open to others, a wrong line and a folder without room are told', () => {
  const path = join(folder, 'open');
  privacyEpochs(path, rotation, NOW);
  chmodSync(path, 0o644);
  assert.throws(() => privacyEpochs(path, rotation, NOW), /chmod 600/);
  for (const line of [
    '2024-01-01T00:00:00Z abc',
    'today '.padEnd(70, '0'),
    `2024-01-01T00:00:00Z ${'0'.repeat(64)} x`,
  ]) {
    writeFileSync(path, `# keys\n${line}\n`);
    chmodSync(path, 0o600);
    assert.throws(() => privacyEpochs(path, rotation, NOW), /Line 2 of the key file/);
  }
  assert.throws(() => privacyEpochs(join(folder, 'no/such/folder'), rotation, NOW), UserError);
});
