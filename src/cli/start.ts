import { CONFIG_FILE } from '../app/config-options.ts';
import type { Config } from '../app/config.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { plainText } from '../core/figures.ts';
import { buildPage } from './build-page.ts';
import { COLOR, textOption } from './options.ts';
import { remark } from './remarks.ts';
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
    const flags: Record<string, OptionValues[string]> = { ...configFlags(options) };
    const file = textOption(options, CONFIG_FILE.name);
    const load = () => {
      const loaded = loadConfig({ flags, file });
      // Whoever configured it either way has decided.
      const isDecided = loaded.tree.origin(['demo']) !== undefined;
      return isDecided ? loaded : loadConfig({ flags: { ...flags, demo: 'auto' }, file });
    };
    let loaded = load();
    for (const text of loaded.remarks) remark(plainText(text));
    if (await mustStayRoot(loaded.config)) {
      flags['capture-user'] = 'root';
      loaded = load();
    }
    return runServe(loaded, load, options);
  },
};

/** In a folder that nobody else may enter, root stays root: the first start works, and says so. */
async function mustStayRoot({ data, capture }: Config): Promise<boolean> {
  if (capture.user !== undefined) return false;
  const { accountToBecome } = await import('../app/input.ts');
  const { closedToUser } = await import('../app/serve-folder.ts');
  const account = accountToBecome();
  const closed = account && closedToUser(account, data);
  if (closed === undefined) return false;
  remark(`it stays root: the user ${account?.name} may not enter ${plainText(closed)}`);
  return true;
}
