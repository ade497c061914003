import type { CommandDefinition, OptionDefinition } from '../core/definition.ts';
import { EXIT } from '../core/errors.ts';

/** The `man` command over a list of commands (which may hold it itself). */
export function manualCommand(
  commands: () => readonly CommandDefinition[] | Promise<readonly CommandDefinition[]>,
  version: string,
): CommandDefinition {
  return {
    name: 'man',
    summary: 'print the manual page',
    options: [],
    examples: ['nametap man | man -l -  # read it', 'nametap man > /usr/local/share/man/man1/nametap.1  # install it'],
    async run() {
      process.stdout.write(manualPage(await commands(), version));
      return EXIT.ok;
    },
  };
}

/** The manual page in roff (man macros), section 1. */
export function manualPage(commands: readonly CommandDefinition[], version: string): string {
  const lines = [
    `.TH NAMETAP 1 "" "nametap ${roff(version)}" "User commands"`,
    '.SH NAME',
    'nametap \\- capture, decode, join and report DNS traffic',
    '.SH SYNOPSIS',
    '.B nametap',
    '.I COMMAND',
    '[options] [arguments]',
    '.SH DESCRIPTION',
    'Frames go in, transactions come out: a query joined with its response, with every retransmission, truncation and',
    'TCP retry that belonged to it. It reads live interfaces and capture files, and accounts for every frame.',
    '.SH COMMANDS',
  ];
  for (const command of commands) lines.push(...commandSection(command));
  lines.push('.SH EXIT STATUS');
  for (const [code, meaning] of EXIT_MEANINGS) lines.push('.TP', `.B ${code}`, roff(meaning));
  lines.push('.SH ENVIRONMENT', '.TP', '.B NO_COLOR', 'No colours, whatever its value.');
  return `${lines.join('\n')}\n`;
}

/** What each exit code says, for the manual and the reference. */
export const EXIT_MEANINGS: readonly (readonly [number, string])[] = [
  [EXIT.ok, 'Everything was done.'],
  [EXIT.usage, 'The command line was wrong, or a check failed.'],
  [EXIT.interface, 'An interface could not be opened, or the command could not run.'],
  [EXIT.file, 'A file could not be read or written.'],
  [EXIT.filter, 'A filter was wrong; the message points at the place.'],
  [EXIT.cut, 'A capture was cut or corrupt; what came before the damage was processed.'],
];

/** How an option is written: `-i`, `--interface` and the name of its value. */
export function optionUsage({ name, letter, value }: OptionDefinition): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return letter === undefined ? long : `-${letter}, ${long}`;
}

/** `report [options] FILE…`: how a command is called. */
export function commandUsage({ name, arguments: words, options }: CommandDefinition): string {
  const parts = [name];
  if (options.length > 0) parts.push('[options]');
  if (words !== undefined) {
    const many = `${words.name}${words.many === true && !words.name.endsWith('…') ? '…' : ''}`;
    parts.push(words.optional === true ? `[${many}]` : many);
  }
  return parts.join(' ');
}

/** What an option does, with its choices and default. */
export function optionMeaning({ summary, choices, default: otherwise, many }: OptionDefinition): string {
  const notes: string[] = [];
  if (choices !== undefined) notes.push(`one of ${choices.join(', ')}`);
  if (otherwise !== undefined) notes.push(`default ${otherwise}`);
  if (many === true) notes.push('may be repeated');
  return notes.length === 0 ? summary : `${summary} (${notes.join('; ')})`;
}

function commandSection(command: CommandDefinition): string[] {
  const lines = [`.SS "nametap ${roff(commandUsage(command))}"`, roff(sentence(command.summary))];
  for (const option of command.options) {
    lines.push('.TP', `.B ${roff(optionUsage(option))}`, roff(sentence(optionMeaning(option))));
  }
  if (command.examples !== undefined && command.examples.length > 0) {
    lines.push('.PP', 'Examples:');
    for (const example of command.examples) {
      const [line, remark] = example.split(/ {2}# /, 2);
      lines.push('.TP', `.B ${roff(line)}`, roff(sentence(remark ?? '')));
    }
  }
  return lines;
}

function sentence(text: string): string {
  return text === '' ? '' : `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** Text as roff shows it: no escape, no request at the start of a line, hyphens that can be copied. */
function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replaceAll('`', '\\`');
  return /^[.]/.test(escaped) ? `\\&${escaped}` : escaped === '' ? '\\&' : escaped;
}
