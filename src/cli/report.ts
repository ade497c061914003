import { once } from 'node:events';
import { createWriteStream, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Writable } from 'node:stream';
import type { RunHooks, RunPlan, RunResult } from '../app/run.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { plainText } from '../report/format.ts';
import type { MapFormat } from '../report/map-text.ts';
import type { Report, ReportOptions } from '../report/report.ts';
import { MapSpill } from './map-spill.ts';

const FORMATS = ['text', 'json', 'html', 'csv', 'ndjson'] as const;
type Format = (typeof FORMATS)[number];
/** Below so many bytes of files, threads cost more than they save. */
const WORTH_THREADS_BYTES = 16 << 20;
const MOST_THREADS = 4;

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
    { name: 'filter', letter: 'Y', value: 'FILTER', summary: 'display filter: report only on what passes' },
    { name: 'filter-compat', value: 'MODE', summary: 'how names compare', choices: ['nametap', 'wireshark'] },
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
    { name: 'top', value: 'N', summary: 'rows of the top lists', default: '20' },
    { name: 'threads', value: 'N', summary: 'worker threads (default: by size of the files and cores)' },
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
  if (args.length === 0) throw new UserError('Which capture? Give one or more files, or - for standard input.');
  const format = (options.format ?? 'text') as Format;
  if (!options.map && (format === 'csv' || format === 'ndjson')) {
    throw new UserError(`-T ${format} is for the map: add --map, or use -T text, json or html.`);
  }
  if (options.map && format === 'html')
    throw new UserError('The map has no HTML form: use -T text, csv, ndjson or json.');
  const top = wholeNumber(options, 'top', 20);
  const threads = options.threads === undefined ? usefulThreads(args) : wholeNumber(options, 'threads', 0);
  const plan: RunPlan = {
    input: { kind: 'files', paths: args },
    filter: text(options.filter),
    compat: options['filter-compat'] as RunPlan['compat'],
    threads,
  };
  const quiet = options.quiet === true;
  const spill = text(options['map-spill']);
  const abort = new AbortController();
  const stop = () => abort.abort();
  process.once('SIGINT', stop);
  const progress = new Progress(!quiet && process.stderr.isTTY === true);
  const hooks: RunHooks = { signal: abort.signal, progress: (done, of, frames) => progress.show(done, of, frames) };
  const bounds: ReportOptions = { mapPairs: wholeNumber(options, 'map-pairs', 2_000_000) };
  let result: RunResult & { report: Report };
  try {
    result = spill === undefined ? await run(plan, bounds, hooks) : await runSpilling(plan, bounds, hooks, spill);
  } finally {
    progress.clear();
    process.off('SIGINT', stop);
  }
  const { report, damage } = result;
  const out = await openOutput(text(options.output));
  if (options.map) await writeAll(out, await mapPieces(report, format as MapFormat));
  else {
    const source = {
      files: args,
      ...(plan.filter ? { filter: plan.filter } : {}),
      ...(damage.length > 0 ? { damage } : {}),
    };
    await writeAll(out, [await rendered(report, source, top, format)]);
  }
  if (out !== process.stdout) out.end();
  if (!quiet && report.map.evicted > 0 && options.map) {
    process.stderr.write(
      `nametap: the map was full, ${report.map.evicted} pairs were given up; --map-spill FILE keeps all\n`,
    );
  }
  for (const { file, offset, reason } of damage) {
    process.stderr.write(
      `nametap: ${plainText(file)}: ${plainText(reason)} at byte ${offset}; what came before is in the report\n`,
    );
  }
  return damage.length > 0 ? EXIT.cut : EXIT.ok;
}

async function run(plan: RunPlan, options: ReportOptions, hooks: RunHooks): Promise<RunResult & { report: Report }> {
  const { runReport } = await import('../app/run.ts');
  return runReport(plan, options, hooks);
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

async function rendered(report: Report, source: object, top: number, format: Format): Promise<string> {
  const value = report.value(source, top);
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  if (format === 'html') return (await import('../report/html.ts')).reportHtml(value);
  return (await import('../report/text.ts')).reportText(value, process.stdout.columns ?? 100);
}

function text(value: OptionValues[string]): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function wholeNumber(options: OptionValues, name: string, otherwise: number): number {
  const value = options[name];
  if (value === undefined) return otherwise;
  if (!/^[0-9]{1,9}$/.test(String(value)))
    throw new UserError(`--${name} wants a whole number, not "${plainText(String(value))}".`);
  return Number(value);
}

/** Threads for files: none where one is as fast; standard input and folders cannot be read twice. */
function usefulThreads(paths: readonly string[]): number {
  let bytes = 0;
  for (const path of paths) {
    const stat = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile()) return 0;
    bytes += stat.size;
  }
  const cores = Math.min(MOST_THREADS, availableParallelism());
  return bytes < WORTH_THREADS_BYTES || cores < 2 ? 0 : cores;
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

/** One line on a terminal's standard error: how far a long read is, at what rate, and how long it will take. */
class Progress {
  readonly #on: boolean;
  readonly #started = performance.now();
  #shown = 0;

  constructor(on: boolean) {
    this.#on = on;
  }

  show(doneBytes: number, ofBytes: number, frames: number): void {
    const now = performance.now();
    if (!this.#on || now - this.#started < 500 || now - this.#shown < 100) return;
    this.#shown = now;
    const seconds = (now - this.#started) / 1000;
    const rate = doneBytes / seconds;
    const left = ofBytes > doneBytes && rate > 0 ? `, ${Math.ceil((ofBytes - doneBytes) / rate)} s left` : '';
    const percent = ofBytes > 0 ? `${Math.floor((100 * doneBytes) / ofBytes)} %  ` : '';
    const speed = frames > 0 ? `, ${Math.round(frames / seconds).toLocaleString('en')} frames/s` : '';
    process.stderr.write(`\r\x1b[Kreading  ${percent}${(rate / 1e6).toFixed(0)} MB/s${speed}${left}`);
  }

  clear(): void {
    if (this.#on && this.#shown > 0) process.stderr.write('\r\x1b[K');
  }
}
