/** `nametap`: finds the command, runs it, and turns what goes wrong into a sentence and an exit code. */
import { existsSync } from 'node:fs';
import { EXIT, UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { COMMANDS, everyCommand } from './commands.ts';
import { isClosedPipe } from './stdout.ts';
import { version } from './version.ts';

process.on('uncaughtException', (error) => process.exit(tell(error)));
// Without a listener Node opens its inspector's port on this signal. Commands that count print their counts.
process.on('SIGUSR1', () => {});
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = tell(error);
}

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === '--version' || name === '-V') {
    process.stdout.write(`nametap ${version()}\n`);
    return EXIT.ok;
  }
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    const { generalHelp } = await import('./help.ts');
    process.stdout.write(generalHelp(await everyCommand(), version(), process.stdout.columns || 100));
    return EXIT.ok;
  }
  if (name === 'help') return main([...rest.slice(0, 1), '--help']);
  const entry = COMMANDS.find((one) => one.name === name);
  if (entry === undefined) throw await unknownCommand(name);
  const command = await entry.load();
  const { parseWords } = await import('./parse.ts');
  const { args, options, wantsHelp } = parseWords(command, rest);
  if (wantsHelp) {
    const { commandHelp } = await import('./help.ts');
    process.stdout.write(commandHelp(command, process.stdout.columns || 100));
    return EXIT.ok;
  }
  return command.run(args, options);
}

async function unknownCommand(name: string): Promise<UserError> {
  const { nearest } = await import('./suggest.ts');
  const shown = plainText(name);
  if (name.startsWith('-')) return new UserError(`The command comes first, options behind it. See nametap --help.`);
  if (existsSync(name)) {
    return new UserError(`${shown} is a file. Read it with nametap read ${shown}, or sum it up with nametap report.`);
  }
  const meant = nearest(
    name,
    COMMANDS.map((command) => command.name),
  );
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
  return new UserError(`There is no command "${shown}".${hint} See nametap --help.`);
}

/** Says what went wrong; gives the exit code. */
function tell(error: unknown): number {
  // Whoever read our output has seen enough.
  if (isClosedPipe(error)) return EXIT.ok;
  if (error instanceof UserError) {
    process.stderr.write(`nametap: ${plainLines(error.message)}\n`);
    return error.exit;
  }
  const what = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error && process.env.NAMETAP_DEBUG ? `${error.stack}\n` : '';
  const hint = stack === '' ? ' Run it again with NAMETAP_DEBUG=1 and report what it prints.' : '';
  process.stderr.write(`nametap: this is a defect in nametap: ${plainLines(what)}.${hint}\n${stack}`);
  return EXIT.interface;
}

/** Errors quote file names, filters and addresses as they were given: none of them may steer the terminal. */
function plainLines(text: string): string {
  return text.split('\n').map(plainText).join('\n');
}
