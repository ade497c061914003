import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { deserialize, serialize } from 'node:v8';
import { Baseline } from '../baseline/baseline.ts';
import { type SavedTraffic, TrafficModel } from '../baseline/traffic.ts';
import { BaselineKeeper } from './baseline-keeper.ts';
import { AlertBook } from '../alerts/book.ts';
import { BOOK_RULES } from '../alerts/book-rules.ts';
import { Notifier } from '../alerts/notifier.ts';
import type { OutputStatus } from '../alerts/outputs/delivery.ts';
import { rulesOf } from '../alerts/settings.ts';
import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import { reasonOf, UserError } from '../core/errors.ts';
import { numberText } from '../core/figures.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import type { DetectorDefinition, Need } from '../detect/detector.ts';
import type { DetectorState, Judge } from '../detect/judge.ts';
import { keepsTransactions, type PrivacySettings } from '../enrich/privacy.ts';
import type { Table } from '../server/schema/sensors.ts';
import type { Check, ServerLog } from '../server/services.ts';
import type { Store } from '../store/store.ts';
import type { Config } from './config.ts';
import type { DataFolder } from './data-folder.ts';
import type { RowTaker } from './intake.ts';
import { JudgeShare } from './judge-share.ts';
import { Judging } from './judging.ts';
import { MarkNames } from './marks.ts';
import { privacySettings } from './services.ts';
import { detectorsOf, rulesTextOf } from './rules.ts';

/** What detectors have learnt is kept so often. */
const SAVE_MS = 300_000;
/** Packets may be under way for so long when the clock is asked instead of them, in seconds. */
const BEHIND = 2;
/** Marks what was saved; another form is not read. */
const FORM = 1;

export interface JudgeServiceOptions {
  config: Config;
  store: Store;
  version: string;
  data: DataFolder;
  /** A demo has files of its own, and of it nobody need be told. */
  isDemo: boolean;
  /** Packets are of now: time passes also where none come. */
  isCurrent: boolean;
  log: ServerLog;
  failed(error: unknown): void;
}

/** The judge of a nametap that serves: sees every row, keeps the alert book, and what it has learnt over restarts. */
export class JudgeService implements RowTaker {
  readonly book: AlertBook;
  readonly #notifier: Notifier | null;
  readonly #options: JudgeServiceOptions;
  /** Numbers of the rules that mark rows. */
  readonly marks = new MarkNames();
  /** File of what detectors have learnt. */
  readonly #path: string;
  readonly baselines: BaselineKeeper;
  readonly #traffic = new TrafficModel();
  readonly #judging: Judging;
  readonly #judge: Judge;
  #rules: Rules;
  #problem = '';
  readonly #share = new JudgeShare();
  #decided = performance.now();
  #timers: NodeJS.Timeout[] = [];

