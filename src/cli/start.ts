import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import type { ShowPlan } from '../app/show.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { hanging } from './help.ts';
import { numberText, percentText, spanText } from '../report/format.ts';
import type { KeyShare, ReportValue } from '../report/value.ts';
import { CAPTURE, COLOR, captureOptions, terminalWidth, textOption, useColor } from './options.ts';
import { countsText } from './remarks.ts';
import { Session } from './session.ts';
import { writeStdout } from './stdout.ts';

/** A link without any DNS for so long is taken for one that has none. */
const PATIENCE_MS = 6000;
/** Where nobody watches, live lines end after so long. */
const UNWATCHED_MS = 10_000;
/** Lines of the replay, and the time between two of them: what can be read. */
const REPLAYED = 100;
const STEP_MS = 55;
const WIDTH = 110;
const DEMO = new URL('../../assets/demo.pcap.gz', import.meta.url);

/** `nametap start`: what this is, at first sight: live transactions, or a replay where nothing can be captured. */
export const start: CommandDefinition = {
  name: 'start',
  summary: 'show what nametap does: live transactions, or a replay of real ones where nothing can be captured',
  options: [...CAPTURE.filter(({ name }) => name === 'interface' || name === 'user'), COLOR],
  examples: ['npm start  # the same, from a checkout'],
  run: async (_, options) => {
    const session = new Session();
    try {
      return await new Start(options, session).run();
    } finally {
      session.close();
    }
  },
};

interface Recorded {
  lines: string[];
  value: ReportValue;
}

class Start {
  readonly #options: OptionValues;
  readonly #session: Session;
  readonly #color: boolean;
  readonly #width: number;
  readonly #watched = isatty(1);

  constructor(options: OptionValues, session: Session) {
    this.#options = options;
    this.#session = session;
    this.#color = useColor(options);
    this.#width = terminalWidth() ?? WIDTH;
  }

  async run(): Promise<number> {
    // First of all: once rights are given up, the user we became may not be able to read it.
    const recorded = await this.#recorded();
    const why = await this.#live();
    if (why !== '') await this.#replay(why, recorded);
    this.#next();
    return EXIT.ok;
  }

