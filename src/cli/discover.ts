import {
  discover as discoverService,
  type Discovery,
  type DiscoveredServer,
  watchService,
} from '../client/discover.ts';
import type { CheckKind } from '../client/discover/check.ts';
import type { HealthState } from '../client/discover/health.ts';
import type { ServiceType } from '../client/discover/service.ts';
import { tellServing } from '../client/own-register.ts';
import { msText } from '../client/outcome.ts';
import { Resolver } from '../client/resolver.ts';
import { type Color, paint, ttlText } from '../client/show/look.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { jsonLine, plainText } from '../core/figures.ts';
import { print, tableText } from './history.ts';
import { COLOR, textOption, useColor, wholeNumber } from './options.ts';

/** `nametap discover`: the servers that SRV or SVCB name for a service, and how they are. */
export const discover: CommandDefinition = {
  name: 'discover',
  summary: 'find the servers of a service by SRV, SVCB or HTTPS records, and look at each',
  arguments: {
    name: 'NAME',
    summary: '[@SERVER] _SERVICE._PROTOCOL.DOMAIN, such as _sip._tcp.example.org; or a web site, by its HTTPS records',
    many: true,
  },
  options: [
    {
      name: 'type',
      letter: 't',
      value: 'TYPE',
      summary: 'records to go by, instead of what the name suggests',
      choices: ['SRV', 'SVCB', 'HTTPS'],
    },
    {
      name: 'check',
      value: 'HOW',
      summary: 'how servers are looked at (default: tcp; none for services over UDP)',
      choices: ['tcp', 'http', 'https', 'none'],
    },
    { name: 'path', value: 'PATH', summary: 'path that HTTP asks for', default: '/' },
    { name: 'timeout', value: 'MS', summary: 'of each look at an address, ms', default: '2000' },
    { name: 'watch', letter: 'w', summary: 'stay, look again and again, and show what changes' },
    { name: 'interval', value: 'MS', summary: 'with --watch: between two looks, ms', default: '10000' },
    { name: 'rise', value: 'N', summary: 'with --watch: good looks in a row until what is down is up', default: '2' },
    { name: 'fall', value: 'N', summary: 'with --watch: bad looks in a row until what is up is down', default: '3' },
    {
      name: 'format',
      letter: 'T',
      value: 'FORMAT',
      summary: 'output: text, or a line of JSON',
      choices: ['text', 'json'],
      default: 'text',
    },
    COLOR,
  ],
  examples: [
    'nametap discover _sip._tcp.example.org  # servers in the order to try them, and whether they accept connections',
    'nametap discover example.org --check https  # by the HTTPS records, asking each server over HTTP',
    'nametap discover @192.0.2.53 _ldap._tcp.example.org --watch  # until interrupted',
  ],
  run,
};

/** 0 when a server is up (or none could be looked at), 1 when all are down or there is none, 2 when nobody answered. */
async function run(args: string[], options: OptionValues): Promise<number> {
  tellServing();
  const servers = args.filter((word) => word.startsWith('@')).map((word) => word.slice(1));
  const names = args.filter((word) => !word.startsWith('@'));
  if (names.length !== 1) throw new UserError('discover wants one name: nametap discover _sip._tcp.example.org.');
  const resolver = new Resolver({ cache: false, ...(servers.length > 0 && { servers }) });
  const type = textOption(options, 'type');
  const check = textOption(options, 'check');
  const stop = new AbortController();
  const settings = {
    resolver,
    signal: stop.signal,
    path: textOption(options, 'path') ?? '/',
    timeoutMs: wholeNumber(options, 'timeout', 2000),
    intervalMs: wholeNumber(options, 'interval', 10_000),
    rise: wholeNumber(options, 'rise', 2),
    fall: wholeNumber(options, 'fall', 3),
    ...(type !== undefined && { type: type as ServiceType }),
    ...(check !== undefined && { check: check as CheckKind }),
  };
  const look = { color: useColor(options) };
  const show = (discovery: Discovery) =>
    print(textOption(options, 'format') === 'json' ? jsonLine(discovery) : textOf(discovery, look));
  let last: Discovery | undefined;
  const interrupted = () => stop.abort();
  process.once('SIGINT', interrupted);
  try {
    if (options.watch === true)
      for await (const discovery of watchService(names[0], settings)) show((last = discovery));
    else show((last = await discoverService(names[0], settings)));
  } finally {
    process.off('SIGINT', interrupted);
    resolver.close();
  }
  return exitOf(last);
}

function exitOf(discovery: Discovery | undefined): number {
  if (discovery === undefined) return EXIT.ok;
  if (!discovery.isAnswered) return EXIT.interface;
  const isServed = discovery.servers.some(({ health, addresses }) => health !== 'down' && addresses.length > 0);
  return isServed ? EXIT.ok : EXIT.usage;
}

const COLORS: Readonly<Record<HealthState, Color>> = { up: 'green', down: 'red', unknown: 'dim' };

function textOf(discovery: Discovery, look: { color: boolean }): string {
  const { name, type, servers, sentence, problems, ttl, names } = discovery;
  const way = names.length > 1 ? ` → ${names.slice(1).map(plainText).join(' → ')}` : '';
  const count = servers.length === 1 ? '1 server' : `${servers.length} servers`;
  const lines = [`${paint(plainText(name), 'bold', look)}${way} ${type}: ${count}, for ${ttlText(ttl)}`];
  if (servers.length > 0) {
    const head = ['priority', 'weight', 'share', 'health', 'target', 'port', 'address', 'look'];
    const table = tableText(head, servers.map(rowOf)).trimEnd().split('\n');
    // Colours have no width: put in when the columns stand.
    lines.push(
      ...table.map((line, i) =>
        i === 0
          ? line
          : line.replace(/ (up|down|unknown)(?= )/, (_, state: HealthState) => ` ${paint(state, COLORS[state], look)}`),
      ),
    );
  } else if (sentence !== undefined) lines.push(plainText(sentence));
  for (const problem of problems) lines.push(paint(plainText(problem), 'yellow', look));
  return `${lines.join('\n')}\n`;
}

function rowOf(server: DiscoveredServer): string[] {
  const { priority, weight, share, health, target, port, addresses, check, problem } = server;
  const seen = check === null ? (problem ?? '') : `${check.sentence}${check.isGood ? ` ${msText(check.ms)}` : ''}`;
  const address = check?.address === undefined || check.address === '' ? (addresses[0] ?? '–') : check.address;
  return [
    String(priority),
    String(weight),
    `${Math.round(share * 100)} %`,
    health,
    target,
    String(port),
    addresses.length > 1 ? `${address} (of ${addresses.length})` : address,
    problem ?? seen,
  ];
}
