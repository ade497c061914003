import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { CONFIG_FILE } from '../app/config-options.ts';
import { plainText } from '../core/figures.ts';
import { textOption } from './options.ts';
import { remark } from './remarks.ts';
import { writeStdout } from './stdout.ts';
import { nearest } from './suggest.ts';

/** What `nametap config` does, by its first word. */
const ACTIONS: Record<string, (file: string | undefined) => Promise<number>> = {
  check,
  print,
  schema,
  example,
  password,
};

/** `nametap config`: everything about `nametap.yaml` besides serving by it. */
export const config: CommandDefinition = {
  name: 'config',
  summary: 'check, print and describe the configuration of nametap serve',
  arguments: {
    name: 'ACTION [FILE]',
    summary: `${Object.keys(ACTIONS).join(', ')}; FILE as with --config`,
    many: true,
  },
  options: [CONFIG_FILE],
  examples: [
    'nametap config check nametap.yaml  # what is wrong with it, with line and column',
    'nametap config print  # all that holds, and where each value was set',
    'nametap config example > nametap.yaml  # every key, explained',
    'nametap config schema > nametap.schema.json  # editors complete and check the file',
    'nametap config password < secret.txt  # what server.users wants',
  ],
  run: runCommand,
};

async function runCommand([action = '', file, ...more]: string[], options: OptionValues): Promise<number> {
  const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (run === undefined) {
    const meant = nearest(action, Object.keys(ACTIONS));
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    throw new UserError(`config does ${Object.keys(ACTIONS).join(', ')}, not "${plainText(action)}".${hint}`);
  }
  const named = textOption(options, CONFIG_FILE.name);
  if (more.length > 0 || (file !== undefined && named !== undefined)) {
    throw new UserError('config takes one file. Leave the others out.');
  }
  return run(file ?? named);
}

async function check(file: string | undefined): Promise<number> {
  const { loadConfig } = await import('../app/config.ts');
  const loaded = loadConfig({ file });
  for (const text of loaded.remarks) remark(text);
  const what = loaded.file === null ? 'No configuration file; the defaults are' : `${plainText(loaded.file)} is`;
  writeStdout(Buffer.from(`${what} sound.\n`));
  return EXIT.ok;
}

async function print(file: string | undefined): Promise<number> {
  const { loadConfig } = await import('../app/config.ts');
  const { configText } = await import('../app/config-text.ts');
  writeStdout(Buffer.from(configText(loadConfig({ file }))));
  return EXIT.ok;
}

async function schema(): Promise<number> {
  const { configSchema } = await import('../app/config-schema.ts');
  writeStdout(Buffer.from(`${JSON.stringify(configSchema(), null, 2)}\n`));
  return EXIT.ok;
}

async function example(): Promise<number> {
  const { exampleText } = await import('../app/config-text.ts');
  writeStdout(Buffer.from(exampleText()));
  return EXIT.ok;
}

/** Reads a password from standard input, so that it is in no history of commands. */
async function password(): Promise<number> {
  const { text } = await import('node:stream/consumers');
  const { keptPassword } = await import('../app/password.ts');
  if (process.stdin.isTTY) process.stderr.write('Password, then Enter and Ctrl-D: ');
  const typed = (await text(process.stdin)).replace(/\r?\n$/, '');
  writeStdout(Buffer.from(`${await keptPassword(typed)}\n`));
  return EXIT.ok;
}
