import { isIP } from 'node:net';
import { aliasSentence, followAliases } from '../client/alias.ts';
import { askWords, type AskContext, candidates, exchangeOptions, roomExceeded, serversOf } from '../client/ask.ts';
import { Connections } from '../client/connections.ts';
import { CookieJar } from '../client/cookies.ts';
import type { Exchange } from '../client/exchange.ts';
import { LinesError, linesOf } from '../client/lines.ts';
import { tellServing } from '../client/own-register.ts';
import type { Question } from '../client/question.ts';
import { checkRewriting } from '../client/rewriting.ts';
import { isRecursionMissing } from '../client/show/dig.ts';
import { OUTPUTS } from '../client/show/index.ts';
import { transferWords } from '../client/show/transfer.ts';
import { parseTsigKey } from '../client/tsig.ts';
import { warmUp } from '../client/warm-up.ts';
import { PLUS_OPTIONS } from '../client/words-plus.ts';
import { type GivenWords, type OutputName, type QueryWords, readWords } from '../client/words.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { print } from './history.ts';
import { COLOR, textOption, useColor } from './options.ts';
import { remark } from './remarks.ts';
import { version } from './version.ts';

/** dig's exit codes, beside ours: its file of names cannot be read; nobody answered. */
const DIG_EXIT = { file: 8, noAnswer: 9 } as const;

/** `nametap query`: the DNS client, in dig's words. */
export const query: CommandDefinition = {
  name: 'query',
  summary: "ask DNS servers, in dig's words: over UDP, TCP, TLS or HTTPS",
  arguments: {
    name: 'WORD…',
    summary: '[@SERVER] NAME [TYPE] [+OPTION…] in any order; SERVER may be tls://HOST or https://HOST/PATH',
    many: true,
  },
  options: [
    { name: 'reverse', letter: 'x', value: 'ADDRESS', summary: 'the name of an address', many: true },
    { name: 'port', letter: 'p', value: 'N', summary: 'port of the servers' },
    { name: 'ipv4', letter: '4', summary: 'only over IPv4' },
    { name: 'ipv6', letter: '6', summary: 'only over IPv6' },
    {
      name: 'file',
      letter: 'f',
      value: 'FILE',
      summary: 'words of further questions, a line each; - is standard input',
    },
    { name: 'bind', letter: 'b', value: 'ADDRESS', summary: 'address to ask from; ADDRESS#PORT fixes the port' },
    { name: 'key', letter: 'y', value: 'KEY', summary: 'sign with [ALGORITHM:]NAME:SECRET (TSIG)' },
    { name: 'name', letter: 'q', value: 'NAME', summary: 'a name that looks like a type or an option', many: true },
    { name: 'type', letter: 't', value: 'TYPE', summary: 'a type that looks like a name', many: true },
    { name: 'class', letter: 'c', value: 'CLASS', summary: 'class; IN unless told' },
    {
      name: 'format',
      letter: 'T',
      value: 'FORMAT',
      summary: Object.entries(OUTPUTS)
        .map(([name, { summary }]) => `${name}: ${summary}`)
        .join('; '),
      choices: Object.keys(OUTPUTS),
      default: 'pretty',
    },
    COLOR,
  ],
  examples: [
    'nametap query www.example.com  # the address, from the resolver of this machine',
    'nametap query @8.8.8.8 www.example.com A +recurse  # from a server of your choice',
    'nametap query @tls://dns.quad9.net example.com AAAA +dnssec  # over TLS, with signatures',
    'nametap query -x 192.0.2.7 +short  # the name of an address',
    `nametap query example.com MX -T json  # other outputs: ${Object.keys(OUTPUTS).join(', ')}`,
    'nametap query example.com +subnet=192.0.2.0/24 +nsid  # as for a client there, and which server answered',
    'nametap query +help  # every +option',
  ],
  run,
};

async function run(args: string[], options: OptionValues): Promise<number> {
  if (args.includes('+help')) {
    print(plusHelp());
    return EXIT.ok;
  }
  tellServing();
  const file = textOption(options, 'file');
  const asksItself =
    args.some((word) => !/^[@+]/.test(word)) || options.reverse !== undefined || options.name !== undefined;
  const key = textOption(options, 'key');
  const context: AskContext = {
    connections: new Connections(),
    cookies: new CookieJar(),
    source: sourceOption(textOption(options, 'bind')),
    tsig: key === undefined ? undefined : parseTsigKey(key),
  };
  let exit: number = EXIT.ok;
  try {
    if (file === undefined || asksItself) {
      const words = readWords(args, given(options, true));
      common(words, options);
      exit = await ask(words, args, options, context);
    }
    if (file !== undefined) exit = Math.max(exit, await askFile(file, args, options, context));
  } finally {
    context.connections.close();
  }
  return exit;
}

