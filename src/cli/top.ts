import type { RunHooks, RunPlan } from '../app/plan.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import type { Report } from '../report/report.ts';
import { renderTop, TOP_TABLES, type TopState, type TopTable } from '../report/top-screen.ts';
import {
  CAPTURE,
  COLOR,
  captureOptions,
  DECODE_AS,
  decodeAs,
  FILTER,
  FILTER_COMPAT,
  MATCHING,
  matchOption,
  SAMPLE,
  sampleOption,
  textOption,
  useColor,
} from './options.ts';
import { remarkDamage } from './remarks.ts';

/** Seconds of history in the sparkline. */
const HISTORY = 400;
/** A screen needs tables of hundreds of rows, not the bounds of a report. */
const BOUNDS = { names: 32768, mapPairs: 0 };

/** `nametap top`: live tables in the terminal, with the keys of dnstop. */
export const top: CommandDefinition = {
  name: 'top',
  summary: 'live tables of sources, destinations, types, codes and names, with the keys of dnstop',
  arguments: {
    name: 'FILE',
    summary: 'capture files to replay instead of a live interface',
    many: true,
    optional: true,
  },
  options: [
    ...CAPTURE,
    FILTER,
    FILTER_COMPAT,
    ...MATCHING,
    SAMPLE,
    DECODE_AS,
    { name: 'refresh', value: 'SECONDS', summary: 'time between two screens', default: '1' },
    { name: 'table', value: 'KEY', summary: 'table shown first: s d t r o n x or 1 to 9', default: 's' },
    COLOR,
  ],
  examples: [
    'nametap top  # all interfaces',
    'nametap top -i eth0 --table 2  # domains by their last two labels',
    "nametap top -Y 'dns.flags.rcode == 3' capture.pcap  # a file, only NXDOMAIN",
  ],
  run: runCommand,
};

async function runCommand(args: string[], options: OptionValues): Promise<number> {
  const refresh = Number(options.refresh ?? 1);
  if (!(refresh >= 0.1 && refresh <= 3600)) throw new UserError('--refresh wants seconds between 0.1 and 3600.');
  const table = String(options.table ?? 's');
  if (!isTable(table))
    throw new UserError(`--table wants one of ${Object.keys(TOP_TABLES).join(' ')} or a digit 1 to 9.`);
  const live = args.length === 0;
  if (live && process.stdout.isTTY !== true) {
    throw new UserError('top needs a terminal. For output that goes elsewhere use nametap watch or nametap report.');
  }
  const { runRows, newReport } = await import('../app/run.ts');
  const screen = new Screen(newReport, (live ? captureOptions(options).interfaces : args).join(', '), table);
  const abort = new AbortController();
  const { dropRights } = await import('../app/input.ts');
  let look = () => {};
  const hooks: RunHooks = {
    signal: abort.signal,
    watching: (given) => {
      look = () => screen.sampled(given().oneIn);
    },
    opened: () => {
      if (live) dropRights(textOption(options, 'user'));
    },
  };
  const color = useColor(options);
  const terminal =
    process.stdout.isTTY === true
      ? new Terminal(screen, color, refresh, { look: () => look(), abort: () => abort.abort() })
      : null;
  terminal?.open();
  try {
    const result = await runRows(await planOf(args, options), hooks, (batch, from, to) =>
      screen.report.add(batch, from, to),
    );
    look();
    screen.end();
    if (terminal === null)
      process.stdout.write(`${renderTop(screen.state, 100, 40, false).slice(0, -1).join('\n').trimEnd()}\n`);
    else if (!abort.signal.aborted) await terminal.untilQuit(abort.signal);
    terminal?.close();
    remarkDamage(result, 'what came before was counted');
    return result.damage.length > 0 ? EXIT.cut : EXIT.ok;
  } finally {
    terminal?.close();
  }
}

async function planOf(args: string[], options: OptionValues): Promise<RunPlan> {
  const ports = decodeAs(options);
  const { inputOf } = await import('../app/input.ts');
  const input = args.length > 0 ? inputOf(args) : { ...captureOptions(options), ...ports };
  return {
    input,
    filter: textOption(options, 'filter'),
    compat: textOption(options, 'filter-compat') as RunPlan['compat'],
    dissect: { heuristic: input.kind !== 'live', ...ports },
    match: matchOption(options),
    ...sampleOption(options),
    // One worker decodes, so that keys and screen stay quick here; standard input belongs to this thread.
    threads: args.includes('-') ? 0 : 1,
  };
}

function isTable(key: string): key is TopTable {
  return /^[1-9]$/.test(key) || Object.hasOwn(TOP_TABLES, key);
}

/** What is shown, and how keys and time change it. */
export class Screen {
  state: TopState;
  readonly #newReport: (options: object) => Report;
  #rates: number[] = [];
  #queries = 0;
  #started = performance.now();
  #ticked = performance.now();
  /** Rows go here; while paused it differs from the one shown. */
  report: Report;

