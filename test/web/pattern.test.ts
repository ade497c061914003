import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RE2JS } from 're2js';
import { RE2JS as Checked } from '../../web/src/explore/editor/pattern.ts';

function isFine(engine: { compile(pattern: string): unknown }, pattern: string): boolean {
  try {
    engine.compile(pattern);
    return true;
  } catch {
    return false;
  }
}

test('what the page refuses as a pattern the engine refuses too, and what the engine takes the page takes', () => {
  const good = [
    '^a+b*$',
    '(?i)x',
    '(?P<n>a|b)',
    '[[:alpha:]]+',
    '\\Aabc\\z',
    '\\Qa.b\\E',
    '\\pL',
    'a{2,5}',
    '\\.example$',
    '',
  ];
  const bad = ['(', 'a)', '[a', '*a', 'a{5,2}', '(?=a)', '(?<!a)b', '(a)\\1'];
  for (const pattern of good)
    assert.deepEqual([isFine(RE2JS, pattern), isFine(Checked, pattern)], [true, true], pattern);
  for (const pattern of bad)
    assert.deepEqual([isFine(RE2JS, pattern), isFine(Checked, pattern)], [false, false], pattern);
});

test('it says in a few words what is wrong', () => {
  assert.throws(() => Checked.compile('(a'), { message: 'unterminated group' });
});
