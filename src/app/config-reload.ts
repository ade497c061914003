import { isDeepStrictEqual } from 'node:util';
import type { Setting, Shape } from '../core/settings.ts';
import { type Config, SETTINGS } from './settings.ts';

export interface ConfigReload {
  /** What holds from now on: the new values of keys that change at run time, the old ones of all others. */
  config: Config;
  /** Keys that changed and hold at once. */
  applied: string[];
  /** Keys that changed and hold after a restart. */
  waiting: string[];
}

/** What a configuration that was read again changes. */
export function reloadedConfig(before: Config, after: Config): ConfigReload {
  const applied: string[] = [];
  const waiting: string[] = [];
  const config = merged(SETTINGS, before, after, '', false);
  // Made key by key from two of the same type.
  return { config: config as Config, applied, waiting };

  function merged(setting: Setting, old: unknown, next: unknown, name: string, inherited: boolean): unknown {
    const reloads = inherited || setting.reloads === true;
    if (isKeyed(setting) && isRecord(old) && isRecord(next)) {
      return Object.fromEntries(
        Object.entries(setting.shape.keys).map(([key, inner]) => [
          key,
          merged(inner, old[key], next[key], name === '' ? key : `${name}.${key}`, reloads),
        ]),
      );
    }
    if (isDeepStrictEqual(old, next)) return old;
    (reloads ? applied : waiting).push(name);
    return reloads ? next : old;
  }
}

/** Whether a key takes effect while nametap runs: it says so, or a group around it does. */
export function reloads(path: readonly string[]): boolean {
  let setting: Setting = SETTINGS;
  for (const key of path) {
    if (!isKeyed(setting)) return false;
    setting = setting.shape.keys[key];
    if (setting.reloads === true) return true;
  }
  return false;
}

function isKeyed(setting: Setting): setting is Setting & { shape: Extract<Shape, { kind: 'group' }> } {
  return setting.shape.kind === 'group';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
