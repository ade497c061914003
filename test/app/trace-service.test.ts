import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayAsk, traceService } from '../../src/app/trace-service.ts';
import { networkOf } from '../../src/enrich/client-names.ts';

const usual = { enabled: true, allow: [], root: [], anchors: [], queries_most: 200, timeout: 5000 };

test('traces for others ask public addresses only, and networks that are allowed', () => {
  const inside = [
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
  ];
  const inside6 = [
    '::1',
    '::',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::a00:1',
    'fe80::1%eth0',
    'fd00::1',
    'ff02::1',
    '2002:a00:1::',
    '2001:db8::1',
  ];
  for (const address of [...inside, ...inside6, 'localhost', '']) assert.equal(mayAsk(address, usual), false, address);
  for (const address of ['198.41.0.4', '9.9.9.9', '2001:503:ba3e::2:30', '2620:fe::fe'])
    assert.equal(mayAsk(address, usual), true, address);
  assert.equal(mayAsk('10.1.2.3', { allow: [networkOf('10.1.0.0/16')] }), true);
  assert.equal(mayAsk('10.2.2.3', { allow: [networkOf('10.1.0.0/16')] }), false);
});

test('traces are off unless turned on, and end in time', async () => {
  assert.equal(traceService({ ...usual, enabled: false }), null);
  // Nobody listens there: the root that was configured may be asked, wherever it is.
  const service = traceService({ ...usual, root: ['127.0.53.99'] });
  const found = await service?.trace({ name: 'www.example', type: 'a', all: false }, new AbortController().signal);
  assert.equal(found?.end, 'failed');
  assert.ok(
    found !== undefined &&
      found.steps.length > 0 &&
      found.steps.every(({ server }) => server.address === '127.0.53.99'),
  );
  await assert.rejects(
    async () => service?.trace({ name: 'www.example', type: 'nothing', all: false }, new AbortController().signal),
    /not an RR type/,
  );
});
