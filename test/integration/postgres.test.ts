import { after } from 'node:test';
import { start } from '../../scripts/services/postgres.ts';
import { openStore } from '../../src/store/open.ts';
import { storeContract } from '../store/contract.ts';

const service = await start({ replicas: 1 });

storeContract('PostgreSQL', (path) =>
  openStore({
    engine: 'postgres',
    path,
    flushMs: 50,
    postgres: { url: service.url(), replicas: service.replicas.map(({ host, port }) => `${host}:${port}`) },
  }),
);
after(() => service.stop());