  constructor(newReport: (options: object) => Report, source: string, table: TopTable) {
    this.#newReport = newReport;
    this.report = newReport(BOUNDS);
    const fixed = { paused: false, ended: false, help: false, scroll: 0, oneIn: 1, mostIn: 1 };
    this.state = { report: this.report, source, table, rates: this.#rates, seconds: 0, ...fixed };
  }

  /** One client in so many is looked at now. */
  sampled(oneIn: number): void {
    this.state.oneIn = oneIn;
    this.state.mostIn = Math.max(this.state.mostIn, oneIn);
  }

  /** Time has passed: notes the rate since the last call. */
  tick(now: number): void {
    const seconds = (now - this.#ticked) / 1000;
    if (seconds <= 0) return;
    this.#ticked = now;
    this.#rates.push((this.report.queries - this.#queries) / seconds);
    this.#queries = this.report.queries;
    if (this.#rates.length > HISTORY) this.#rates.shift();
    if (this.state.paused) return;
    this.state.rates = this.#rates;
    this.state.seconds = (now - this.#started) / 1000;
  }

  /** The input has ended: the rates are now those of the packets' own time. */
  end(): void {
    const { counts, binSeconds } = this.report.timeline.value;
    const group = Math.max(1, Math.ceil(counts.length / HISTORY));
    this.#rates = [];
    for (let i = 0; i < counts.length; i += group) {
      const part = counts.slice(i, i + group);
      this.#rates.push(part.reduce((a, b) => a + b, 0) / (part.length * binSeconds));
    }
    this.state = { ...this.state, report: this.report, rates: this.#rates, ended: true, paused: false };
  }

  /** A key as the terminal sends it; false = quit. `page` = table rows on the screen. */
  key(key: string, page: number): boolean {
    const { state } = this;
    if (key === 'q' || key === '\x03' || key === '\x04') return false;
    if (isTable(key)) {
      state.table = key;
      state.scroll = 0;
    } else if (key === 'p' || key === ' ') this.#pause();
    else if (key === '\x12') this.#reset();
    else if (key === '?' || key === 'h') state.help = !state.help;
    else if (key === '\x1b[B' || key === 'j') state.scroll++;
    else if (key === '\x1b[A' || key === 'k') state.scroll = Math.max(0, state.scroll - 1);
    else if (key === '\x1b[6~') state.scroll += page;
    else if (key === '\x1b[5~') state.scroll = Math.max(0, state.scroll - page);
    else if (key === '\x1b[H') state.scroll = 0;
    return true;
  }

  /** The screen stands still (on a copy, so that all its tables do), counting goes on. */
  #pause(): void {
    if (this.state.ended) return;
    const paused = !this.state.paused;
    const report = paused ? this.report.copy() : this.report;
    this.state = { ...this.state, paused, report, rates: paused ? [...this.#rates] : this.#rates };
  }

  #reset(): void {
    if (this.state.ended) return;
    this.report = this.#newReport(BOUNDS);
    this.#rates = [];
    this.#queries = 0;
    this.#started = this.#ticked = performance.now();
    const begun = { seconds: 0, scroll: 0, paused: false, mostIn: this.state.oneIn };
    this.state = { ...this.state, report: this.report, rates: this.#rates, ...begun };
  }
}

/** What the terminal asks for: a look at the run before a screen is drawn, and its end. */
interface TerminalHooks {
  look(): void;
  abort(): void;
}

/** The full screen: alternate buffer, raw keys, resize, and the terminal as it was afterwards. */
class Terminal {
  readonly #screen: Screen;
  readonly #color: boolean;
  readonly #refreshMs: number;
  readonly #hooks: TerminalHooks;
  #timer: NodeJS.Timeout | undefined;
  #open = false;
  #quitting = false;

  constructor(screen: Screen, color: boolean, refreshSeconds: number, hooks: TerminalHooks) {
    this.#screen = screen;
    this.#color = color;
    this.#refreshMs = refreshSeconds * 1000;
    this.#hooks = hooks;
  }

  open(): void {
    if (this.#open) return;
    this.#open = true;
    process.stdout.write('\x1b[?1049h\x1b[?25l');
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdin.on('data', this.#onKeys).resume();
    process.stdout.on('resize', this.#onResize);
    process.on('exit', this.#onExit);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, this.#onSignal);
    this.#timer = setInterval(() => {
      this.#hooks.look();
      this.#screen.tick(performance.now());
      this.#draw();
    }, this.#refreshMs);
    this.#draw();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#timer);
    process.stdin.off('data', this.#onKeys).pause();
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdout.off('resize', this.#onResize);
    process.off('exit', this.#onExit);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, this.#onSignal);
    process.stdout.write('\x1b[?25h\x1b[?1049l');
  }

  /** After the end of a file the screen stays until a key quits it. */
  async untilQuit(signal: AbortSignal): Promise<void> {
    this.#draw();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }

  readonly #onKeys = (data: Buffer): void => {
    // Cursor keys come as escape sequences, everything else as one character.
    for (const key of data.toString('latin1').match(/\x1b\[[0-9;]*[~A-Z]|[^]/g) ?? []) {
      if (!this.#screen.key(key, Math.max(1, (process.stdout.rows || 24) - 7))) this.#quit();
    }
    this.#draw();
  };
  readonly #onResize = (): void => this.#draw();
  readonly #onExit = (): void => this.close();
  readonly #onSignal = (): void => this.#quit();

  /** Ends the run; asked a second time, at once. */
  #quit(): void {
    if (this.#quitting) process.exit(EXIT.ok);
    this.#quitting = true;
    this.#hooks.abort();
  }

  #draw(): void {
    const columns = process.stdout.columns || 80;
    const rows = process.stdout.rows || 24;
    const lines = renderTop(this.#screen.state, columns, rows, this.#color);
    // One write between "begin" and "end of update" marks: no flicker, also on terminals that ignore them.
    process.stdout.write(`\x1b[?2026h\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J\x1b[?2026l`);
  }
}
