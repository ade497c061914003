import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { ClientNames } from '../../src/enrich/client-names.ts';

test('addresses and networks have names, the narrowest wins', () => {
  const names = new ClientNames({
    '10.0.0.0/8': 'office',
    '10.1.0.0/16': 'branch',
    '10.1.2.3': 'printer',
    '2001:db8::/32': 'lab',
    '2001:DB8::7': 'build host',
  });
  assert.equal(names.size, 5);
  assert.equal(names.nameOf('10.1.2.3'), 'printer');
  assert.equal(names.nameOf('10.1.2.4'), 'branch');
  assert.equal(names.nameOf('10.9.9.9'), 'office');
  assert.equal(names.nameOf('11.0.0.1'), undefined);
  assert.equal(names.nameOf('2001:db8:0::7'), 'build host');
  assert.equal(names.nameOf('2001:db8:9::'), 'lab');
  assert.equal(names.nameOf('no address'), undefined);
  assert.equal(names.name(4, [0, 0, 0, 0x0a010203 | 0]), 'printer');
  // Asked again: from memory.
  assert.equal(names.nameOf('10.9.9.9'), 'office');
  assert.equal(names.nameOf('11.0.0.1'), undefined);
});

test('what is no address, no network or no name is refused', () => {
  for (const wrong of ['10.0.0.0/33', '10.0.0', 'host', '::/129', '10.0.0.0/', 'fe80::1%eth0', '1.2.3.4/8/9']) {
    assert.throws(() => new ClientNames({ [wrong]: 'x' }), UserError, wrong);
  }
  assert.throws(() => new ClientNames({ '10.0.0.1': '' }), UserError);
  assert.throws(() => new ClientNames({ '10.0.0.1': 'x'.repeat(129) }), UserError);
});

test('millions of addresses leave the memory of names bounded', () => {
  const names = new ClientNames({ '10.0.0.0/8': 'office' });
  for (let i = 0; i < 40_000; i++) assert.equal(names.name(4, [0, 0, 0, 0x0a000000 + i]), 'office');
});