  /** Throws UserError for rules or lists that cannot be read. */
  constructor(options: JudgeServiceOptions) {
    this.#options = options;
    const { config, store, data, isDemo, failed } = options;
    const file = (name: string) => data.part(isDemo ? `demo-${name}` : name);
    this.#path = file('judge');
    const outputs = isDemo ? null : data.part('alerts');
    this.book = new AlertBook({ rules: rulesOf(config.alerts), records: store.records, failed });
    const { version, log } = options;
    this.#notifier =
      outputs === null
        ? null
        : new Notifier(config.alerts, {
            folder: outputs,
            sensor: config.sensor ?? hostname(),
            version,
            log: (level, output, message) => log[level]({ output }, message),
          });
    const baseline = new Baseline(config.detect.baseline);
    this.baselines = new BaselineKeeper(baseline, file('baseline'), this.#traffic);
    this.book.subscribe(({ cause, incident: { severity } }) => {
      const isAlarm = (cause === 'raised' || cause === 'worsened') && (severity === 'high' || severity === 'critical');
      if (isAlarm) this.#traffic.disturb();
    });
    this.#rules = this.#readRules(config);
    this.#judging = new Judging(config.detect, {
      baseline,
      vantage: config.vantage,
      networks: config.networks,
      resolvers: config.resolvers,
      lacks: [...lacksOf(privacySettings(config)), ...(isDemo ? (['rhythm'] as const) : [])],
      raise: this.book.raise,
      more: this.#rules.detectors,
    });
    this.#judge = this.#judging.judge;
  }

  #readRules({ detect: { rules } }: Config): Rules {
    const detectors = detectorsOf(rules, (seen, names) => {
      seen.batch.col.mark[seen.row] = this.marks.of(names);
    });
    return { text: rulesTextOf(rules), detectors };
  }

  /** Which detectors run, and why the others do not. */
  get detectors(): readonly DetectorState[] {
    return this.#judge.states;
  }

  /** Goes on where the last run stopped. */
  async open(): Promise<void> {
    await this.book.load();
    if (this.#notifier !== null) this.book.subscribe(this.#notifier.take);
    this.#restore();
    this.#timers = [setInterval(() => this.#save(), SAVE_MS)];
    if (this.#options.isCurrent) this.#timers.push(setInterval(() => this.#tick(), 1000));
  }

  rows(batch: TransactionBatch, from: number, to: number, own: ReadonlySet<number> | null = null): void {
    const began = performance.now();
    this.#traffic.rows(batch, from, to, own);
    const share = this.#share;
    if (share.oneIn === 1 && own === null) this.#judge.rows(batch, from, to);
    else {
      for (let i = from; i < to; i++) {
        if (own?.has(i) === true) continue;
        if (share.has(batch, i)) this.#judge.rows(batch, i, i + 1);
        else share.skipped++;
      }
    }
    share.note(performance.now() - began);
  }

  encrypted(flow: EncryptedFlow): void {
    this.#judge.encrypted(flow);
  }

  /** Whether all detectors work, and look at every client: live traffic does not wait. */
  check(): Check {
    const problems = this.#judge.problems();
    if (problems.length > 0) return { name: 'detectors', ok: false, detail: problems.join(' '), isVital: false };
    const isWhole = this.#share.oneIn === 1;
    return { name: 'detectors', ok: isWhole, detail: this.#shareText(), ...(!isWhole && { isVital: false }) };
  }

  #shareText(): string {
    const { oneIn, skipped } = this.#share;
    return oneIn === 1
      ? 'All clients are looked at'
      : `There is too much traffic: one client in ${oneIn} is looked at, ${numberText(skipped)} transactions were not`;
  }

  /** What was learnt and what was raised is on the disk. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#save();
    await this.#notifier?.close();
    await this.book.flush();
  }

  /** Who is told of alerts, and what became of it. */
  outputs(): OutputStatus[] {
    return this.#notifier?.states() ?? [];
  }

  /** Tables with a bound: how full, and what they gave up. */
  tables(): Table[] {
    const { book } = this;
    return [
      ...this.#judge.counts(),
      { name: 'alerts', used: book.incidents().length, limit: BOOK_RULES.most, evicted: book.counts.evicted },
    ];
  }

  /** Takes what a configuration that was read again says of alerts, detectors and rules. */
  async configure(config: Config): Promise<void> {
    const { alerts } = config;
    this.#configureJudge(config);
    this.book.configure(rulesOf(alerts));
    this.#notifier?.reopen();
    await this.#notifier?.apply(alerts);
  }

  /** Detectors whose limits have changed begin anew, rules where their files have; the others go on. */
  #configureJudge(config: Config): void {
    const { log } = this.#options;
    try {
      const isSame = rulesTextOf(config.detect.rules) === this.#rules.text;
      const rules = isSame ? this.#rules : this.#readRules(config);
      const fresh = this.#judging.configure(config.detect, rules.detectors);
      this.#rules = rules;
      if (fresh.length > 0) log.info({ detectors: fresh }, 'These detectors have begun anew, with other limits');
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      log.error({ error: error.message }, 'Detectors and rules go on as they were: not all of them can be had');
    }
  }

  /** A file waits for the judge, live traffic does not. */
  #decide(): void {
    const now = performance.now();
    const hasChanged = this.#share.decide(now - this.#decided);
    this.#decided = now;
    if (!hasChanged) return;
    const { oneIn } = this.#share;
    this.#options.log[oneIn === 1 ? 'info' : 'warn']({ one_in: oneIn }, `${this.#shareText()}.`);
  }

  /** Says what is wrong with a detector once, and that it is well again. */
  #complain(): void {
    const problem = this.#judge.problems().join(' ');
    if (problem === this.#problem) return;
    this.#problem = problem;
    const { log } = this.#options;
    if (problem === '') log.info({}, 'All detectors work again');
    else log.warn({}, problem);
  }

  #tick(): void {
    this.#decide();
    this.#complain();
    const time = Date.now() / 1000 - BEHIND;
    this.#traffic.tick(time);
    this.#judge.tick(time);
    this.book.tick(time);
  }

  #save(): void {
    const path = this.#path;
    const { log } = this.#options;
    try {
      const fresh = `${path}.new`;
      writeFileSync(fresh, serialize({ form: FORM, detectors: this.#judge.save(), traffic: this.#traffic.save() }), {
        mode: 0o600,
      });
      renameSync(fresh, path);
      this.baselines.save();
    } catch (error) {
      log.error({ path, error: reasonOf(error) }, 'What the detectors have learnt could not be kept');
    }
  }

  #restore(): void {
    const path = this.#path;
    const { log } = this.#options;
    const wrong = this.baselines.restore();
    if (wrong !== undefined) {
      log.warn({ error: wrong }, 'What is usual could not be read: it is learnt anew');
    }
    try {
      const saved: unknown = deserialize(readFileSync(path));
      if (!isSaved(saved)) return;
      this.#judge.load(saved.detectors);
      if (saved.traffic !== undefined) this.#traffic.load(saved.traffic);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      log.warn({ path, error: reasonOf(error) }, 'What the detectors had learnt could not be read: they begin anew');
    }
  }
}

/** Rules of the operator's: the text of their files, and what was made of it. */
interface Rules {
  text: string;
  detectors: readonly DetectorDefinition[];
}

/** What is in the file; one of before `traffic` has none. */
interface Saved {
  form: number;
  detectors: Record<string, unknown>;
  traffic?: SavedTraffic;
}

function isSaved(value: unknown): value is Saved {
  return typeof value === 'object' && value !== null && 'form' in value && value.form === FORM && 'detectors' in value;
}

/** What detectors have to do without under a privacy level. */
function lacksOf(privacy: PrivacySettings): Need[] {
  const { level, names = 'full' } = privacy;
  const lacks: Need[] = [];
  if (names !== 'full' || !keepsTransactions(privacy)) lacks.push('names');
  if (level >= 4) lacks.push('clients');
  return lacks;
}
