import assert from 'node:assert/strict';
import { test } from 'node:test';
import { t, type TextKey } from '../../web/src/text.ts';
import { en } from '../../web/src/text/en.ts';
import { zh } from '../../web/src/text/zh.ts';

const PLACE = /\{\w+\}/g;

test('values are put into texts, and the form goes by number', () => {
  assert.equal(t('shell.sensors', { n: 1 }), '1 sensor');
  assert.equal(t('shell.sensors', { n: 3 }), '3 sensors');
  assert.equal(t('search.filter', { text: 'a|b {text}' }), 'Filter: a|b {text}', 'values are not read as texts');
  assert.equal(t('shell.live'), 'Live');
});

test('a translation has the places of the English text, and no key that it lacks', () => {
  assert.ok(Object.keys(zh).length > 100);
  for (const [key, text] of Object.entries(zh)) {
    const english = en[key as TextKey];
    assert.equal(typeof english, 'string', `${key} is a text`);
    const places = (of: string) => [...new Set(of.match(PLACE))].sort();
    for (const place of places(text)) assert.ok(places(english).includes(place), `${key}: ${place} in "${english}"`);
    assert.ok(!/\|/.test(text), `${key}: one form`);
  }
});
