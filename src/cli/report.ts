import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import type { Input } from '../app/input.ts';
import type { RunHooks, RunPlan, RunResult } from '../app/plan.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import type { MapFormat } from '../report/map-text.ts';
import { PathSummary } from '../report/path-summary.ts';
import type { Report, ReportOptions } from '../report/report.ts';
import type { ReportValue } from '../report/value.ts';
import { MapSpill } from './map-spill.ts';
import {
  DECODE_AS,
  DNSTAP,
  DNSTAP_TLS,
  decodeAs,
  FILTER,
  FILTER_COMPAT,
  listOption,
  linksPaths,
  MATCHING,
  matchOption,
  RESOLVER,
  resolversOption,
  SAMPLE,
  sampleOption,
  THREADS,
  textOption,
  tlsOption,
  usefulCores,
  wholeNumber,
} from './options.ts';
import { Progress } from './progress.ts';
import { remark, remarkDamage } from './remarks.ts';
import { Session } from './session.ts';

const FORMATS = ['text', 'json', 'html', 'csv', 'ndjson'] as const;
type Format = (typeof FORMATS)[number];

/** `nametap report`: statistics of captures, and the domain ↔ address map. */
export const report: CommandDefinition = {
  name: 'report',
  summary: 'statistics of capture files: latency, sizes, types, failures, top lists, the address map',
  arguments: {
    name: 'FILE',
    summary: 'capture files (any format and compression), folders, or - for stdin',
    many: true,
  },
  options: [
    FILTER,
    FILTER_COMPAT,
    DECODE_AS,
    DNSTAP,
    ...DNSTAP_TLS,
    {
      name: 'format',
      letter: 'T',
      value: 'FORMAT',
      summary: 'output format (csv, ndjson: with --map)',
      default: 'text',
      choices: FORMATS,
    },
    { name: 'map', summary: 'print the domain ↔ address map instead (text is TSV)' },
    {
      name: 'map-spill',
      value: 'FILE',
      summary: 'also write the exact map to FILE as NDJSON, using disk instead of memory',
    },
    { name: 'map-pairs', value: 'N', summary: 'pairs the map holds in memory', default: '2000000' },
    { name: 'output', letter: 'o', value: 'FILE', summary: 'write to FILE instead of standard output' },
    { name: 'paths', summary: "also the paths of resolutions: what resolvers asked for their clients' queries" },
    RESOLVER,
    ...MATCHING,
    { name: 'top', value: 'N', summary: 'rows of the top lists', default: '20' },
    SAMPLE,
    THREADS,
    { name: 'quiet', letter: 'q', summary: 'no progress and no remarks on standard error' },
  ],
  examples: [
    'nametap report capture.pcapng  # tables in the terminal',
    'nametap report -T html -o report.html capture.pcap.gz  # one page with plots',
    'nametap report -T json capture.pcap | jq .latency.p99  # milliseconds',
    "nametap report -Y 'ip.src == 10.0.0.0/8' monday.pcap tuesday.pcap  # only those clients",
    'nametap report --map -T csv capture.pcap  # names, CNAME chains, addresses, TTLs, first and last seen',
  ],
  run: (args, options) => runCommand(args, options),
};

async function runCommand(args: string[], options: OptionValues): Promise<number> {
  if (args.length === 0 && listOption(options, DNSTAP.name).length === 0) {
    throw new UserError('Which capture? Give one or more files, or - for standard input.');
  }
  const format = (options.format ?? 'text') as Format;
  if (!options.map && (format === 'csv' || format === 'ndjson')) {
    throw new UserError(`-T ${format} is for the map: add --map, or use -T text, json or html.`);
  }
  if (options.map && format === 'html')
    throw new UserError('The map has no HTML form: use -T text, csv, ndjson or json.');
  const top = wholeNumber(options, 'top', 20);
  if (options['map-spill'] !== undefined && linksPaths(options)) {
    throw new UserError('--paths and --map-spill do not go together. Run the report twice.');
  }
  const plan = await planOf(args, options);
  const quiet = options.quiet === true;
  const spill = textOption(options, 'map-spill');
  const session = new Session();
  const progress = new Progress(!quiet && isatty(2));
  const { signal, counting } = session;
  const hooks: RunHooks = { signal, counting, progress: (done, of, frames) => progress.show(done, of, frames) };
  const paths = new PathSummary();
  const bounds: ReportOptions = { mapPairs: wholeNumber(options, 'map-pairs', 2_000_000) };
  let result: RunResult & { report: Report };
  try {
    if (plan.paths) result = await runPaths(plan, bounds, hooks, paths);
    else result = spill === undefined ? await run(plan, bounds, hooks) : await runSpilling(plan, bounds, hooks, spill);
  } finally {
    progress.clear();
    session.close();
  }
  const { report, damage } = result;
  const out = await openOutput(textOption(options, 'output'));
  if (options.map) await writeAll(out, await mapPieces(report, format as MapFormat));
  else {
    const source = {
      files: args,
      ...(plan.filter ? { filter: plan.filter } : {}),
      ...(damage.length > 0 ? { damage } : {}),
    };
    const { sampledRate, scaledReport } = await import('../report/sampled.ts');
    const linked = plan.paths && { paths: paths.value(top) };
    await writeAll(out, [
      await rendered(scaledReport({ ...report.value(source, top), ...linked }, sampledRate(result.ledger)), format),
    ]);
  }
  if (out !== process.stdout) out.end();
  if (!quiet && report.map.evicted > 0 && options.map) {
    remark(`the map was full, ${report.map.evicted} pairs were given up; --map-spill FILE keeps all`);
  }
  remarkDamage(result, 'what came before is in the report');
  return damage.length > 0 ? EXIT.cut : EXIT.ok;
}

