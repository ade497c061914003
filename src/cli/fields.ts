import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { storageOf } from '../filter/columns.ts';
import type { FilterField } from '../filter/fields/field.ts';
import { FIELDS, nearestField } from '../filter/fields/registry.ts';
import { UNOFFERED, whyUnoffered } from '../filter/fields/unoffered.ts';

const FORMATS = ['text', 'json', 'tsv', 'wireshark'] as const;

/** `nametap fields`: what filters and `-e` can name. */
export const fields: CommandDefinition = {
  name: 'fields',
  summary: 'the fields of display filters and of -e: name, type, meaning',
  arguments: {
    name: 'WORD',
    summary: 'only fields with all these words in name, meaning or group',
    many: true,
    optional: true,
  },
  options: [
    { name: 'format', letter: 'T', value: 'FORMAT', summary: 'how to list them', default: 'text', choices: FORMATS },
    { name: 'values', summary: 'also list the names of their values (text)' },
  ],
  examples: [
    'nametap fields  # all of them',
    'nametap fields mx  # what there is about mail exchangers',
    'nametap fields -T json | jq -r ".[] | select(.folds_case) | .name"  # domain names',
  ],
  run: (args, options) => Promise.resolve(runCommand(args, options)),
};

function runCommand(words: string[], options: OptionValues): number {
  const found = FIELDS.filter((field) => hasWords(field, words));
  const missing = UNOFFERED.filter(([name]) => words.every((word) => name.includes(word.toLowerCase())));
  if (found.length === 0) {
    const why = whyUnoffered(words.join('.'));
    if (why !== undefined) throw new UserError(`${why}.`);
    const near = nearestField(words.join('.'));
    throw new UserError(
      `No field has '${words.join(' ')}' in it.${near === undefined ? '' : ` Did you mean ${near}?`}`,
    );
  }
  const format = String(options.format ?? 'text');
  process.stdout.write(listFields(found, format, options.values === true));
  if (format === 'text') process.stdout.write(countLines(found.length, missing));
  return EXIT.ok;
}

/** How many fields there are, and those of Wireshark's that there are not. */
function countLines(count: number, missing: typeof UNOFFERED): string {
  const total = `\n${count} fields\n`;
  if (missing.length === 0) return total;
  const width = Math.max(...missing.map(([name]) => name.length)) + 1;
  const rows = missing.map(([name, why]) => `  ${`${name}${name.endsWith('.') ? '*' : ''}`.padEnd(width)}  ${why}\n`);
  return `${total}\nWireshark fields that are not offered\n${rows.join('')}`;
}

function hasWords(field: FilterField, words: readonly string[]): boolean {
  const text = `${field.name} ${field.title} ${field.group}`.toLowerCase();
  return words.every((word) => text.includes(word.toLowerCase()));
}

/** The list as text. `values`: with the names of enumerated values. */
export function listFields(found: readonly FilterField[], format: string, values = false): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(found.map(plainField), null, 2)}\n`;
    case 'tsv':
      return lines([
        ['name', 'type', 'group', 'folds_case', 'in_store', 'title'],
        ...found.map((f) => [f.name, f.type, f.group, bit(f.folds), storageOf(f), f.title]),
      ]);
    case 'wireshark':
      return lines(found.map(glossaryLine));
    default:
      return textList(found, values);
  }
}

function plainField(field: FilterField): object {
  const { name, type, title, group, folds, fate } = field;
  const inStore = storageOf(field);
  return { name, type, title, group, folds_case: folds, in_store: inStore, ...(fate && { known_when_closed: true }) };
}

function bit(flag: boolean): string {
  return flag ? '1' : '0';
}

function lines(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.join('\t')}\n`).join('');
}

/** One line as `tshark -G fields` writes it: kind, title, name, type, parent protocol, base, mask, blurb. */
function glossaryLine({ name, title, type, hex }: FilterField): readonly string[] {
  if (type === 'FT_PROTOCOL') return ['P', title, name];
  const base = type.startsWith('FT_UINT') || type === 'FT_INT32' ? (hex === true ? 'BASE_HEX' : 'BASE_DEC') : '';
  return ['F', title, name, type, name.split('.')[0], base, '0x0', ''];
}

/** Groups in order of the registry, columns aligned; marks behind the name say what is special. */
function textList(found: readonly FilterField[], values: boolean): string {
  const width = Math.max(...found.map(({ name }) => name.length));
  const kinds = Math.max(...found.map(({ type }) => type.length));
  const groups = Map.groupBy(found, ({ group }) => group);
  let text = '';
  for (const [group, members] of groups) {
    text += `${text === '' ? '' : '\n'}${group}\n`;
    for (const field of members) {
      const { name, type, title } = field;
      text += `  ${name.padEnd(width)}  ${type.padEnd(kinds)}  ${marks(field)}  ${title}\n`;
      if (values) text += valueLines(field);
    }
  }
  return `${text}\nA folds letter case  S in a column of the store  M in its messages (slower)\nC known when the transaction is closed\n`;
}

const STORED = { column: 'S', message: 'M', none: '-' } as const;

function marks(field: FilterField): string {
  return `${field.folds ? 'A' : '-'}${STORED[storageOf(field)]}${field.fate ? 'C' : '-'}`;
}

function valueLines({ names }: FilterField): string {
  return (names?.entries ?? []).map(([number, name]) => `      ${number} ${name}\n`).join('');
}
