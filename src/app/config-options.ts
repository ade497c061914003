import type { OptionDefinition } from '../core/definition.ts';
import type { Setting } from '../core/settings.ts';
import { SETTINGS } from './settings.ts';

/** A key of the configuration that can be given on its own: path, option and variable say the same. */
export interface ConfigKey {
  /** `server`, `listen`. */
  path: readonly string[];
  setting: Setting;
  /** `server-listen`. */
  option: string;
  /** `NAMETAP_SERVER_LISTEN`. */
  variable: string;
}

/** All keys, in the order of the configuration; the entries of a map, and what belongs together, are given as YAML. */
export const CONFIG_KEYS: readonly ConfigKey[] = keysOf(SETTINGS, []);

function keysOf(setting: Setting, path: readonly string[]): ConfigKey[] {
  if (setting.shape.kind === 'group' && setting.isTogether !== true) {
    return Object.entries(setting.shape.keys).flatMap(([key, inner]) => keysOf(inner, [...path, key]));
  }
  const option = path.join('-').replaceAll('_', '-');
  return [{ path, setting, option, variable: `NAMETAP_${option.replaceAll('-', '_').toUpperCase()}` }];
}

/** Where the configuration is read from. */
export const CONFIG_FILE = {
  name: 'config',
  value: 'FILE',
  summary: 'configuration (default: NAMETAP_CONFIG, else nametap.yaml here, else /etc/nametap/nametap.yaml)',
} as const satisfies OptionDefinition;

/** One option for each key, for commands that take a whole configuration. */
export function configOptions(): OptionDefinition[] {
  return CONFIG_KEYS.map(({ option, setting }) => {
    const { shape, letter } = setting;
    return {
      name: option,
      ...(letter !== undefined && { letter }),
      value: valueName(setting),
      summary: optionSummary(setting),
      ...(shape.kind === 'list' && { many: true }),
      ...(shape.kind === 'text' && shape.choices !== undefined && { choices: shape.choices }),
    };
  });
}

/**
 * A sentence as options have it, with the default in words: an option that is not given must not hide what file and
 * environment say.
 */
function optionSummary({ summary, default: otherwise }: Setting): string {
  const text = summary[0].toLowerCase() + summary.slice(1).replace(/\.$/, '');
  const shown = Array.isArray(otherwise) ? otherwise.join(',') : typeof otherwise === 'object' ? '' : otherwise;
  return shown === undefined || shown === '' ? text : `${text} (default ${String(shown)})`;
}

/** `SIZE`, `YAML`: what stands for a value in help. */
export function valueName({ shape }: Setting): string {
  switch (shape.kind) {
    case 'text':
      return shape.wants !== undefined && /^[A-Z:]+$/.test(shape.wants) ? shape.wants : shape.choices ? 'WORD' : 'TEXT';
    case 'flag':
      return 'yes|no';
    case 'number':
      return 'N';
    case 'size':
      return 'SIZE';
    case 'span':
      return 'TIME';
    case 'list':
      return valueName(shape.of);
    case 'map':
    case 'group':
    case 'variant':
    default:
      return 'YAML';
  }
}
