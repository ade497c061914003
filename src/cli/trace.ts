import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tellServing } from '../client/own-register.ts';
import { endText, stepText } from '../client/trace/draw.ts';
import { trace as traceName } from '../client/trace/trace.ts';
import type { TraceOptions } from '../client/trace/types.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import { jsonLine, plainText } from '../core/figures.ts';
import { print } from './history.ts';
import { Session } from './session.ts';
import { COLOR, textOption, useColor } from './options.ts';

/** Signatures do not hold. */
const BOGUS = 1;
/** Nobody gave an answer, as dig. */
const NO_ANSWER = 9;

/** `nametap trace`: from the root to the answer, every step told. */
export const trace: CommandDefinition = {
  name: 'trace',
  summary: 'follow a name from the root to its answer, with the chain of trust, every step told',
  arguments: { name: 'NAME [TYPE]', summary: 'name to look for, and its type (default A)', many: true },
  options: [
    { name: 'all', letter: 'a', summary: 'ask all servers of the zone, and say what differs' },
    { name: 'root', value: 'ADDRESS', summary: 'root server to begin with, instead of the root hints', many: true },
    {
      name: 'anchor',
      value: 'DS',
      summary: "trust anchor of that root: 'TAG ALGORITHM DIGESTTYPE DIGEST', or a file of them",
      many: true,
    },
    { name: 'port', letter: 'p', value: 'N', summary: 'port of all servers', default: '53' },
    { name: 'timeout', value: 'SECONDS', summary: 'of each of two tries', default: '2' },
    {
      name: 'no-minimise',
      summary: 'show every server the whole name (without, only as many labels as it needs: RFC 9156)',
    },
    { name: 'no-dnssec', summary: 'do not look at signatures' },
    { name: 'ipv4', letter: '4', summary: 'only over IPv4' },
    { name: 'ipv6', letter: '6', summary: 'only over IPv6' },
    { name: 'format', letter: 'T', value: 'FORMAT', summary: 'output', choices: ['tree', 'json'], default: 'tree' },
    COLOR,
  ],
  examples: [
    'nametap trace www.example.com',
    'nametap trace example.com MX --all  # do all of its servers say the same?',
    'nametap trace www.example.com -T json',
  ],
  run,
};

async function run(args: string[], options: OptionValues): Promise<number> {
  tellServing();
  const [name, type = 'A', ...more] = args;
  if (name === undefined || more.length > 0) throw new UserError('nametap trace wants a name and, if need be, a type.');
  const isTree = options.format === 'tree';
  const look = { color: useColor(options) };
  let head = isTree ? `${plainText(name)} ${plainText(type.toUpperCase())}\n\n` : '';
  const show = (text: string): void => {
    print(head + text);
    head = '';
  };
  // Interrupted it ends with what it knows.
  const session = new Session();
  const result = await traceName(name, type, {
    ...traceOptions(options),
    ...(isTree && { onStep: (step) => show(`${stepText(step, look)}\n`) }),
    signal: session.signal,
  }).finally(() => session.close());
  if (isTree) show(`\n${endText(result, look)}`);
  else print(jsonLine(result));
  if (result.end === 'answer' || result.end === 'nodata' || result.end === 'nxdomain') {
    return result.security?.state === 'bogus' ? BOGUS : EXIT.ok;
  }
  return NO_ANSWER;
}

function traceOptions(options: OptionValues): TraceOptions {
  const port = Number(textOption(options, 'port'));
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UserError('--port wants a port number, such as 53.');
  const seconds = Number(textOption(options, 'timeout'));
  if (!(seconds > 0 && seconds <= 60)) throw new UserError('--timeout wants seconds, above 0 and at most 60.');
  if (options.ipv4 === true && options.ipv6 === true) throw new UserError('-4 and -6 leave nothing. Give one of them.');
  const root = (options.root as string[] | undefined) ?? [];
  const wrong = root.find((address) => isIP(address) === 0);
  if (wrong !== undefined) throw new UserError(`--root wants an address, not "${plainText(wrong)}".`);
  const anchors = ((options.anchor as string[] | undefined) ?? []).flatMap(anchorsOf);
  return {
    port,
    timeoutMs: seconds * 1000,
    all: options.all === true,
    minimise: options['no-minimise'] !== true,
    dnssec: options['no-dnssec'] !== true,
    ...(root.length > 0 && { root }),
    ...(anchors.length > 0 && { anchors }),
    ...(options.ipv4 === true && { family: 4 }),
    ...(options.ipv6 === true && { family: 6 }),
  };
}

/** DS data as it stands, or of the DS records in a file (as `dnssec-dsfromkey` writes them). */
function anchorsOf(text: string): string[] {
  if (/^\s*\d+\s/.test(text)) return [text];
  try {
    const lines = readFileSync(text, 'utf8')
      .split('\n')
      .map((line) => line.replace(/;.*$/, '').trim());
    return lines.filter((line) => line !== '').map((line) => line.replace(/^.*\bDS\b\s*/i, ''));
  } catch (error) {
    throw new UserError(`Cannot open ${plainText(text)}: ${reasonOf(error)}.`, 3, { cause: error });
  }
}
