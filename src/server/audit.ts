import type { Records } from '../store/store.ts';
import type { AuditRow } from './schema/meta.ts';
import type { ServerLog } from './services.ts';

/** The same person on the same page is written down once in this time. */
const REPEAT_MS = 60_000;
const MOST_RECENT = 4096;

export interface Deed {
  user: string;
  address: string;
  /** Such as `client.view`, `view.save`, `session.open`. */
  action: string;
  subject: string;
  detail?: string;
}

/** Who looked at which client, and who changed what: kept in the store, and in the log where the store fails. */
export class Audit {
  readonly #records: Records;
  readonly #log: ServerLog;
  readonly #now: () => number;
  readonly #recent = new Map<string, number>();

  constructor(records: Records, log: ServerLog, now: () => number) {
    this.#records = records;
    this.#log = log;
    this.#now = now;
  }

  /** Writes down a change before it is answered. */
  async change(deed: Deed): Promise<void> {
    const row: Omit<AuditRow, 'time'> = deed;
    try {
      await this.#records.put('audit', row, { time: this.#now() });
    } catch (error) {
      this.#log.error({ err: error, ...deed }, 'the audit log could not be written to the store');
    }
  }

  /** Writes down that somebody looked; once a minute for the same thing. */
  async look(deed: Deed): Promise<void> {
    const key = `${deed.user}\0${deed.address}\0${deed.action}\0${deed.subject}`;
    const now = this.#now();
    const before = this.#recent.get(key);
    if (before !== undefined && now - before < REPEAT_MS) return;
    this.#recent.delete(key);
    this.#recent.set(key, now);
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= MOST_RECENT) break;
      this.#recent.delete(oldest);
    }
    await this.change(deed);
  }
}
