import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import type { LoadedConfig } from '../app/config.ts';
import { CONFIG_FILE, configOptions } from '../app/config-options.ts';
import type { ServeHooks, Served, ServeResult } from '../app/serve-hooks.ts';
import type { CommandDefinition, OptionDefinition, OptionValues } from '../core/definition.ts';
import { EXIT } from '../core/errors.ts';
import { numberText, plainText } from '../core/figures.ts';
import { hanging } from './help.ts';
import { COLOR, listOption, terminalWidth, textOption, useColor } from './options.ts';
import { PRINT_CONFIG, printsConfig } from './print-config.ts';
import { countsText, remark, remarkDamage } from './remarks.ts';
import { Session } from './session.ts';
import { writeStdout } from './stdout.ts';
import { version } from './version.ts';

const WIDTH = 100;

/** Settings that are wanted often, under the names that other commands have for them. */
export const OFTEN = [
  {
    name: 'interface',
    letter: 'i',
    value: 'NAME',
    summary: 'interface to listen on; any = all of them (the default)',
    many: true,
  },
  { name: 'listen', value: 'HOST:PORT', summary: 'where the page is (default: 127.0.0.1:5390)' },
  { name: 'user', value: 'NAME', summary: 'user to become once capture has begun (default: SUDO_USER, else nobody)' },
] as const satisfies OptionDefinition[];
const MEANT: Readonly<Record<(typeof OFTEN)[number]['name'], string>> = {
  interface: 'capture-interfaces',
  listen: 'server-listen',
  user: 'capture-user',
};

/** Options as those of the configuration. */
export function configFlags(options: OptionValues): OptionValues {
  const flags: Record<string, OptionValues[string]> = { ...options };
  for (const [name, key] of Object.entries(MEANT)) flags[key] ??= options[name];
  return flags;
}

/** `nametap serve`: captures, remembers, and shows it. */
export const serve: CommandDefinition = {
  name: 'serve',
  summary: 'capture, keep the history, and show it: page, API, metrics',
  arguments: {
    name: 'FILE',
    summary: 'capture files, or one folder that is watched, instead of live traffic',
    many: true,
    optional: true,
  },
  options: [
    CONFIG_FILE,
    PRINT_CONFIG,
    ...OFTEN,
    ...configOptions().map(({ letter, ...option }) => (letter === 'i' ? option : { ...option, letter })),
    COLOR,
  ],
  examples: [
    'sudo nametap serve -i eth0  # live traffic of eth0, at http://127.0.0.1:5390',
    'nametap serve --demo on  # a replayed capture, to look around',
    'nametap serve office.pcapng  # a capture, read once and kept',
    'nametap serve --config nametap.yaml --print-config  # what holds, and why',
    'kill -HUP PID  # reads the configuration again, without losing a packet',
  ],
  run: async (args, options) => {
    const { loadConfig } = await import('../app/config.ts');
    const flags = { ...configFlags(options), ...(args.length > 0 && (await inputFlags(args, options))) };
    const load = () => loadConfig({ flags, file: textOption(options, CONFIG_FILE.name) });
    const loaded = load();
    for (const text of loaded.remarks) remark(plainText(text));
    if (await printsConfig(options, loaded)) return EXIT.ok;
    return runServe(loaded, load, options);
  },
};

/** Files and folders as words are the same as those of the configuration. */
export async function inputFlags(args: readonly string[], options: OptionValues): Promise<OptionValues> {
  const { inputOf } = await import('../app/input.ts');
  if (inputOf(args).kind === 'folder') return { 'capture-folder': args[0] };
  return { 'capture-files': [...listOption(options, 'capture-files'), ...args] };
}

