import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HUNTS } from '../../src/server/hunts.ts';
import { SAID } from '../../src/server/said.ts';
import { en } from '../../web/src/text/en.ts';
import { said, zh } from '../../web/src/text/zh.ts';

const source = fileURLToPath(new URL('../../web/src/', import.meta.url));
const files = globSync('**/*.{ts,tsx}', { cwd: source })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => !path.startsWith('text/'))
  .map((path) => ({ path, text: readFileSync(source + path, 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '') }));

test('both languages have the same texts', () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
});

test('a text has the same values in both languages', () => {
  const values = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
  for (const [key, text] of Object.entries(en)) {
    const other = zh[key as keyof typeof en] ?? '';
    assert.deepEqual(values(other), values(text), key);
    assert.ok(text === '' || other !== '', key);
    assert.doesNotMatch(other, /\|/, `${key}: Chinese has one form for any number`);
  }
});

test('every text is used', () => {
  const all = files.map(({ text }) => text).join('\n');
  // Keys that are put together: `t(`statistics.${name}`)`.
  const composed = [...all.matchAll(/[`']([a-z_.]+\.)\$\{/g)].map(([, start]) => start);
  const unused = Object.keys(en).filter(
    (key) => !all.includes(`'${key}'`) && !composed.some((start) => key.startsWith(start)),
  );
  assert.deepEqual(unused, []);
});

/** Words between tags, and in attributes that people see or hear. */
const BETWEEN_TAGS = />\s*([A-Za-z][A-Za-z ,.']*[a-z]{2,}[A-Za-z ,.']*)\s*<\//g;
const ATTRIBUTE = /\b(?:title|label|aria-label|placeholder|alt)="([^"]*[A-Za-z]{3,}[^"]*)"/g;
/** Names and units that are the same in every language. */
const NAMES = /^(nametap|OpenAPI 3\.1|Mermaid|UTC|p\d\d)$/;

test('no page has text of its own', () => {
  const found = files.flatMap(({ path, text }) =>
    [...text.matchAll(BETWEEN_TAGS), ...text.matchAll(ATTRIBUTE)]
      .map(([, words]) => words.trim())
      .filter((words) => !NAMES.test(words))
      .map((words) => `${path}: ${words}`),
  );
  assert.deepEqual(found, []);
});

test('whatever the server says of itself, the page says in Chinese', () => {
  const keys: Record<string, string> = { ...SAID };
  for (const { name, title, summary } of HUNTS) {
    keys[`hunt.${name}`] = title;
    keys[`hunt.${name}.summary`] = summary ?? '';
  }
  for (const level of [0, 1, 2, 3, 4, 5]) keys[`privacy.level.${level}`] = '';
  for (const names of ['full', 'domain', 'hashed']) keys[`privacy.names.${names}`] = '';
  assert.deepEqual(Object.keys(said).sort(), Object.keys(keys).sort());
  const values = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
  for (const [key, text] of Object.entries(said)) {
    if (key in SAID) assert.deepEqual(values(text), values(keys[key]), key);
    assert.ok(!text.includes('|') && (key === 'privacy.names.full' || text !== ''), key);
    assert.ok(key === 'hunt.failures' || key === 'source.dnstap' || !/[a-z]{3,} [a-z]{3,}/i.test(text), key);
  }
});
