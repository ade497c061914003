import type { CommandDefinition } from '../core/definition.ts';
import { commandUsage, EXIT_MEANINGS, optionMeaning, optionUsage } from './manual.ts';

/** Column in which an option's meaning begins. */
const MEANING_AT = 30;

/** What `nametap --help` prints. `width` = columns of the terminal. */
export function generalHelp(commands: readonly CommandDefinition[], version: string, width: number): string {
  const widest = Math.max(...commands.map(({ name }) => name.length));
  const lines = [
    `nametap ${version}: DNS traffic, captured, joined and explained`,
    '',
    'usage: nametap COMMAND [options] [arguments]',
    '',
    ...commands.flatMap(({ name, summary }) => hanging(`  ${name.padEnd(widest)}  `, summary, width)),
    '',
    'Try first',
    ...remarks(
      [
        'nametap watch  # live transactions on all interfaces',
        'nametap read capture.pcapng  # one line per message',
        'nametap report capture.pcapng  # what is in it',
      ],
      width,
    ),
    '',
    'nametap COMMAND --help tells more; nametap man | man -l - tells all.',
  ];
  return `${lines.join('\n')}\n`;
}

/** What `nametap COMMAND --help` prints. */
export function commandHelp(command: CommandDefinition, width: number): string {
  const { summary, arguments: words, options, examples = [] } = command;
  const lines = [
    `usage: nametap ${commandUsage(command)}`,
    '',
    ...hanging('', `${summary[0].toUpperCase()}${summary.slice(1)}.`, width),
  ];
  if (words !== undefined) lines.push('', ...hanging(`  ${words.name}`.padEnd(MEANING_AT), words.summary, width));
  if (options.length > 0) lines.push('', 'Options');
  for (const option of options) {
    const usage = `  ${option.letter === undefined ? '    ' : ''}${optionUsage(option)}`;
    lines.push(...hanging(usage.padEnd(MEANING_AT), optionMeaning(option), width));
  }
  lines.push(...hanging('  -h, --help'.padEnd(MEANING_AT), 'show this', width));
  if (examples.length > 0) lines.push('', 'Examples', ...remarks(examples, width));
  lines.push(
    '',
    'Exit codes',
    ...EXIT_MEANINGS.flatMap(([code, meaning]) => hanging(`  ${String(code).padEnd(4)}`, meaning, width)),
  );
  return `${lines.join('\n')}\n`;
}

/** Examples with their remarks beside them, or above where the lines are not wide enough for all. */
function remarks(examples: readonly string[], width: number): string[] {
  const parts = examples.map((example) => example.split(/ {2}# /, 2));
  const widest = Math.max(...parts.map(([line]) => line.length));
  const fits = parts.every(([, remark = '']) => widest + remark.length + 6 <= width);
  return parts.flatMap(([line, remark]) => {
    if (remark === undefined) return [`  ${line}`];
    return fits ? [`  ${line.padEnd(widest)}  # ${remark}`] : [`  # ${remark}`, `  ${line}`];
  });
}

/** Text behind a head, wrapped, with the following lines under its first word. */
export function hanging(head: string, text: string, width: number): string[] {
  const indent = ' '.repeat(Math.min(head.length, MEANING_AT));
  const room = Math.max(20, width - indent.length);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  lines.push(line);
  // A head that is too long has a line of its own.
  if (head.length > MEANING_AT) return [head.trimEnd(), ...lines.map((one) => indent + one)];
  return lines.map((one, i) => (i === 0 ? head : indent) + one);
}
