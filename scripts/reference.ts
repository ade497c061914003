/** Writes docs/reference/ from the definitions in the source: npm run docs. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONFIG_KEYS, valueName } from '../src/app/config-options.ts';
import { configSchema } from '../src/app/config-schema.ts';
import { reloads } from '../src/app/config-reload.ts';
import { SETTINGS } from '../src/app/settings.ts';
import { everyCommand } from '../src/cli/commands.ts';
import { commandUsage, EXIT_MEANINGS, optionMeaning, optionUsage } from '../src/cli/manual.ts';
import { PROTOCOL_NAMES } from '../src/core/carrier.ts';
import type { CommandDefinition } from '../src/core/definition.ts';
import { ANSWER_KINDS, LEGS, OUTCOMES, ROLES } from '../src/core/transactions.ts';
import { DETECTORS } from '../src/detect/index.ts';
import { settingsKey } from '../src/detect/settings.ts';
import { storageOf } from '../src/filter/columns.ts';
import { FIELDS } from '../src/filter/fields/registry.ts';
import { NBNS_RR_TYPES, RR_TYPES } from '../src/rr/index.ts';
import type { Setting } from '../src/core/settings.ts';
import { OUTPUTS } from '../src/sinks/index.ts';
import { unitsOf } from '../src/sinks/output.ts';
import { type Column, SCHEMA_VERSION, STORED_TABLES } from '../src/store/schema.ts';
import { OPTION_TYPES } from '../src/wire/edns.ts';
import type { FieldSpec } from '../src/wire/structure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every page by its file name. */
export async function referencePages(): Promise<Map<string, string>> {
  return new Map([
    ['commands.md', commandsPage(await everyCommand())],
    ['configuration.md', configurationPage()],
    ['nametap.schema.json', `${JSON.stringify(configSchema(), null, 2)}\n`],
    ['fields.md', fieldsPage()],
    ['formats.md', formatsPage()],
    ['records.md', recordsPage()],
    ['transaction.md', transactionPage()],
    ['ledger.md', ledgerPage()],
    ['store.md', storePage()],
    ['detectors.md', detectorsPage()],
    ['exit-codes.md', `# Exit codes\n\n${table(['code', 'meaning'], EXIT_MEANINGS)}`],
  ]);
}

function detectorsPage(): string {
  const sections = DETECTORS.map(({ id, title, summary, attack, vantages, needs, settings }) => {
    const keys = settings.shape.kind === 'group' ? Object.entries(settings.shape.keys) : [];
    const limits = keys.map(([key, setting]) => [
      code(`${settingsKey(id)}.${key}`),
      cell(setting.default === undefined ? '' : JSON.stringify(setting.default)),
      cell(setting.summary),
    ]);
    const facts = [
      attack.length === 0 ? '' : `ATT&CK: ${attack.join(', ')}.`,
      vantages === undefined ? '' : `Vantage: ${vantages.join(', ')}.`,
      needs === undefined ? '' : `Needs ${needs.join(' and ')} that privacy leaves whole.`,
    ].filter((fact) => fact !== '');
    const parts = [`## ${id}\n\n${title}. ${summary}\n`, facts.length === 0 ? '' : `${facts.join(' ')}\n`];
    if (limits.length > 0) parts.push(table(['key below `detect.detectors`', 'default', 'meaning'], limits));
    return parts.filter((part) => part !== '').join('\n');
  });
  return `# Detectors\n\nWhat \`serve\` and \`detect\` look for, with the limits that the configuration may change.\n\n${sections.join('\n')}`;
}

function storePage(): string {
  const columns = (list: readonly Column[]) =>
    table(
      ['column', 'type', 'what it holds'],
      list.map(({ name, type, title, nullable, since }) => [
        code(name),
        type,
        cell(
          `${title}${nullable === true ? '; NULL without' : ''}${since === undefined ? '' : `; since schema ${since}`}`,
        ),
      ]),
    );
  const sections = STORED_TABLES.map(({ name, title, columns: list }) => `## ${name}\n\n${title}\n\n${columns(list)}`);
  return `# The store\n\nTables of the embedded store (DuckDB), schema ${SCHEMA_VERSION}. Aged transactions are Parquet files with the same columns.\n\n${sections.join('\n')}`;
}

function commandsPage(commands: readonly CommandDefinition[]): string {
  return `# Commands\n\n${commands.map(commandSection).join('\n')}`;
}

