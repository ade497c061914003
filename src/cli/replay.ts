import { isCapture, replaySource } from '../app/replay.ts';
import { exchangeOptions, serversOf, tlsOptions } from '../client/ask.ts';
import { Connections } from '../client/connections.ts';
import { CookieJar } from '../client/cookies.ts';
import { DIFFERENCES } from '../client/difference.ts';
import { type LoadResult, MOST_WINDOW, rcodeCounts, runLoad } from '../client/load/load.ts';
import { tellServing } from '../client/own-register.ts';
import { ReplayCompare, type ReplayDifferences } from '../client/replay.ts';
import { type Server, serverText } from '../client/server.ts';
import { readWords } from '../client/words.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { jsonLine, numberText, plainText } from '../core/figures.ts';
import { differenceText } from './compare.ts';
import { print } from './history.ts';
import { COLOR, FILTER, textOption, useColor, wholeNumber } from './options.ts';

/** `nametap replay`: queries of before, or of a file of names, sent to a server; what is answered otherwise than then. */
export const replay: CommandDefinition = {
  name: 'replay',
  summary: 'send the queries of a capture or of a file of names to a server, and show what it answers otherwise',
  arguments: {
    name: 'FILE @SERVER',
    summary: 'capture file, or names with types a line each; +OPTIONs as in query',
    many: true,
  },
  options: [
    {
      name: 'rate',
      letter: 'Q',
      value: 'N',
      summary: 'at most so many queries a second (default: as fast as it answers)',
    },
    { name: 'speed', value: 'FACTOR', summary: 'at the pace of the capture, times this: 1 is as it was' },
    { name: 'window', letter: 'w', value: 'N', summary: 'most queries under way at once', default: '100' },
    { name: 'timeout', value: 'SECONDS', summary: 'a query is lost after that', default: '5' },
    { name: 'length', letter: 'l', value: 'SECONDS', summary: 'so long; a file of names begins anew at its end' },
    { name: 'port', letter: 'p', value: 'N', summary: 'port of the server' },
    FILTER,
    { name: 'format', letter: 'T', value: 'FORMAT', summary: 'output', choices: ['text', 'json'], default: 'text' },
    COLOR,
  ],
  examples: [
    'nametap replay friday.pcapng @192.0.2.53  # does the new resolver answer as the old one did?',
    'nametap replay friday.pcapng @192.0.2.53 --speed 1  # at the pace it was captured',
    'nametap replay names.txt @192.0.2.53 -l 30 -Q 5000  # thirty seconds of 5,000 queries a second',
    'nametap replay friday.pcapng @tls://192.0.2.53  # over TLS, or tcp://',
  ],
  run,
};

async function run(args: string[], options: OptionValues): Promise<number> {
  tellServing();
  const files = args.filter((word) => !/^[@+]/.test(word));
  const words = readWords(args.filter((word) => /^[@+]/.test(word)));
  if (files.length !== 1 || words.servers.length !== 1) {
    throw new UserError('replay wants one file and one server: nametap replay FILE @SERVER.');
  }
  const { transport } = words;
  if (transport === 'https') throw new UserError('replay asks over UDP, TCP or TLS: not over HTTPS.');
  const port = textOption(options, 'port');
  if (port !== undefined) words.port = wholeNumber(options, 'port', 53);
  const [server] = await serversOf(words);
  const [path] = files;
  const seconds = positive(options, 'length');
  const end = seconds === undefined ? undefined : performance.now() + seconds * 1000;
  const timeoutMs = (positive(options, 'timeout') ?? 5) * 1000;
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const timer = seconds === undefined ? undefined : setTimeout(onSignal, seconds * 1000 + timeoutMs);
  const form = exchangeOptions(words, { connections: new Connections(), cookies: new CookieJar() });
  const source = replaySource(
    {
      path,
      filter: textOption(options, FILTER.name),
      form,
      speed: positive(options, 'speed'),
      ...(end !== undefined && { isOver: () => performance.now() >= end }),
    },
    stop.signal,
  );
  const isComparing = isCapture(path);
  const compare = new ReplayCompare();
  const rate = positive(options, 'rate');
  const isShown = process.stderr.isTTY;
  const result = await runLoad(
    source,
    {
      server,
      window: Math.max(1, Math.min(MOST_WINDOW, wholeNumber(options, 'window', 100))),
      timeoutMs,
      ...(transport !== 'udp' && { stream: { transport, tls: tlsOptions(words) } }),
      ...(rate !== undefined && { rate }),
      signal: stop.signal,
      ...(isShown && { progress: (now: LoadResult) => process.stderr.write(`\r\u001b[K${progressLine(now)}`) }),
    },
    isComparing ? compare : undefined,
  );
  clearTimeout(timer);
  if (isShown) process.stderr.write('\r\u001b[K');
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  const found = isComparing ? compare.found : undefined;
  const isJson = textOption(options, 'format') === 'json';
  print(isJson ? jsonLine(jsonOf(server, result, found)) : textOf(server, result, found, useColor(options)));
  if (result.answered === 0 && result.sent > 0) return EXIT.interface;
  return found?.weights.matters === undefined ? EXIT.ok : EXIT.usage;
}

