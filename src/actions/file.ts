import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Block } from '../core/block.ts';
import { reasonOf } from '../core/errors.ts';
import { choice, group, list, text, type ValueOf } from '../core/settings.ts';
import type { Action, ActionContext, ActionDefinition } from './action.ts';
import { LIST_FORMATS } from './formats.ts';

const COMMAND_MS = 10_000;

const settings = group('A list in a file that another program reads.', {
  path: text('The file; it is replaced as a whole.', { required: true, example: '/var/lib/nametap/blocked.rpz' }),
  format: choice(
    `What it is: ${LIST_FORMATS.map(({ name, summary }) => `${name} = ${summary}`).join('; ')}.`,
    LIST_FORMATS.map(({ name }) => name),
    { default: 'rpz' },
  ),
  zone: text('rpz: name of the zone.', { default: 'rpz.nametap' }),
  reload: list('A command that makes the program read it again, word by word; no shell.', text('A word.'), {
    example: ['unbound-control', 'auth_zone_reload', 'rpz.nametap'],
  }),
});
type Settings = ValueOf<typeof settings>;

/** A list of what is blocked, for programs that read files. */
export const fileAction: ActionDefinition<Settings> = {
  settings,
  open: (options, context) => new FileAction(options, context),
};

const run = promisify(execFile);

class FileAction implements Action {
  readonly kinds;
  readonly #options: Settings;
  readonly #context: ActionContext;
  readonly #format;
  #serial = 0;
  #written: string | undefined;

  constructor(options: Settings, context: ActionContext) {
    const format = LIST_FORMATS.find(({ name }) => name === options.format) ?? LIST_FORMATS[0];
    this.#format = format;
    this.kinds = format.kinds;
    this.#options = options;
    this.#context = context;
  }

  async apply(blocks: readonly Block[]): Promise<void> {
    const { path, zone, reload } = this.#options;
    const content = (serial: number) => this.#format.text(blocks, { zone, serial });
    const plain = content(0);
    if (plain === this.#written) return;
    this.#serial = Math.max(this.#serial + 1, Math.floor(this.#context.now() / 1000));
    await replaceFile(path, content(this.#serial));
    if (reload.length > 0) {
      await tell(reload);
    }
    this.#written = plain;
  }

  async close(): Promise<void> {}
}

/** Runs a command. Rejects with the first line of what it says. */
async function tell([command, ...words]: readonly string[]): Promise<void> {
  try {
    await run(command, words, { timeout: COMMAND_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 20 });
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const [said] = stderr.trim() === '' ? [reasonOf(error)] : stderr.trim().split('\n');
    throw new Error(`${command} failed: ${said.slice(0, 300)}`, { cause: error });
  }
}

/** The whole new text or the whole old one: whoever reads never sees half of it. */
async function replaceFile(path: string, content: string): Promise<void> {
  // Beside it, so that the rename stays on one file system; hidden from programs that read all of a folder.
  const next = join(dirname(path), `.nametap-${randomUUID()}`);
  try {
    const file = await open(next, 'wx', 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw new Error(`${path} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}
