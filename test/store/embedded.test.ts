import { openStore } from '../../src/store/open.ts';
import { storeContract } from './contract.ts';

storeContract('embedded', (path) => openStore({ path, flushMs: 50 }));