function positive(options: OptionValues, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0 && value < 1e9)) throw new UserError(`--${name} wants a positive number, not "${plainText(text)}".`);
  return value;
}

function progressLine({ sent, answered, lost, seconds }: LoadResult): string {
  return `${numberText(sent)} sent, ${numberText(answered)} answered, ${numberText(lost)} lost, ${perSecond(answered, seconds)}`;
}

function perSecond(n: number, seconds: number): string {
  return `${numberText(Math.round(n / Math.max(seconds, 1e-3)))} a second`;
}

function jsonOf(server: Server, result: LoadResult, found: ReplayDifferences | undefined): unknown {
  const { rcodes: _, latency, ...counts } = result;
  return {
    server: serverText(server),
    ...counts,
    per_second: result.answered / Math.max(result.seconds, 1e-3),
    rcodes: rcodeCounts(result),
    latency: latency.summary('ms', 1e6),
    ...(found !== undefined && { compared: found }),
  };
}

function textOf(server: Server, result: LoadResult, found: ReplayDifferences | undefined, color: boolean): string {
  const { sent, answered, lost, unexpected, refused, unsent, seconds, ended } = result;
  const codes = Object.entries(rcodeCounts(result)).map(([code, n]) => `${code} ${numberText(n)}`);
  const { p50, p95, p99, max } = result.latency.summary('ms', 1e6);
  const ms = [p50, p95, p99, max].map((value) => (value === null ? '-' : value.toFixed(value < 10 ? 2 : 1)));
  const lines = [
    `${serverText(server)}: ${progressLine({ ...result, sent, answered, lost, seconds })} in ${seconds.toFixed(2)} s`,
    `latency: median ${ms[0]} ms, 95 % ${ms[1]}, 99 % ${ms[2]}, slowest ${ms[3]}`,
    `answers: ${codes.join(', ') || 'none'}`,
  ];
  const odd = [
    unexpected > 0 ? `${numberText(unexpected)} that fit no query under way` : '',
    refused > 0 ? `${numberText(refused)} refusals (ICMP)` : '',
    unsent > 0 ? `${numberText(unsent)} not sent` : '',
  ].filter((text) => text !== '');
  if (odd.length > 0) lines.push(`besides: ${odd.join(', ')}`);
  if (ended !== undefined) lines.push(`ended early: ${ended}`);
  if (found !== undefined) lines.push(...comparedLines(found, color));
  return `${lines.join('\n')}\n`;
}

function comparedLines({ compared, same, weights, kinds, examples }: ReplayDifferences, color: boolean): string[] {
  const parts = [`${numberText(compared)} compared with before`, `${numberText(same)} the same`];
  for (const [weight, n] of Object.entries(weights)) parts.push(`${numberText(n)} ${weight}`);
  const lines = [parts.join(', ')];
  for (const [kind, n] of Object.entries(kinds).toSorted((a, b) => b[1] - a[1])) {
    lines.push(`  ${numberText(n)} × ${DIFFERENCES[kind as keyof typeof DIFFERENCES].summary}`);
  }
  for (const { name, type, differences } of examples) {
    const shown = differences.filter(({ weight }) => weight !== 'harmless');
    if (shown.length === 0) continue;
    lines.push(`${plainText(name)} ${type}`, ...shown.map((one) => differenceText(one, 'before', 'now', { color })));
  }
  return lines;
}