async function planOf(args: string[], options: OptionValues): Promise<RunPlan> {
  const { inputOf, parseDnstap, usefulThreads } = await import('../app/input.ts');
  const tap = listOption(options, DNSTAP.name);
  const tls = tlsOption(options);
  const input: Input =
    tap.length > 0 ? { kind: 'dnstap', from: tap.map((one) => parseDnstap(one, tls)) } : inputOf(args);
  return {
    input,
    filter: textOption(options, 'filter'),
    compat: textOption(options, 'filter-compat') as RunPlan['compat'],
    dissect: { heuristic: true, ...decodeAs(options) },
    match: matchOption(options),
    threads: wholeNumber(options, THREADS.name, usefulThreads(input, usefulCores())),
    paths: linksPaths(options),
    resolvers: resolversOption(options),
    ...sampleOption(options),
  };
}

async function run(plan: RunPlan, options: ReportOptions, hooks: RunHooks): Promise<RunResult & { report: Report }> {
  const { runReport } = await import('../app/run.ts');
  return runReport(plan, options, hooks);
}

/** Paths are seen only where all rows meet: in this thread, in order. */
async function runPaths(
  plan: RunPlan,
  options: ReportOptions,
  hooks: RunHooks,
  paths: PathSummary,
): Promise<RunResult & { report: Report }> {
  const { runRows, newReport } = await import('../app/run.ts');
  const report = newReport(options);
  const result = await runRows(plan, hooks, (batch, from, to) => {
    report.add(batch, from, to);
    paths.add(batch, from, to);
  });
  report.addLedger(result.ledger);
  return { ...result, report };
}

/** With an exact map all rows meet in this thread: what the map gives up goes to disk and is merged at the end. */
async function runSpilling(
  plan: RunPlan,
  options: ReportOptions,
  hooks: RunHooks,
  path: string,
): Promise<RunResult & { report: Report }> {
  const { runRows, newReport } = await import('../app/run.ts');
  const spill = new MapSpill(path);
  const report = newReport(options);
  report.map.onEvict = (pairs) => spill.write(pairs);
  try {
    const result = await runRows(plan, hooks, (batch, from, to) => report.add(batch, from, to));
    report.addLedger(result.ledger);
    spill.write(report.map.pairs());
    await spill.merge();
    return { ...result, report };
  } finally {
    spill.discard();
  }
}

async function mapPieces(report: Report, format: MapFormat): Promise<Iterable<string>> {
  const { mapText } = await import('../report/map-text.ts');
  const { size: pairs, capacity, evicted } = report.map;
  return mapText(report.map.rows(), { pairs, capacity, evicted, exact: evicted === 0 }, format);
}

async function rendered(value: ReportValue, format: Format): Promise<string> {
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  if (format === 'html') return (await import('../report/html.ts')).reportHtml(value);
  return (await import('../report/text.ts')).reportText(value, process.stdout.columns || 100);
}

async function openOutput(path: string | undefined): Promise<Writable> {
  if (path === undefined || path === '-') return process.stdout;
  const out = createWriteStream(path);
  try {
    await once(out, 'open');
  } catch (error) {
    throw new UserError(`Cannot write ${plainText(path)}: ${(error as Error).message}.`, EXIT.file, { cause: error });
  }
  return out;
}

/** Writes pieces of text, waiting where the reader is slower; a reader that went away ends it quietly. */
async function writeAll(out: Writable, pieces: Iterable<string>): Promise<void> {
  let failure: NodeJS.ErrnoException | undefined;
  let wake = () => {};
  const onError = (error: NodeJS.ErrnoException) => {
    failure ??= error;
    wake();
  };
  out.on('error', onError);
  const write = (chunk: string) =>
    new Promise<void>((resolve) => {
      wake = resolve;
      if (failure !== undefined) resolve();
      else out.write(chunk, () => resolve());
    });
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < 1 << 16) continue;
    await write(chunk);
    chunk = '';
    if (failure !== undefined) break;
  }
  await write(chunk);
  if (failure !== undefined && failure.code !== 'EPIPE') {
    throw new UserError(`The output could not be written: ${failure.message}.`, EXIT.file, { cause: failure });
  }
}
