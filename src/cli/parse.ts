import { parseArgs } from 'node:util';
import type { CommandDefinition, OptionDefinition, OptionValues } from '../core/definition.ts';
import { UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { nearest } from './suggest.ts';

export interface ParsedWords {
  args: string[];
  options: OptionValues;
  /** `--help` or `-h` was among the words: nothing else is checked. */
  wantsHelp: boolean;
}

/**
 * The words behind a command's name, by its definition: `-c10`, `-c 10`, `--count=10`, `-qn`, `--` and `-` as usual; a
 * value may begin with a dash. Throws UserError for what the command does not know.
 */
export function parseWords(command: CommandDefinition, words: readonly string[]): ParsedWords {
  const byName = new Map(command.options.map((option) => [option.name, option]));
  const help = { type: 'boolean' as const, ...(hasLetter(command, 'h') ? {} : { short: 'h' }) };
  const { tokens } = parseArgs({
    args: [...words],
    options: {
      ...Object.fromEntries(
        command.options.map(({ name, letter, value }) => {
          const type = value === undefined ? ('boolean' as const) : ('string' as const);
          return [name, letter === undefined ? { type } : { type, short: letter }];
        }),
      ),
      help,
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) {
    return { args: [], options: {}, wantsHelp: true };
  }
  const args: string[] = [];
  const options: Record<string, string | string[] | boolean> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') args.push(token.value);
    if (token.kind !== 'option') continue;
    const option = byName.get(token.name);
    if (option === undefined) throw unknownOption(command, token.rawName, token.name);
    take(options, option, token.rawName, token.value);
  }
  for (const { name, value, default: otherwise } of command.options) {
    if (value !== undefined && otherwise !== undefined) options[name] ??= otherwise;
  }
  checkArguments(command, args);
  return { args, options, wantsHelp: false };
}

function hasLetter(command: CommandDefinition, letter: string): boolean {
  return command.options.some((option) => option.letter === letter);
}

function take(
  options: Record<string, string | string[] | boolean>,
  option: OptionDefinition,
  spelled: string,
  value: string | undefined,
): void {
  const { name, choices, many } = option;
  if (option.value === undefined) {
    if (value !== undefined) throw new UserError(`${spelled} takes no value. Leave "=${plainText(value)}" out.`);
    options[name] = true;
    return;
  }
  if (value === undefined) throw new UserError(`${spelled} wants ${option.value}: ${option.summary}.`);
  if (choices !== undefined && !choices.includes(value)) {
    const meant = nearest(value, choices);
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    throw new UserError(
      `${spelled} has no ${option.value} "${plainText(value)}".${hint} It takes ${choices.join(', ')}.`,
    );
  }
  if (many !== true) options[name] = value;
  else options[name] = [...((options[name] as string[] | undefined) ?? []), value];
}

function unknownOption(command: CommandDefinition, spelled: string, name: string): UserError {
  const meant = spelled.startsWith('--')
    ? nearest(
        name,
        command.options.map((option) => option.name),
      )
    : undefined;
  const hint = meant === undefined ? '' : ` Did you mean --${meant}?`;
  return new UserError(
    `${command.name} has no option ${plainText(spelled)}.${hint} See nametap ${command.name} --help.`,
  );
}

function checkArguments(command: CommandDefinition, args: readonly string[]): void {
  const words = command.arguments;
  if (args.length > (words === undefined ? 0 : words.many === true ? Number.POSITIVE_INFINITY : 1)) {
    const extra = plainText(args[words === undefined ? 0 : 1]);
    throw new UserError(
      `${command.name} does not know what to do with "${extra}". See nametap ${command.name} --help.`,
    );
  }
}
