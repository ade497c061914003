import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { AlertBook } from '../alerts/book.ts';
import { reasonOf } from '../core/errors.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import type { Need } from '../detect/detector.ts';
import type { DetectorState, Judge } from '../detect/judge.ts';
import { keepsTransactions, type PrivacySettings } from '../enrich/privacy.ts';
import type { ServerLog } from '../server/services.ts';
import type { Store } from '../store/store.ts';
import type { Config } from './config.ts';
import type { RowTaker } from './intake.ts';
import { judgeOf } from './judging.ts';
import { privacySettings } from './services.ts';
import { detectorsOf } from './rules.ts';

/** What detectors have learnt is kept so often. */
const SAVE_MS = 300_000;
/** Packets may be under way for so long when the clock is asked instead of them, in seconds. */
const BEHIND = 2;
/** Marks what was saved; another form is not read. */
const FORM = 1;

export interface JudgeServiceOptions {
  config: Config;
  store: Store;
  /** File of what detectors have learnt. */
  path: string;
  /** Packets are of now: time passes also where none come. */
  isCurrent: boolean;
  log: ServerLog;
  failed(error: unknown): void;
}

/** The judge of a nametap that serves: sees every row, keeps the alert book, and what it has learnt over restarts. */
export class JudgeService implements RowTaker {
  readonly book: AlertBook;
  readonly #options: JudgeServiceOptions;
  readonly #judge: Judge;
  #timers: NodeJS.Timeout[] = [];

  /** Throws UserError for rules or lists that cannot be read. */
  constructor(options: JudgeServiceOptions) {
    this.#options = options;
    const { config, store, failed } = options;
    this.book = new AlertBook({ records: store.records, failed });
    this.#judge = judgeOf(config.detect, {
      vantage: config.vantage,
      networks: config.networks,
      resolvers: config.resolvers,
      lacks: lacksOf(privacySettings(config)),
      raise: this.book.raise,
      more: detectorsOf(config.detect.rules, () => {}),
    });
  }

  /** Which detectors run, and why the others do not. */
  get detectors(): readonly DetectorState[] {
    return this.#judge.states;
  }

  /** Goes on where the last run stopped. */
  async open(): Promise<void> {
    await this.book.load();
    this.#restore();
    this.#timers = [setInterval(() => this.#save(), SAVE_MS)];
    if (this.#options.isCurrent) this.#timers.push(setInterval(() => this.#tick(), 1000));
  }

  rows(batch: TransactionBatch, from: number, to: number): void {
    this.#judge.rows(batch, from, to);
  }

  /** What was learnt and what was raised is on the disk. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#save();
    await this.book.flush();
  }

  #tick(): void {
    const time = Date.now() / 1000 - BEHIND;
    this.#judge.tick(time);
    this.book.tick(time);
  }

  #save(): void {
    const { path, log } = this.#options;
    try {
      const fresh = `${path}.new`;
      writeFileSync(fresh, serialize({ form: FORM, detectors: this.#judge.save() }), { mode: 0o600 });
      renameSync(fresh, path);
    } catch (error) {
      log.error({ path, error: reasonOf(error) }, 'What the detectors have learnt could not be kept');
    }
  }

  #restore(): void {
    const { path, log } = this.#options;
    try {
      const saved: unknown = deserialize(readFileSync(path));
      if (isSaved(saved)) this.#judge.load(saved.detectors);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      log.warn({ path, error: reasonOf(error) }, 'What the detectors had learnt could not be read: they begin anew');
    }
  }
}

function isSaved(value: unknown): value is { form: number; detectors: Record<string, unknown> } {
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
