import { existsSync } from 'node:fs';
import type { z } from 'zod';
import type { OptionValues } from '../core/definition.ts';
import { UserError } from '../core/errors.ts';
import type { Setting } from '../core/settings.ts';
import { nearest } from '../filter/nearest.ts';
import { configProblems } from './config-checks.ts';
import { CONFIG_KEYS } from './config-options.ts';
import { schemaOf } from './config-schema.ts';
import { ConfigTree, layEnvironment, layFile, layFlags } from './config-tree.ts';
import { type Config, SETTINGS, settingAt } from './settings.ts';

export type { Config };

/** Where values come from; each is stronger than the one behind it: flags, environment, file, defaults. */
export interface ConfigSources {
  /** Long options as `configOptions` declares them. */
  flags?: OptionValues;
  environment?: NodeJS.ProcessEnv;
  /** The file; absent: `NAMETAP_CONFIG`, else what `DEFAULT_FILES` has. */
  file?: string;
}

export interface LoadedConfig {
  config: Config;
  /** The file that was read; null without one. */
  file: string | null;
  /** What was written, and where. */
  tree: ConfigTree;
  /** About the environment, in words. */
  remarks: string[];
}

/** Looked for in this order where no file is named. */
const DEFAULT_FILES = ['nametap.yaml', '/etc/nametap/nametap.yaml'];

/**
 * Reads the configuration. Throws UserError: a file that cannot be read or is no YAML; else one line for each value that
 * is wrong, with where it was written and, for a key that does not exist, the one that was probably meant.
 */
export function loadConfig({ flags = {}, environment = process.env, file }: ConfigSources = {}): LoadedConfig {
  const tree = new ConfigTree();
  const path = file ?? (environment.NAMETAP_CONFIG || DEFAULT_FILES.find((one) => existsSync(one)));
  if (path !== undefined) layFile(tree, path);
  const remarks = layEnvironment(tree, environment);
  layFlags(tree, flags);
  const read = schemaOf(SETTINGS).safeParse(tree.root);
  if (!read.success)
    throw problemsError(
      read.error.issues.flatMap((issue) => problemsOf(issue, tree)),
      tree,
    );
  // The schema was made from the declarations that the type was made from.
  const config = read.data as Config;
  const problems = configProblems(config);
  if (problems.length > 0) throw problemsError(problems, tree);
  return { config, file: path ?? null, tree, remarks };
}

interface Problem {
  path: readonly PropertyKey[];
  text: string;
}

/** One line for each problem, in the order of the file. */
function problemsError(problems: readonly Problem[], tree: ConfigTree): UserError {
  const lines = problems.map(({ path, text }) => {
    const origin = tree.origin(path) ?? '';
    const [line = '0', column = '0'] = /:(\d+):(\d+)$/.exec(origin)?.slice(1) ?? [];
    return {
      order: Number(line) * 10_000 + Number(column),
      text: `${origin}${origin === '' ? '' : ': '}${text}${text.endsWith('?') ? '' : '.'}`,
    };
  });
  lines.sort((a, b) => a.order - b.order);
  return new UserError(lines.map(({ text }) => text).join('\n'));
}

/** What is wrong, and where: one problem, or one for each key that does not exist. */
function problemsOf(issue: z.core.$ZodIssue, tree: ConfigTree): Problem[] {
  const { path } = issue;
  const name = path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], text: unknownKey(path, key, tree) }));
  }
  return [{ path, text: issueText(issue, name, valueAt(tree, path)) }];
}

function issueText(issue: z.core.$ZodIssue, name: string, written: unknown): string {
  if (issue.code === 'invalid_key') return `${name} is no name that can be given here`;
  if (written === undefined) return `${name} is missing`;
  if (issue.code === 'invalid_union') {
    const types = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    const meant = typeof written === 'string' ? nearest(written, types) : undefined;
    return `${name} takes ${types.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
  }
  if (issue.code !== 'invalid_type') return `${name} ${issue.message}`;
  return `${name} takes ${issue.expected === 'array' ? 'a list such as [a, b]' : 'keys of its own, each on a line below'}`;
}

function unknownKey(path: readonly PropertyKey[], key: string, tree: ConfigTree): string {
  const siblings = keysAt(path.map(String), tree);
  const name = [...path.map(String), key].join('.');
  const meant = nearest(key, siblings) ?? elsewhere(key);
  return `${name} is no setting${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** A key of that name in another layer. */
function elsewhere(key: string): string | undefined {
  return CONFIG_KEYS.find(({ path }) => path.at(-1) === key)?.path.join('.');
}

/** Keys that may stand in the group at a path. */
function keysAt(path: readonly string[], tree: ConfigTree): string[] {
  let setting: Setting | undefined = settingAt(path);
  if (setting?.shape.kind === 'variant') {
    const type = valueAt(tree, [...path, 'type']);
    setting = typeof type === 'string' ? setting.shape.of[type] : undefined;
    if (setting?.shape.kind === 'group') return ['type', ...Object.keys(setting.shape.keys)];
  }
  return setting?.shape.kind === 'group' ? Object.keys(setting.shape.keys) : [];
}

function valueAt(tree: ConfigTree, path: readonly PropertyKey[]): unknown {
  let at: unknown = tree.root;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}
