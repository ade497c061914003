import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import type { LoadedConfig } from './config.ts';
import { DataFolder } from './data-folder.ts';
import { storeOptions } from './services.ts';

/** The store of a data folder, opened in this process: for looking only, or for work on it. Throws UserError. */
export function openStored({ config }: LoadedConfig, readOnly: boolean): Promise<Store> {
  return openStore({ ...storeOptions(config, new DataFolder(config.data).part('store')), readOnly });
}