/** Serves until a signal ends it; says where, and at the end what was kept. `load` reads the configuration again. */
export async function runServe(
  loaded: LoadedConfig,
  load: () => LoadedConfig,
  options: OptionValues,
  role?: 'ship',
): Promise<number> {
  const { serve } = await import('../app/serve.ts');
  const { observed } = await import('../app/observed.ts');
  const { openLog } = await import('../app/log.ts');
  const session = new Session();
  const { accountToBecome, startedBy } = await import('../app/input.ts');
  const log = openLog(loaded.config.log, version(), accountToBecome(loaded.config.capture.user));
  let address = '';
  try {
    const hooks: ServeHooks = {
      signal: session.signal,
      version: version(),
      log,
      ...(role !== undefined && { role }),
      command: [...startedBy().map((word) => resolve(word)), 'serve'],
      started: (served) => {
        const { url, source, user } = served;
        address = served.signIn;
        // Where nobody looks at the terminal, the log says it as all else.
        if (!isatty(1)) log.info({ url, source, ...(user !== undefined && { user }) }, 'nametap serves');
        say(startedText(served, loaded, useColor(options)));
      },
      inputEnded: (transactions, from, to) => say(readText(transactions, from, to, address)),
      counting: session.counting,
      reloading: (apply) => {
        const reopen = () => {
          log.reopen();
          try {
            const next = load();
            log.apply(next.config.log);
            apply(next);
          } catch (error) {
            const reason = error instanceof Error ? error.message : String(error);
            log.error({ reason }, 'The configuration was not read again: the one before holds on');
          }
        };
        session.writing({ reopen });
      },
    };
    const service = role === undefined ? 'nametap' : 'nametap-sensor';
    const result = await observed(loaded, service, hooks, (told) => serve(loaded, told));
    say(role === 'ship' ? shippedText(result) : endedText(result));
    remarkDamage(
      { damage: result.damage, unreadable: 0, interfaces: [], ledger: result.ledger },
      'what came before was kept',
    );
    return result.damage.length > 0 ? EXIT.cut : EXIT.ok;
  } finally {
    session.close();
    await log.close();
  }
}

function startedText(served: Served, { config }: LoadedConfig, color: boolean): string {
  const { url, signIn, source, demo, user } = served;
  // The journal of a system is read by others than this user: the token stays in its file.
  const inJournal = process.env.JOURNAL_STREAM !== undefined;
  const paint = (code: string, text: string) => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const rows: [string, string][] = [
    ['page', paint('4', inJournal ? url : signIn)],
    ['data', plainText(resolve(config.data))],
  ];
  if (inJournal) rows.push(['token', plainText(resolve(config.data, 'token'))]);
  if (config.privacy.level > 0) rows.push(['privacy', `level ${config.privacy.level}`]);
  if (user !== undefined) rows.push(['user', plainText(user)]);
  const width = terminalWidth() ?? WIDTH;
  const about =
    demo === null ? [] : [...hanging('', demo.banner, width), 'Your own traffic:', '', `  ${demo.command}`, ''];
  return [
    '',
    `${paint('1', 'nametap')}  ${plainText(source)}`,
    '',
    ...rows.map(([head, text]) => `  ${paint('36', head.padEnd(7))} ${text}`),
    '',
    ...about,
    paint('2', 'Ctrl-C ends it; what was captured is kept.'),
    '',
    '',
  ].join('\n');
}

/** Files were read: where their time is. */
function readText(transactions: number, from: number, to: number, address: string): string {
  if (transactions === 0) return 'The capture held no DNS transaction.\n\n';
  const url = new URL(process.env.JOURNAL_STREAM === undefined ? address : new URL(address).origin);
  url.searchParams.set('from', new Date(from * 1000).toISOString());
  url.searchParams.set('to', new Date((to + 1) * 1000).toISOString());
  return `${numberText(transactions)} transactions were read; their time:\n\n  ${url.href}\n\n`;
}

function shippedText({ received, sinks, ledger }: ServeResult): string {
  const to = sinks.map(({ name, written, dropped, refused, queue }) => {
    const lost = dropped + refused;
    const rest = [lost > 0 && `${numberText(lost)} lost`, queue > 0 && `${numberText(queue)} wait on disk`];
    return [`${name} took ${numberText(written)}`, ...rest.filter((text) => text !== false)].join(', ');
  });
  return `${numberText(received)} transactions; ${to.join('; ')}; ${countsText(ledger)}\n`;
}

function endedText({ stored, lost, ledger }: ServeResult): string {
  const gone = Object.values(lost).reduce((sum, rows) => sum + rows, 0);
  const notKept = gone === 0 ? '' : `, ${numberText(gone)} not kept`;
  return `${numberText(stored)} transactions kept${notKept}; ${countsText(ledger)}\n`;
}

/** For people: beside the log, where that is not for people. */
function say(text: string): void {
  if (isatty(1)) writeStdout(Buffer.from(text));
  else process.stderr.write(text);
}