  /** Live lines until they are ended; why there are none, or nothing when there were. */
  async #live(): Promise<string> {
    const { runShow } = await import('../app/show.ts');
    const { dropRights } = await import('../app/input.ts');
    const input = captureOptions(this.#options);
    const enough = new AbortController();
    let seen = false;
    const timers: NodeJS.Timeout[] = [];
    const opened = () => {
      dropRights(textOption(this.#options, 'user'));
      const where = input.interfaces[0] === 'any' ? 'every interface' : input.interfaces.join(', ');
      this.#title(`live DNS transactions on ${where}`, this.#watched ? 'Ctrl-C ends' : '');
      timers.push(
        setTimeout(() => seen || enough.abort(), PATIENCE_MS),
        setTimeout(() => this.#watched || enough.abort(), UNWATCHED_MS),
      );
    };
    const { counting, signal } = this.#session;
    const hooks = { signal: AbortSignal.any([signal, enough.signal]), counting, opened };
    try {
      const { ledger } = await runShow(this.#plan({ input, dissect: { heuristic: false } }), hooks, (bytes) => {
        seen = true;
        writeStdout(bytes);
      });
      if (!seen && !signal.aborted) return 'No DNS traffic came by in the last seconds.';
      this.#say(`\n${countsText(ledger)}\n`);
      return '';
    } catch (error) {
      if (!(error instanceof UserError) || error.exit !== EXIT.interface) throw error;
      return 'Nothing can be captured here: that needs a right this user does not have (nametap doctor tells more).';
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
  }

  /** Lines of the bundled capture, and what there is in all of it. */
  async #recorded(): Promise<Recorded> {
    const { runShow } = await import('../app/show.ts');
    const { runReport } = await import('../app/run.ts');
    const plan = this.#plan({ input: { kind: 'files', paths: [fileURLToPath(DEMO)] } });
    const { signal } = this.#session;
    const pieces: Uint8Array[] = [];
    await runShow({ ...plan, count: REPLAYED }, { signal }, (bytes) => pieces.push(bytes.slice()));
    const { report } = await runReport(plan, { mapPairs: 0 }, { signal });
    return { lines: Buffer.concat(pieces).toString().trimEnd().split('\n'), value: report.value({}, 5) };
  }

  /** Shows them at a pace that can be read. */
  async #replay(why: string, { lines, value }: Recorded): Promise<void> {
    const pace = this.#watched ? ', slowed down' : '';
    const text = `${why} Here is a real capture instead: ten seconds at a root name server${pace}.`;
    this.#say(`${hanging('', text, this.#width).join('\n')}\n`);
    this.#title('replayed DNS transactions', this.#watched ? 'Ctrl-C ends' : '');
    const { signal } = this.#session;
    for (const line of lines) {
      if (signal.aborted) break;
      writeStdout(Buffer.from(`${line}\n`));
      // An abort ends the pause early, and is no failure.
      if (this.#watched) await sleep(STEP_MS, undefined, { signal }).catch(() => undefined);
    }
    this.#sum(value, lines.length);
  }

  #plan(more: Pick<ShowPlan, 'input' | 'dissect'>): ShowPlan {
    return { ...more, threads: 0, format: 'text', unit: 'transaction', color: this.#color, width: this.#width };
  }

  #title(what: string, aside: string): void {
    const hint = aside === '' ? '' : this.#paint('2', `  ${aside}`);
    this.#say(`\n${this.#paint('1', 'nametap')}  ${what}${hint}\n\n`);
  }

  #sum({ transactions, period, latency, types, names }: ReportValue, shown: number): void {
    const rest = transactions.count - shown;
    const { p50, p99 } = latency;
    this.#say(`${this.#paint('2', rest > 0 ? `… and ${numberText(rest)} more` : '')}\n\n`);
    this.#row('transactions', `${numberText(transactions.count)} in ${spanText(period.seconds)}`);
    this.#row('latency', `half below ${numberText(p50)} ms, 99 % below ${numberText(p99)} ms`);
    this.#row('outcomes', shares([...transactions.outcomes, ...transactions.answer_kinds.slice(0, 3)]));
    this.#row('types', shares(types));
    this.#row('names', `${numberText(names.distinct.value)}, most often ${names.top.map(({ key }) => key).join(', ')}`);
  }

  #row(head: string, text: string): void {
    const [first, ...more] = hanging(' '.repeat(16), text, this.#width);
    this.#say(
      `  ${this.#paint('36', head.padEnd(13))} ${first.trimStart()}\n${more.map((line) => `${line}\n`).join('')}`,
    );
  }

  /** What to run next, as it can be typed here. */
  #next(): void {
    const own = existsSync('bin/nametap') && existsSync('src/cli/main.ts') ? 'bin/nametap' : 'nametap';
    const commands = [
      [`sudo ${own} watch`, 'live transactions, of every interface'],
      [`${own} read FILE`, 'what is in a capture, one line per message'],
      [`${own} report -T html -o report.html FILE`, 'statistics with plots, on one page'],
      [`${own} --help`, 'all commands'],
    ];
    const widest = Math.max(...commands.map(([command]) => command.length));
    const longest = Math.max(...commands.map(([, meaning]) => meaning.length));
    this.#say(`\n${this.#paint('1', 'Next')}\n`);
    for (const [command, meaning] of commands) {
      const fits = widest + longest + 4 <= this.#width;
      this.#say(
        `  ${this.#paint('36', fits ? command.padEnd(widest) : command)}${fits ? '  ' : '\n      '}${meaning}\n`,
      );
    }
  }

  #paint(code: string, text: string): string {
    return this.#color && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text;
  }

  #say(text: string): void {
    writeStdout(Buffer.from(text));
  }
}

function shares(keys: readonly KeyShare[]): string {
  return keys
    .filter(({ count }) => count > 0)
    .slice(0, 5)
    .map(({ key, ratio }) => `${key} ${percentText(ratio)}`)
    .join(', ');
}
