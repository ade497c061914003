import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { clientNames, withClientNames } from '../../src/app/named-clients.ts';
import type { Config } from '../../src/app/config.ts';
import { openStore } from '../../src/store/open.ts';
import type { Transaction } from '../../src/rr/transaction.ts';
import { batchesOf, CAPTURES } from '../store/batches.ts';

const store = await openStore({ path: null });
after(() => store.close());

test('what history tells of clients has the names of now', async () => {
  const path = CAPTURES.find((one) => one.endsWith('lookups.pcapng')) ?? '';
  for (const batch of (await batchesOf(path)).batches) await store.append(batch, {}, true);
  await store.flush();
  const clients = { '0.0.0.0/0': 'somebody', '::/0': 'somebody' };
  let names = clientNames({ clients, privacy: { level: 1 } } as unknown as Config);
  const named = withClientNames(store, () => names);
  const all = async (): Promise<Transaction[]> => {
    const rows: Transaction[] = [];
    for await (const page of named.transactions({ from: 0, to: 4e12, limit: 10 })) rows.push(...page.rows);
    return rows;
  };
  const rows = await all();
  assert.equal(rows.length, 10);
  assert.ok(rows.every(({ client_name }) => client_name === 'somebody'));
  const one = await named.transaction(rows[0].transaction);
  assert.equal(one?.record.client_name, 'somebody');
  assert.equal(await named.transaction('0000000000000001'), null);
  const { siblings, parent } = await named.related(rows[0].transaction);
  assert.ok(parent === null && siblings.every(({ client_name }) => client_name === 'somebody'));
  // A pseudonym may look like an address that has a name.
  names = clientNames({ clients, privacy: { level: 2 } } as unknown as Config);
  assert.ok((await all()).every(({ client_name }) => client_name === undefined));
});
