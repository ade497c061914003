import { UserError } from '../core/errors.ts';
import type { Setting } from '../core/settings.ts';
import { PROBES } from '../probes/index.ts';
import type { ProbeDefinition } from '../probes/probe.ts';
import { schemaOf } from './config-schema.ts';

/** The kind of check of this name. Throws `UserError`. */
export function probeOf(type: string): ProbeDefinition {
  const found = Object.hasOwn(PROBES, type) ? PROBES[type] : undefined;
  if (found !== undefined) return found;
  throw new UserError(`There is no probe "${type}". There are ${Object.keys(PROBES).join(', ')}.`);
}

/**
 * Settings of a check from words `KEY=VALUE`, as the configuration has them; a key of a list may come again, one of a map
 * is `KEY.NAME=VALUE`. Throws `UserError`.
 */
export async function probeSettings(definition: ProbeDefinition, words: readonly string[]): Promise<unknown> {
  const { parse } = await import('yaml');
  const { shape } = definition.settings;
  const keys = shape.kind === 'group' ? shape.keys : {};
  const written: Record<string, unknown> = {};
  for (const word of words) {
    const [, path, text] = /^([A-Za-z_][\w.-]*)=(.*)$/s.exec(word) ?? [];
    const [key, ...rest] = (path ?? '').split('.');
    const setting = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (setting === undefined) {
      throw new UserError(
        `-o "${word}" is not understood. Write KEY=VALUE; probe ${definition.type} has ${Object.keys(keys).join(', ')}.`,
      );
    }
    const value = valueOf(setting, text, parse);
    if (setting.shape.kind === 'map' && rest.length > 0) {
      const of = valueOf(setting.shape.of, text, parse);
      written[key] = { ...(written[key] as Record<string, unknown> | undefined), [rest.join('.')]: of };
    } else if (setting.shape.kind === 'list' && !Array.isArray(value)) {
      const of = valueOf(setting.shape.of, text, parse);
      written[key] = [...((written[key] as unknown[] | undefined) ?? []), of];
    } else written[key] = value;
  }
  return checked(definition, written);
}

/** What the defaults of a kind of check are. */
export function usualSettings(definition: ProbeDefinition): unknown {
  return checked(definition, {});
}

function checked(definition: ProbeDefinition, written: Record<string, unknown>): unknown {
  const result = schemaOf(definition.settings).safeParse(written);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new UserError(`The setting ${path.join('.')} of probe ${definition.type} ${message}.`);
}

/** Texts are as they were written; all else as YAML has it. */
function valueOf({ shape }: Setting, text: string, parse: (text: string) => unknown): unknown {
  if (shape.kind === 'text' || shape.kind === 'span' || shape.kind === 'size') return text;
  try {
    return parse(text);
  } catch {
    return text;
  }
}