function commandSection(command: CommandDefinition): string {
  const rows = command.options.map((option) => [code(optionUsage(option)), cell(optionMeaning(option))]);
  const examples = command.examples ?? [];
  const parts = [
    `## ${command.name}\n\n${sentence(command.summary)}\n`,
    fenced(`nametap ${commandUsage(command)}`),
    command.arguments === undefined ? '' : `${code(command.arguments.name)}: ${command.arguments.summary}\n`,
    rows.length === 0 ? '' : table(['option', 'meaning'], rows),
    examples.length === 0 ? '' : fenced(examples.join('\n')),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function configurationPage(): string {
  const groups = Map.groupBy(CONFIG_KEYS, ({ path }) => (path.length === 1 ? '' : path[0]));
  const sections = [...groups].map(([layer, keys]) => {
    const rows = keys.map(({ path, setting, option }) => [
      code(path.join('.')),
      cell(valueName(setting)),
      setting.default === undefined ? '' : code(JSON.stringify(setting.default).replace(/^"(.*)"$/, '$1')),
      cell(meaningOf(setting)),
      reloads(path) ? 'reload' : 'restart',
      code(`--${option}`),
    ]);
    const columns = ['key', 'value', 'default', 'meaning', 'changes with', 'option'];
    const title = layer === '' ? 'Top level' : layer;
    return `## ${title}\n\n${table(columns, rows)}`;
  });
  return `# Configuration

\`nametap.yaml\`, as \`nametap serve --config\` reads it. Every key is also an option of \`nametap serve\` (last column) and a variable
of the environment (\`NAMETAP_\` and the option in capitals with \`_\`); options are stronger than variables, variables than the
file. *Reload*: holds after \`SIGHUP\`. SIZE: \`64MiB\`, \`10GB\`; TIME: \`500ms\`, \`30s\`, \`7d\`; a secret may also be given as
\`{file: PATH}\`, or its file as the variable with \`_FILE\`.

${sections.join('\n')}
${mapSections(SETTINGS, [])}`;
}

/** What the entries of maps hold: they are no keys of their own. */
function mapSections(setting: Setting, path: readonly string[]): string {
  const { shape } = setting;
  if (shape.kind === 'group') {
    return Object.entries(shape.keys)
      .map(([key, inner]) => mapSections(inner, [...path, key]))
      .join('');
  }
  if (shape.kind !== 'map') return '';
  const { of } = shape;
  const kinds: [string, Setting][] = of.shape.kind === 'variant' ? Object.entries(of.shape.of) : [['', of]];
  return kinds
    .map(([type, kind]) => {
      if (kind.shape.kind !== 'group') return '';
      const rows = Object.entries(kind.shape.keys).flatMap(([key, inner]) => entryRows(inner, [key]));
      const title = `${path.join('.')}.${shape.key}${type === '' ? '' : `, type: ${type}`}`;
      return `\n## ${title}\n\n${kind.summary}\n\n${table(['key', 'value', 'default', 'meaning'], rows)}`;
    })
    .join('');
}

function entryRows(setting: Setting, path: readonly string[]): string[][] {
  const { shape } = setting;
  if (shape.kind === 'group') {
    return Object.entries(shape.keys).flatMap(([key, inner]) => entryRows(inner, [...path, key]));
  }
  const otherwise =
    setting.default === undefined ? '' : code(JSON.stringify(setting.default).replace(/^"(.*)"$/, '$1'));
  const isRequired = setting.required === true ? ' Required.' : '';
  return [[code(path.join('.')), cell(valueName(setting)), otherwise, cell(meaningOf(setting) + isRequired)]];
}

/** What a setting means, with the words it takes. */
function meaningOf({ summary, shape }: Setting): string {
  return shape.kind === 'text' && shape.choices !== undefined
    ? `${summary} One of ${shape.choices.join(', ')}.`
    : summary;
}

function fieldsPage(): string {
  const inStore = { column: '', message: 'in stored messages', none: 'not in a stored transaction' } as const;
  const rows = FIELDS.map((field) => {
    const { name, type, title, folds, fate } = field;
    const notes = [folds ? 'folds case' : '', inStore[storageOf(field)], fate ? 'when closed' : ''];
    return [code(name), type, cell(title), notes.filter((note) => note !== '').join(', ')];
  });
  return `# Filter fields

${FIELDS.length} fields, for \`-Y\` and \`-e\`. *Folds case*: letter case does not count in comparisons (RFC 4343). *When closed*: only
known once the transaction is closed; filters on it hold their messages until then. *In stored messages*: history answers
it by reading messages again, which takes longer than fields without that note, which have a column of their own.

${table(['field', 'type', 'meaning', 'notes'], rows)}`;
}

function formatsPage(): string {
  const rows = OUTPUTS.map((format) => [
    code(format.name),
    cell(format.summary),
    unitsOf(format).join(', '),
    format.unit,
  ]);
  return `# Output formats\n\n${table(['-T', 'what it is', 'units', 'unit without --unit'], rows)}`;
}

function recordsPage(): string {
  const types = RR_TYPES.map((one) => [one.type, one.name, cell(one.summary), one.reference, fieldList(one.fields)]);
  const netbios = NBNS_RR_TYPES.map((one) => [
    one.type,
    one.name,
    cell(one.summary),
    one.reference,
    fieldList(one.fields),
  ]);
  const options = OPTION_TYPES.map((one) => [
    one.code,
    one.name,
    cell(one.summary),
    one.reference,
    fieldList(one.fields),
  ]);
  const columns = ['number', 'name', 'meaning', 'reference', 'fields'];
  return `# Records and options

Types and options that are not listed are shown as \`\\# length hex\` (RFC 3597) and survive a round trip.

## RR types (${RR_TYPES.length})

${table(columns, types)}
## RR types on NetBIOS name service

${table(columns, netbios)}
## EDNS options (${OPTION_TYPES.length})

${table(columns, options)}`;
}

function fieldList(fields: readonly FieldSpec[]): string {
  return fields.map(({ name, kind }) => `${name}: ${kind}`).join(', ');
}

/** The keys of the native record, from the interface that declares it. */
function transactionPage(): string {
  const text = readFileSync(join(root, 'src/rr/transaction.ts'), 'utf8');
  const body = /export interface Transaction \{\n([\s\S]*?)\n\}/.exec(text)?.[1] ?? '';
  const rows: string[][] = [];
  let meaning = '';
  for (const line of body.split('\n')) {
    const remark = /^\s*\/\*\* (.*) \*\/$/.exec(line);
    const key = /^\s*(\w+)(\??): (.*);$/.exec(line);
    if (remark !== null) meaning = remark[1];
    else if (key !== null) {
      const type = key[3].replaceAll(/\(typeof (\w+)\)\[number\]/g, (_, list: string) => choices(list));
      rows.push([code(key[1]), code(type), key[2] === '?' ? '' : 'always', cell(meaning)]);
      meaning = '';
    }
  }
  return `# The native record\n\n${table(['key', 'type', 'present', 'meaning'], rows)}`;
}

const LISTS: Readonly<Record<string, readonly string[]>> = { ANSWER_KINDS, LEGS, OUTCOMES, PROTOCOL_NAMES, ROLES };

function choices(list: string): string {
  return LISTS[list].map((one) => `'${one}'`).join(' | ');
}

function ledgerPage(): string {
  const ledger = readFileSync(join(root, 'src/core/ledger.ts'), 'utf8');
  const faults = readFileSync(join(root, 'src/wire/fault.ts'), 'utf8');
  return `# Ledger causes and faults

Frames received are the sum of the frame fates, messages decoded the sum of the message outcomes.

## Frame fates

${table(['fate', 'meaning'], remarked(ledger, 'FRAME_FATES'))}
## Message outcomes

${table(['outcome', 'meaning'], remarked(ledger, 'MESSAGE_OUTCOMES'))}
## Faults

${table(['cause', 'meaning'], remarked(faults, 'FAULTS'))}`;
}

/** The entries of a list in the source, each with the remark behind it. */
function remarked(text: string, list: string): string[][] {
  const body = new RegExp(`export const ${list} = \\[\\n([\\s\\S]*?)\\n\\] as const`).exec(text)?.[1] ?? '';
  return Array.from(body.matchAll(/^\s*'(\w+)',(?: \/\/ (.*))?$/gm), ([, name, meaning = '']) => [
    code(name),
    cell(meaning),
  ]);
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function fenced(text: string): string {
  return `\`\`\`sh\n${text}\n\`\`\`\n`;
}

function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(root, 'docs', 'reference');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const pages = await referencePages();
  for (const [name, text] of pages) writeFileSync(join(folder, name), text);
  process.stdout.write(`docs/reference: ${pages.size} pages\n`);
}
