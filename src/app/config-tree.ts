import { readFileSync } from 'node:fs';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parse, parseDocument } from 'yaml';
import type { OptionValues } from '../core/definition.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { Setting, Written } from '../core/settings.ts';
import { CONFIG_KEYS, type ConfigKey } from './config-options.ts';

/** What was written, before it is checked. */
export type Tree = { [key: string]: Written };

/** Values as they were written, and where each one was. */
export class ConfigTree {
  readonly root: Tree = {};
  /** By path: `nametap.yaml:3:9`, `NAMETAP_STORE_MEMORY`, `--store-memory`. */
  readonly #origins = new Map<string, string>();

  /** Where a value was written, or else what holds it; undefined for a default. */
  origin(path: readonly PropertyKey[]): string | undefined {
    return path.length === 0 ? undefined : (this.#origins.get(pathKey(path)) ?? this.origin(path.slice(0, -1)));
  }

  /** Where exactly this value (or a part of it) was written; undefined for a default. */
  ownOrigin(path: readonly PropertyKey[]): string | undefined {
    return this.#origins.get(pathKey(path));
  }

  /** Lays a value over what is there: groups are merged, everything else is replaced; null changes nothing. */
  lay(path: readonly string[], value: Written, origin: (path: readonly PropertyKey[]) => string): void {
    if (value === null || value === undefined) return;
    const holder = this.#holder(path.slice(0, -1));
    const key = path[path.length - 1];
    if (isTree(value) && path.length > 0) {
      if (!isTree(holder[key])) define(holder, key, {});
      this.#origins.set(pathKey(path), origin(path));
    }
    if (isTree(value)) {
      for (const [name, inner] of Object.entries(value)) this.lay([...path, name], inner, origin);
      return;
    }
    define(holder, key, value);
    this.#origins.set(pathKey(path), origin(path));
    if (Array.isArray(value)) value.forEach((_, i) => this.#origins.set(pathKey([...path, i]), origin([...path, i])));
  }

  #holder(path: readonly string[]): Tree {
    let at = this.root;
    for (const key of path) {
      if (!Object.hasOwn(at, key) || !isTree(at[key])) define(at, key, {});
      at = at[key] as Tree;
    }
    return at;
  }
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Also for keys such as `__proto__`. */
function define(tree: Tree, key: string, value: Written): void {
  Object.defineProperty(tree, key, { value, writable: true, enumerable: true, configurable: true });
}

const pathKey = (path: readonly PropertyKey[]): string => path.map(String).join('\0');

/** A configuration is small: whoever names a capture by mistake hears of it at once. */
const MOST_BYTES = 4 << 20;

/** Lays a YAML file over a tree. Throws UserError with line and column. */
export function layFile(tree: ConfigTree, path: string): void {
  const text = readText(path);
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new UserError(`${path}:${line}:${col}: ${error.message.split('\n')[0]}.`);
  }
  const value = plainValue(document, path);
  if (value === null) return;
  if (!isTree(value)) throw new UserError(`${path}:1:1: The configuration is a list of keys, such as "server:".`);
  const places = new Map<string, string>();
  place(document.contents, []);
  tree.lay([], value, (at) => places.get(pathKey(at)) ?? path);

  function place(node: unknown, at: readonly PropertyKey[], key: unknown = node): void {
    const range = isScalar(key) || isMap(key) || isSeq(key) || isAlias(key) ? key.range : undefined;
    if (range) {
      const { line, col } = lines.linePos(range[0]);
      places.set(pathKey(at), `${path}:${line}:${col}`);
    }
    if (isMap(node)) {
      for (const pair of node.items) {
        if (isScalar(pair.key)) place(pair.value, [...at, String(pair.key.value)], pair.key);
      }
    }
    if (isSeq(node)) node.items.forEach((item, i) => place(item, [...at, i]));
  }
}

/** Throws UserError where aliases of aliases would grow beyond all bounds. */
function plainValue(document: ReturnType<typeof parseDocument>, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof ReferenceError)
      throw new UserError(`${path}: ${error.message}.`, EXIT.usage, { cause: error });
    throw error;
  }
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MOST_BYTES) throw new UserError(`${path} is too large to be a configuration.`, EXIT.file);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const why = error instanceof TypeError ? 'it is no UTF-8 text' : reasonOf(error);
    throw new UserError(`Cannot read the configuration ${path}: ${why}.`, EXIT.file, { cause: error });
  }
}

/** Variables of ours that are no settings. */
const OTHER_VARIABLES = new Set(['NAMETAP_CONFIG', 'NAMETAP_DEBUG', 'NAMETAP_CAPTURE', 'NAMETAP_RUN']);

/** Lays `NAMETAP_…` over a tree; `…_FILE` names the file of a secret. Gives remarks about names that are no setting. */
export function layEnvironment(tree: ConfigTree, environment: NodeJS.ProcessEnv): string[] {
  const byName = new Map(CONFIG_KEYS.map((key) => [key.variable, key]));
  const remarks: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('NAMETAP_') || text === undefined || text === '') continue;
    const key = byName.get(name);
    const ofFile = name.endsWith('_FILE') ? byName.get(name.slice(0, -'_FILE'.length)) : undefined;
    if (key !== undefined) layText(tree, key, [text], name);
    else if (ofFile !== undefined && isSecret(ofFile.setting)) tree.lay(ofFile.path, { file: text }, () => name);
    else if (!OTHER_VARIABLES.has(name)) remarks.push(`${name} is no setting, and changes nothing`);
  }
  return remarks;
}

/** Lays the options of a command line over a tree. */
export function layFlags(tree: ConfigTree, flags: OptionValues): void {
  for (const key of CONFIG_KEYS) {
    const given = flags[key.option];
    if (given !== undefined) layText(tree, key, Array.isArray(given) ? given : [String(given)], `--${key.option}`);
  }
}

export function isSecret({ shape }: Setting): boolean {
  return shape.kind === 'text' && shape.secret === true;
}

function layText(tree: ConfigTree, { path, setting }: ConfigKey, texts: readonly string[], origin: string): void {
  tree.lay(path, writtenOf(setting, texts, origin), () => origin);
}

const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  false: false,
  no: false,
  off: false,
};

/** What a text of the command line or the environment means for a setting. */
function writtenOf({ shape }: Setting, texts: readonly string[], origin: string): Written {
  const last = texts[texts.length - 1];
  if (shape.kind === 'flag') return WORDS[last.toLowerCase()] ?? last;
  if (shape.kind === 'number') return /^-?\d{1,15}$/.test(last) ? Number(last) : last;
  if (shape.kind === 'text' || shape.kind === 'size' || shape.kind === 'span') return last;
  if (shape.kind === 'list' && !/^\s*\[/.test(last)) {
    const words = texts.flatMap((text) => text.split(',')).map((word) => word.trim());
    return words.filter((word) => word !== '').map((word) => writtenOf(shape.of, [word], origin));
  }
  try {
    return parse(last, { version: '1.2' }) as Written;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : '';
    throw new UserError(`${origin}: "${last}" is no YAML: ${why}`);
  }
}
