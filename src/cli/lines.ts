import type { Input } from '../app/input.ts';
import type { ShowPlan, ShowResult } from '../app/show.ts';
import type { OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import {
  decodeAs,
  linksPaths,
  listOption,
  matchOption,
  resolversOption,
  terminalWidth,
  textOption,
  useColor,
  wholeNumber,
} from './options.ts';
import { remark, remarkDamage } from './remarks.ts';

/** What `read` and `watch` have in common: the plan of a run whose lines are shown or whose frames are written. */
export function linesPlan(input: Input, options: OptionValues): ShowPlan {
  const fields = listOption(options, 'field');
  const given = textOption(options, 'format');
  // Naming fields is asking for them.
  const format = given ?? (fields.length > 0 ? 'fields' : 'text');
  if (format === 'fields' && fields.length === 0) {
    throw new UserError('-T fields wants at least one -e FIELD. nametap fields lists them.');
  }
  if (format !== 'fields' && fields.length > 0)
    throw new UserError(`-e is for -T fields; -T ${format} prints all it has.`);
  const path = textOption(options, 'write');
  if (path !== undefined && input.kind === 'dnstap') {
    throw new UserError('dnstap brings messages without frames, and -w writes frames. Leave -w out.');
  }
  // As with tshark: whoever writes frames wants lines only when asking for them.
  const silent = options.quiet === true || (path !== undefined && given === undefined && fields.length === 0);
  return {
    input,
    filter: textOption(options, 'filter'),
    compat: textOption(options, 'filter-compat') as ShowPlan['compat'],
    dissect: { heuristic: input.kind !== 'live', ...decodeAs(options) },
    match: matchOption(options),
    threads: 0,
    format: silent ? undefined : format,
    // Paths are of transactions.
    unit: (textOption(options, 'unit') ??
      (options.paths === true && format === 'text' ? 'transaction' : undefined)) as ShowPlan['unit'],
    fields,
    fieldsFormat: fieldsFormat(listOption(options, 'fields-option')),
    offsets: options.offsets === true,
    // With a vantage, resolvers tell the legs; else they are for paths.
    paths: linksPaths(options),
    resolvers: resolversOption(options),
    color: useColor(options),
    width: terminalWidth(),
    sensor: textOption(options, 'sensor'),
    count: wholeNumber(options, 'count', undefined),
    write:
      path === undefined
        ? undefined
        : { path, format: textOption(options, 'file-format') as 'pcap' | 'pcapng', rotation: rotationWords(options) },
  };
}

const ROTATIONS = {
  'rotate-size': 'filesize',
  'rotate-seconds': 'duration',
  'rotate-packets': 'packets',
  'rotate-files': 'files',
};

/** `-b` and the long options that say the same. */
function rotationWords(options: OptionValues): string[] {
  const words = listOption(options, 'rotate');
  for (const [name, key] of Object.entries(ROTATIONS)) {
    const value = textOption(options, name);
    if (value !== undefined) words.push(`${key}:${value}`);
  }
  return words;
}

const CHARACTERS: Record<string, string> = { '/t': '\t', '/s': ' ' };

/** The words of `-E`, as tshark takes them. Throws UserError. */
function fieldsFormat(words: readonly string[]): ShowPlan['fieldsFormat'] {
  const format = {
    header: false,
    separator: '\t',
    aggregator: ',',
    occurrence: 'a' as 'f' | 'l' | 'a',
    quote: 'n' as 'd' | 's' | 'n',
    escape: true,
    bom: false,
  };
  for (const word of words) {
    const [, key, value = ''] = /^([a-z]+)=(.+)$/s.exec(word) ?? [];
    if ((key === 'header' || key === 'escape' || key === 'bom') && /^[yn]$/.test(value)) format[key] = value === 'y';
    else if (
      (key === 'separator' || key === 'aggregator') &&
      (Object.hasOwn(CHARACTERS, value) || /^.$/su.test(value))
    ) {
      format[key] = CHARACTERS[value] ?? value;
    } else if (key === 'occurrence' && /^[fla]$/.test(value)) format.occurrence = value as 'f';
    else if (key === 'quote' && /^[dsn]$/.test(value)) format.quote = value as 'd';
    else {
      throw new UserError(
        `-E ${plainText(word)} is not understood. It takes header=y|n, separator=/t|/s|C, aggregator=/s|C, ` +
          'occurrence=f|l|a, quote=d|s|n, escape=y|n and bom=y|n.',
      );
    }
  }
  return format;
}

/** Remarks at the end of a run, and its exit code. */
export function concludeLines(result: ShowResult): number {
  const { damage, notWritten, hints } = result;
  for (const hint of hints) remark(hint);
  if (notWritten > 0)
    remark(`${notWritten} frames of fragmented messages could not be kept until their filter was known`);
  remarkDamage(result, 'what came before was read');
  return damage.length > 0 ? EXIT.cut : EXIT.ok;
}
