import { stringify } from 'yaml';
import type { Setting, Shape, Written } from '../core/settings.ts';
import type { LoadedConfig } from './config.ts';
import { type ConfigTree, isSecret, isTree, type Tree } from './config-tree.ts';
import { SETTINGS } from './settings.ts';

const MASK = '********';
const WIDTH = 110;

/** The whole configuration as it holds, as YAML: what was not written is its default. Secrets are masked. */
export function configText({ tree, file }: LoadedConfig): string {
  const lines = [
    `# ${file === null ? 'No configuration file' : `Configuration of ${file}`}; behind a value stands where it was set,`,
    '# nothing where it is the default. Read again, this gives the same (but for secrets).',
    ...shownLines(SETTINGS, tree.root, { tree, path: [] }),
  ];
  return `${lines.join('\n')}\n`;
}

/** The whole configuration as it holds, as people write it: for the API. Secrets are masked. */
export function configValue({ tree }: LoadedConfig): Tree {
  return shownValue(SETTINGS, tree.root) as Tree;
}

/** What a setting holds, secrets masked; undefined where it is absent and has no default. */
function shownValue(setting: Setting, written: Written | undefined): Written | undefined {
  const { shape } = setting;
  const value = written ?? setting.default;
  if (value === undefined) return undefined;
  if (isSecret(setting)) return MASK;
  if (shape.kind === 'list' && Array.isArray(value)) return value.map((item) => shownValue(shape.of, item) ?? null);
  if (!isTree(value)) return value;
  const shown: Tree = {};
  for (const [key, inner] of entriesOf(setting, value)) {
    const held = shownValue(inner, value[key]);
    if (held !== undefined) shown[key] = held;
  }
  return shown;
}

/** The settings that a group, a variant or a map holds, in order. */
function entriesOf({ shape }: Setting, value: Tree): [string, Setting][] {
  if (shape.kind === 'group') return Object.entries(shape.keys);
  if (shape.kind === 'map') return Object.keys(value).map((key) => [key, shape.of]);
  if (shape.kind !== 'variant') return [];
  const kind = typeof value.type === 'string' ? shape.of[value.type] : undefined;
  return kind?.shape.kind === 'group' ? [['type', TYPE], ...Object.entries(kind.shape.keys)] : [];
}

const TYPE: Setting = { summary: 'Which.', shape: { kind: 'text' } };

interface Place {
  tree: ConfigTree;
  path: readonly string[];
}

function shownLines(setting: Setting, written: Written | undefined, { tree, path }: Place): string[] {
  const value = written ?? setting.default;
  if (!isTree(value)) return [];
  const indent = '  '.repeat(path.length);
  return entriesOf(setting, value).flatMap(([key, inner]) => {
    const here = [...path, key];
    const held = shownValue(inner, value[key]);
    if (held === undefined) return [];
    if (isTree(held) && Object.keys(held).length > 0) {
      return [`${indent}${yaml(key)}:`, ...shownLines(inner, value[key], { tree, path: here })];
    }
    const origin = tree.ownOrigin(here);
    return [`${indent}${yaml(key)}: ${yaml(held)}${origin === undefined ? '' : `  # ${origin}`}`];
  });
}

/** Every key with what it means and its default: `config/nametap.example.yaml`. */
export function exampleText(): string {
  const lines = [
    '# yaml-language-server: $schema=./nametap.schema.json',
    '#',
    '# Configuration of nametap: every key, with its default where it has one. Take the # away from what you change.',
    '# The same keys are options of nametap serve (server.listen is --server-listen) and variables of the environment',
    '# (NAMETAP_SERVER_LISTEN); options are stronger than variables, variables than this file.',
    '# nametap config check says what is wrong with it, nametap config schema > nametap.schema.json helps editors.',
    ...exampleLines(SETTINGS, ''),
  ];
  return `${lines.join('\n')}\n`;
}

function exampleLines(setting: Setting, indent: string): string[] {
  const { shape } = setting;
  if (shape.kind !== 'group') return [];
  return Object.entries(shape.keys).flatMap(([key, inner]) => [
    ...(isTopic(inner) || indent === '' ? [''] : []),
    ...remark(inner.summary, indent),
    ...exampleEntry(key, inner, indent),
  ]);
}

/** Groups stand as they are, so that taking one # away is enough; those that may be left out are hidden as a whole. */
function exampleEntry(key: string, setting: Setting, indent: string): string[] {
  const { shape } = setting;
  if (shape.kind === 'group') {
    const isShown = setting.default !== undefined;
    const inner = exampleLines(setting, isShown ? `${indent}  ` : `${indent}#  `);
    return [`${indent}${isShown ? '' : '#'}${key}:`, ...(isShown ? inner : inner.filter((line) => line !== ''))];
  }
  if (shape.kind === 'map' && isTopic(shape.of)) return [`${indent}${key}:`, ...exampleOfMap(shape, `${indent}  `)];
  const { default: otherwise, example = otherwise } = setting;
  const value = otherwise === undefined || isEmpty(otherwise) ? example : otherwise;
  if (value === undefined) throw new TypeError(`the setting ${key} has neither a default nor an example`);
  return [`${indent}${setting.required === true ? '' : '#'}${key}: ${yaml(value)}`];
}

/** One entry of each kind that a map may hold, hidden. */
function exampleOfMap({ of, key }: Extract<Shape, { kind: 'map' }>, indent: string): string[] {
  const kinds: (readonly [string, Setting])[] =
    of.shape.kind === 'variant' ? Object.entries(of.shape.of) : [[key.toLowerCase(), of]];
  return kinds.flatMap(([name, kind]) => [
    ...(of.shape.kind === 'variant' ? remark(kind.summary, indent) : []),
    `${indent}#${name}:`,
    ...(of.shape.kind === 'variant' ? [`${indent}#  type: ${name}`] : []),
    ...exampleLines(kind, `${indent}#  `).filter((line) => line !== ''),
  ]);
}

function isTopic({ shape }: Setting): boolean {
  return shape.kind === 'group' || shape.kind === 'variant' || (shape.kind === 'map' && isTopic(shape.of));
}

function isEmpty(value: Written): boolean {
  return Array.isArray(value) ? value.length === 0 : isTree(value) && Object.keys(value).length === 0;
}

function remark(text: string, indent: string): string[] {
  if (text === '') return [];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + 3 + line.length + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((one) => `${indent}# ${one}`);
}

/** A value on one line. */
function yaml(value: Written): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}
