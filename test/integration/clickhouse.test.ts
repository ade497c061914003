import { after } from 'node:test';
import { start } from '../../scripts/services/clickhouse.ts';
import { openStore } from '../../src/store/open.ts';
import { storeContract } from '../store/contract.ts';

const service = await start({ user: 'nametap', password: 'hush' });

storeContract('ClickHouse', (path) =>
  openStore({
    engine: 'clickhouse',
    path,
    flushMs: 50,
    clickhouse: { url: service.address, user: 'nametap', password: 'hush', database: 'nametap' },
  }),
);

// Behind the store, which is closed in the hook before.
after(() => service.stop());
