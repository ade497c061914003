import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { referencePages } from '../../scripts/reference.ts';
import { CONFIG_KEYS } from '../../src/app/config-options.ts';
import { everyCommand } from '../../src/cli/commands.ts';
import { FRAME_FATES, MESSAGE_OUTCOMES } from '../../src/core/ledger.ts';
import { FIELDS } from '../../src/filter/fields/registry.ts';
import { RR_TYPES } from '../../src/rr/index.ts';
import { OUTPUTS } from '../../src/sinks/index.ts';
import { OPTION_TYPES } from '../../src/wire/edns.ts';
import { FAULTS } from '../../src/wire/fault.ts';

const pages = await referencePages();
const commands = await everyCommand();
const root = fileURLToPath(new URL('../..', import.meta.url));

function shows(page: string, texts: readonly string[]): void {
  const text = pages.get(page) ?? '';
  assert.deepEqual(
    texts.filter((one) => !text.includes(one)),
    [],
    page,
  );
}

test('the reference names every command, option, field, format, type and cause', () => {
  shows(
    'commands.md',
    commands.flatMap(({ name, options }) => [`## ${name}\n`, ...options.map((option) => `--${option.name}`)]),
  );
  shows(
    'configuration.md',
    CONFIG_KEYS.flatMap(({ path, option }) => [`| \`${path.join('.')}\` |`, `| \`--${option}\` |`]),
  );
  shows(
    'fields.md',
    FIELDS.map(({ name }) => `| \`${name}\` |`),
  );
  shows(
    'formats.md',
    OUTPUTS.map(({ name }) => `| \`${name}\` |`),
  );
  shows(
    'records.md',
    [...RR_TYPES, ...OPTION_TYPES].map(({ name, summary }) => `| ${name} | ${summary.replaceAll('<', '&lt;')} |`),
  );
  shows(
    'ledger.md',
    [...FRAME_FATES, ...MESSAGE_OUTCOMES, ...FAULTS].map((name) => `| \`${name}\` |`),
  );
});

test('every key of the native record is in the reference and in the guide', () => {
  const keys = Array.from((pages.get('transaction.md') ?? '').matchAll(/^\| `(\w+)` \|/gm), ([, key]) => key);
  assert.ok(keys.length > 35, `${keys.length} keys`);
  const guide = readFileSync(join(root, 'docs/guide/formats.md'), 'utf8');
  assert.deepEqual(
    keys.filter((key) => !guide.includes(`\`${key}\``)),
    [],
  );
  for (const { name } of OUTPUTS) assert.ok(guide.includes(`| \`${name}\` |`), `the guide describes -T ${name}`);
});

test('no row of the reference lacks its meaning', () => {
  for (const [name, text] of pages) {
    for (const line of text.split('\n')) {
      if (!line.startsWith('| `') || name === 'transaction.md' || line.startsWith('| `none`')) continue;
      assert.notEqual(line.split(/(?<!\\)\|/)[name === 'fields.md' ? 3 : 2].trim(), '', `${name}: ${line}`);
    }
  }
});
