import type { LoadedConfig } from '../app/config.ts';
import type { OptionValues } from '../core/definition.ts';
import { writeStdout } from './stdout.ts';

/** The option of services that shows what holds. */
export const PRINT_CONFIG = {
  name: 'print-config',
  summary: 'print the configuration as it holds, and where each value was set, and end',
};

/** Prints the configuration where that is asked for: then there is nothing more to do. */
export async function printsConfig(options: OptionValues, loaded: LoadedConfig): Promise<boolean> {
  if (options[PRINT_CONFIG.name] !== true) return false;
  const { configText } = await import('../app/config-text.ts');
  writeStdout(Buffer.from(configText(loaded)));
  return true;
}