/** The lines of a file, each asked as it comes; what stands on the command's line as `@` and `+` words holds for them, too. */
async function askFile(file: string, args: string[], options: OptionValues, context: AskContext): Promise<number> {
  const shared = args.filter((word) => /^[@+]/.test(word));
  let exit: number = EXIT.ok;
  try {
    for await (const { line } of linesOf(file)) {
      const own = line.trim();
      if (own === '' || /^[#;]/.test(own)) continue;
      const spelled = own.split(/\s+/);
      const words = readWords([...shared, ...spelled], given(options, false));
      common(words, options);
      exit = Math.max(exit, await ask(words, [...args, ...spelled], options, context));
    }
  } catch (error) {
    if (!(error instanceof LinesError)) throw error;
    remark(error.message);
    return DIG_EXIT.file;
  }
  return exit;
}

function given(options: OptionValues, isFirst: boolean): GivenWords {
  const list = (name: string) => (options[name] as string[] | undefined) ?? [];
  return {
    names: isFirst ? list('name') : [],
    types: isFirst ? list('type') : [],
    reverse: isFirst ? list('reverse') : [],
    class: textOption(options, 'class'),
  };
}

function common(words: QueryWords, options: OptionValues): void {
  const port = textOption(options, 'port');
  if (port !== undefined) {
    const n = Number(port);
    if (!Number.isInteger(n) || n < 1 || n > 65_535) throw new UserError(`-p wants a port, not "${plainText(port)}".`);
    words.port = n;
  }
  if (options.ipv4 === true && options.ipv6 === true) throw new UserError('-4 and -6 leave nothing. Give one of them.');
  if (options.ipv4 === true) words.family = 4;
  if (options.ipv6 === true) words.family = 6;
}

async function ask(
  words: QueryWords,
  spelled: readonly string[],
  options: OptionValues,
  context: AskContext,
): Promise<number> {
  const format = words.output ?? ((textOption(options, 'format') ?? 'pretty') as OutputName);
  const look = { color: useColor(options), parts: words.show, words: spelled, version: version() };
  if (words.trace) return traced(words, options);
  const [servers] = await Promise.all([serversOf(words), warm()]);
  let exit: number = EXIT.ok;
  for (const question of words.questions) {
    if (question.type === 'AXFR' || question.type === 'IXFR') {
      exit = Math.max(exit, await transferWords(words, question, servers, { ...context, print, remark }));
      continue;
    }
    const result = await first(words, question, servers, context);
    print(OUTPUTS[format].show(result, look));
    if (result.response !== null) remarkAliases(question, result.response);
    const room = roomExceeded(result);
    if (room !== null)
      remark(`the answer has ${result.bytes?.length} bytes, more than the ${room} that were asked for`);
    if (words.checkRewriting && result.response !== null) {
      const how = { ...exchangeOptions(words, context), server: result.server };
      remark((await checkRewriting(how)).sentence);
    }
    if (result.response === null) {
      exit = DIG_EXIT.noAnswer;
      if (format !== 'pretty' && format !== 'dig') remark(plainText(result.sentence));
    } else if (isRecursionMissing(result)) {
      if (format !== 'dig')
        remark('the server does not do recursion, which was asked for: this may be all that it knows itself');
      remark(`follow the delegations from the root with: nametap trace ${plainText(question.name)} ${question.type}`);
    }
  }
  return exit;
}

let warmed: Promise<void> | undefined;
const warm = (): Promise<void> => (warmed ??= warmUp());

/** Every `+option`, a line each. */
function plusHelp(): string {
  const rows = PLUS_OPTIONS.map(({ name, value, summary }) => {
    const given = value === undefined ? '' : value.startsWith('[') ? `[=${value.slice(1)}` : `=${value}`;
    return [`+${value === undefined ? '[no]' : ''}${name}${given}`, summary];
  });
  const width = Math.max(...rows.map(([word]) => word.length));
  return rows.map(([word, summary]) => `${word.padEnd(width)}  ${summary}\n`).join('');
}

/** Aliases that lead nowhere are told. */
function remarkAliases({ name, type }: Question, response: NonNullable<Exchange['response']>): void {
  const chain = followAliases(name, type, response);
  if (chain.problem !== null) remark(plainText(aliasSentence(chain)));
}

/** `+trace` and `+nssearch`: the command that follows the delegations. */
async function traced(words: QueryWords, options: OptionValues): Promise<number> {
  const { trace } = await import('./trace.ts');
  if (words.servers.length > 0)
    remark('a trace begins at the root; another root is named by nametap trace --root ADDRESS');
  const defaults = trace.options.map(({ name, default: otherwise }) => [name, otherwise] as const);
  const given: Record<string, string | boolean | undefined> = {
    ...Object.fromEntries(defaults),
    all: words.allServers,
    ipv4: options.ipv4 === true,
    ipv6: options.ipv6 === true,
    color: textOption(options, 'color'),
    ...(words.port !== undefined && { port: String(words.port) }),
    ...(words.timeoutMs !== undefined && { timeout: String(words.timeoutMs / 1000) }),
    ...((words.output === 'json' || options.format === 'json') && { format: 'json' }),
  };
  let exit = 0;
  for (const { name, type } of words.questions) exit = Math.max(exit, await trace.run([name, type], given));
  return exit;
}

/** The first name of the search list that exists. */
async function first(
  words: QueryWords,
  question: Question,
  servers: Awaited<ReturnType<typeof serversOf>>,
  context: AskContext,
): Promise<Exchange> {
  const names = candidates(question, words.useSearch);
  for (const [i, one] of names.entries()) {
    const result = await askWords(words, one, servers, context);
    if (i === names.length - 1 || result.response?.rcode !== 'NXDOMAIN') return result;
  }
  throw new UserError('There is no name to ask for.');
}

function sourceOption(text: string | undefined): AskContext['source'] {
  if (text === undefined) return undefined;
  const [, address = '', port] = /^([^#]+)(?:#(\d{1,5}))?$/.exec(text) ?? [];
  if (isIP(address) === 0 || Number(port ?? 0) > 65_535)
    throw new UserError(`-b wants an address of this machine, or ADDRESS#PORT, not "${plainText(text)}".`);
  return { address, ...(port !== undefined && { port: Number(port) }) };
}
