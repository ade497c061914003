import { exchangeOptions, serversOf } from '../client/ask.ts';
import { CompareCount, type Compared, compareServers, type CompareSummary } from '../client/compare.ts';
import { Connections } from '../client/connections.ts';
import { CookieJar } from '../client/cookies.ts';
import { DIFFERENCES, type Difference, type Weight } from '../client/difference.ts';
import { readNames } from '../client/names-file.ts';
import { tellServing } from '../client/own-register.ts';
import { msText } from '../client/outcome.ts';
import type { Question } from '../client/question.ts';
import { serverText, type Server } from '../client/server.ts';
import { type Color, paint } from '../client/show/look.ts';
import { readWords } from '../client/words.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { jsonLine, numberText, plainText } from '../core/figures.ts';
import { print, tableText } from './history.ts';
import { remark } from './remarks.ts';
import { Session } from './session.ts';
import { COLOR, textOption, useColor, wholeNumber } from './options.ts';

/** `nametap compare`: what servers say to the same questions, side by side. */
export const compare: CommandDefinition = {
  name: 'compare',
  summary: 'ask several servers the same questions, and show what differs and whether it matters',
  arguments: {
    name: 'WORD…',
    summary:
      '@SERVER @SERVER… [NAME…] [TYPE] [+OPTION…], as query takes them; names come from standard input without any',
    many: true,
  },
  options: [
    {
      name: 'file',
      letter: 'f',
      value: 'FILE',
      summary: 'names, a line each, with a type behind; - is standard input',
    },
    { name: 'concurrency', letter: 'c', value: 'N', summary: 'questions under way at once', default: '16' },
    { name: 'all', letter: 'a', summary: 'show every question, and differences that are harmless' },
    {
      name: 'format',
      letter: 'T',
      value: 'FORMAT',
      summary: 'output: text, or a line of JSON for each question and one for all',
      choices: ['text', 'json'],
      default: 'text',
    },
    COLOR,
  ],
  examples: [
    'nametap compare @192.0.2.53 @8.8.8.8 < names.txt  # before a move to another resolver',
    'nametap compare @ns1.example.com @ns2.example.com www.example.com MX  # two servers of a zone',
  ],
  run,
};

const COLORS: Readonly<Record<Weight, Color>> = { matters: 'red', 'may matter': 'yellow', harmless: 'dim' };

/** 0 where nothing differs that matters, else 1: as diff(1); 2 where nobody answered anything. */
async function run(args: string[], options: OptionValues): Promise<number> {
  tellServing();
  const words = readWords(args);
  if (words.servers.length < 2)
    throw new UserError('compare wants two servers or more: nametap compare @ONE @OTHER < names.');
  const hasNames = args.some((word) => !/^[@+]/.test(word));
  const file = textOption(options, 'file') ?? (hasNames ? undefined : '-');
  const servers = await serversOf(words);
  const connections = new Connections();
  const look = { color: useColor(options) };
  const isJson = textOption(options, 'format') === 'json';
  const count = new CompareCount(servers);
  // Interrupted it ends with what it has: no more names are read, and answers under way are not waited for.
  const session = new Session();
  const { signal } = session;
  const compared = compareServers(questions(file, words.questions, signal), servers, {
    ...exchangeOptions(words, { connections, cookies: new CookieJar(), signal }),
    concurrency: wholeNumber(options, 'concurrency', 16),
  });
  try {
    for await (const one of compared) {
      if (signal.aborted) break;
      count.add(one);
      if (isJson) print(jsonLine(jsonOf(one)));
      else print(textOf(one, servers, options.all === true, look));
    }
  } finally {
    session.close();
    connections.close();
  }
  const summary = count.summary();
  print(isJson ? jsonLine({ summary }) : summaryText(summary));
  if (summary.questions > 0 && summary.servers.every(({ latency }) => latency.n === 0)) {
    remark('none of the servers answered: there is nothing to compare');
    return EXIT.interface;
  }
  return summary.weights.matters === undefined ? EXIT.ok : EXIT.usage;
}

async function* questions(
  file: string | undefined,
  given: readonly Question[],
  signal: AbortSignal,
): AsyncGenerator<Question> {
  if (file === undefined) yield* given;
  else yield* readNames(file, signal);
}

function textOf(one: Compared, servers: readonly Server[], all: boolean, look: { color: boolean }): string {
  const { question, results, weight, differences } = one;
  if (!all && (weight === undefined || weight === 'harmless')) return '';
  const name = paint(`${plainText(question.name)} ${question.type}`, 'bold', look);
  const times = results.map(({ response, ms }) => (response === null ? 'no answer' : msText(ms))).join(' | ');
  const lines = [`${name}  ${weight === undefined ? 'the same' : paint(weight, COLORS[weight], look)}  ${times}`];
  for (const [i, list] of differences.entries()) {
    for (const difference of list) {
      if (!all && difference.weight === 'harmless') continue;
      lines.push(differenceText(difference, serverText(servers[0]), serverText(servers[i + 1]), look));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** `  another response code: 192.0.2.1#53 NOERROR, 192.0.2.2#53 NXDOMAIN`. */
export function differenceText(one: Difference, left: string, right: string, look: { color: boolean }): string {
  const what = paint(DIFFERENCES[one.kind].summary, COLORS[one.weight], look);
  return `  ${what}: ${left} ${plainText(one.a)} | ${right} ${plainText(one.b)}`;
}

function jsonOf({ question, results, differences, weight }: Compared): unknown {
  return {
    ...question,
    weight: weight ?? 'same',
    servers: results.map(({ server, outcome, response, ms, sentence }) => ({
      server: serverText(server),
      outcome,
      ms: Math.round(ms * 1000) / 1000,
      ...(response === null
        ? { sentence }
        : { rcode: response.rcode, flags: response.flags, answers: response.answers }),
    })),
    differences,
  };
}

function summaryText({ questions: asked, same, weights, kinds, servers }: CompareSummary): string {
  const parts = [`${numberText(asked)} ${asked === 1 ? 'question' : 'questions'}`, `${numberText(same)} the same`];
  for (const [weight, n] of Object.entries(weights)) parts.push(`${numberText(n)} ${weight}`);
  const rows = servers.map(({ server, latency, silent }) => [
    serverText(server),
    numberText(latency.n),
    numberText(silent),
    ...[latency.p50, latency.p95, latency.max].map((ms) => (ms === null ? '' : msText(ms))),
  ]);
  const found = Object.entries(kinds).toSorted((a, b) => b[1] - a[1]);
  const list = found.map(
    ([kind, n]) => `  ${numberText(n)} × ${DIFFERENCES[kind as keyof typeof DIFFERENCES].summary}\n`,
  );
  const table = tableText(['server', 'answers', 'silent', 'median', '95 %', 'slowest'], rows);
  return `${parts.join(', ')}\n${list.join('')}${table}`;
}
