import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import { group, span, text, whole, type ValueOf } from '../core/settings.ts';
import { makeFolder } from './rotating-file.ts';
import {
  COMMON,
  type Sink,
  type SinkContext,
  type SinkDefinition,
  type SinkExporter,
  type SinkStatus,
  NO_STATUS,
} from './sink.ts';

const settings = group('Parquet files out of the store, one for each stretch of time.', {
  folder: text('Folder of the files.', { required: true, example: 'logs/parquet' }),
  every: span('Stretch of time of a file.', { default: '1h', least: 1000 }),
  keep: whole('Files that are kept.', { default: 336, least: 1, most: 100_000 }),
  filter: COMMON.filter,
});
type Settings = ValueOf<typeof settings>;

/** Parquet files of whole stretches of time, written by the store from what it holds. */
export const parquetSink: SinkDefinition<Settings> = {
  settings,
  open(options, context) {
    if (context.exporter === null)
      throw new UserError(`The sink ${context.name} writes Parquet from the store: there is none.`);
    return new ParquetSink(options, context, context.exporter);
  },
};

/** Transactions are in the store so much later than their first packet: they time out, and are flushed. */
const SETTLE_MS = 45_000;
const NAME = /^dns-(\d{8}T\d{6})Z\.parquet$/;
/** At most so many stretches are made up for after an outage. */
const MOST_BEHIND = 1000;

class ParquetSink implements Sink {
  readonly #options: Settings;
  readonly #context: SinkContext;
  readonly #exporter: SinkExporter;
  readonly #timer: NodeJS.Timeout;
  #written = 0;
  #failed = 0;
  #error: string | null = null;
  /** End of the last stretch written, ms. */
  #until: number;
  #work: Promise<void> = Promise.resolve();

  constructor(options: Settings, context: SinkContext, exporter: SinkExporter) {
    this.#options = options;
    this.#context = context;
    this.#exporter = exporter;
    try {
      makeFolder(options.folder, context.owner);
      this.#until = this.#resume(Date.now());
    } catch (error) {
      throw new UserError(`Cannot use the folder ${options.folder}: ${reasonOf(error)}.`, EXIT.file, { cause: error });
    }
    this.#timer = setInterval(() => this.#catchUp(Date.now() - SETTLE_MS), Math.min(options.every, 60_000));
    this.#timer.unref();
    this.#catchUp(Date.now() - SETTLE_MS);
  }

  /** The store has them already. */
  rows(): void {}

  ready(): undefined {
    return undefined;
  }

  async secured(): Promise<void> {}

  status(): SinkStatus {
    return { ...NO_STATUS, written: this.#written, failed: this.#failed, error: this.#error };
  }

  reopen(): void {}

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work;
    // What has begun is written as far as it goes; the next start writes that stretch again, whole.
    this.#catchUp(Date.now(), true);
    await this.#work;
  }

  /** Where to go on: the last file is written again, for it may end early. */
  #resume(now: number): number {
    const { every } = this.#options;
    const last = this.#files().at(-1);
    const begin = Math.floor(now / every) * every;
    if (last === undefined) return begin;
    return Math.max(Math.min(begin, last.from), begin - MOST_BEHIND * every);
  }

  #catchUp(settled: number, isLast = false): void {
    this.#work = this.#work.then(() => this.#writeDue(settled, isLast));
  }

  async #writeDue(settled: number, isLast: boolean): Promise<void> {
    const { every } = this.#options;
    try {
      await this.#exporter.flush();
      while (this.#until + every <= settled) {
        await this.#write(this.#until, this.#until + every);
        this.#until += every;
      }
      if (isLast && settled > this.#until) await this.#write(this.#until, settled);
      if (this.#error !== null) this.#context.notice('info', 'works again');
      this.#error = null;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#failed++;
      if (this.#error === null) this.#context.notice('warn', message);
      this.#error = message;
    }
  }

  /** One file, there only when it is whole; none for a stretch without transactions. */
  async #write(from: number, to: number): Promise<void> {
    const { folder, filter, keep } = this.#options;
    const stamp = new Date(from).toISOString().slice(0, 19).replace(/[-:]/g, '');
    const path = join(folder, `dns-${stamp}Z.parquet`);
    const query = { from, to, format: 'parquet' as const, ...(filter !== undefined && { filter }) };
    try {
      const { rows } = await this.#exporter.export(query, `${path}.part`);
      if (rows === 0) return;
      renameSync(`${path}.part`, path);
      this.#written += rows;
    } finally {
      rmSync(`${path}.part`, { force: true });
    }
    const files = this.#files();
    for (const { name } of files.slice(0, Math.max(0, files.length - keep)))
      rmSync(join(folder, name), { force: true });
  }

  /** Our files, the oldest first. */
  #files(): { name: string; from: number }[] {
    return readdirSync(this.#options.folder)
      .flatMap((name) => {
        const stamp = NAME.exec(name)?.[1];
        if (stamp === undefined) return [];
        const iso = stamp.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\d)$/, '$1-$2-$3:$4:$5Z');
        return [{ name, from: Date.parse(iso) }];
      })
      .sort((a, b) => a.from - b.from);
  }
}
