import { CONFIG_FILE } from '../app/config-options.ts';
import type { CommandDefinition } from '../core/definition.ts';
import { buildPage } from './build-page.ts';
import { COLOR, textOption } from './options.ts';
import { configFlags, OFTEN, runServe } from './serve.ts';

/** `nametap start`: what this is, at first sight: the page over live traffic, or over a replay where nothing can be captured. */
export const start: CommandDefinition = {
  name: 'start',
  summary: 'serve live traffic, or a replayed capture where nothing can be captured',
  options: [
    ...OFTEN,
    {
      name: 'data',
      value: 'FOLDER',
      summary: 'folder of everything that is kept (default: NAMETAP_DATA, else ./data)',
    },
    CONFIG_FILE,
    COLOR,
  ],
  examples: ['npm start  # the same, from a checkout', 'nametap start -i eth0 --listen 127.0.0.1:8080'],
  run: async (_, options) => {
    buildPage();
    const { loadConfig } = await import('../app/config.ts');
    const flags = configFlags(options);
    const file = textOption(options, CONFIG_FILE.name);
    const load = () => {
      const loaded = loadConfig({ flags, file });
      // Whoever configured it either way has decided.
      const isDecided = loaded.tree.origin(['demo']) !== undefined;
      return isDecided ? loaded : loadConfig({ flags: { ...flags, demo: 'auto' }, file });
    };
    return runServe(load(), load, options);
  },
};
