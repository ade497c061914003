import type { Incident } from './incident.ts';
import type { Mute } from './mutes.ts';

/** Where incidents are kept; `records` of a store is one. Times in milliseconds. */
export interface AlertRecords {
  put(kind: 'alerts' | 'settings', value: unknown, options?: { id?: string; time?: number }): Promise<string>;
  get(kind: 'alerts' | 'settings', id: string): Promise<AlertRecord | null>;
  list(kind: 'alerts', query?: { limit?: number; after?: string }): Promise<AlertRecord[]>;
}

interface AlertRecord {
  id: string;
  time: number;
  value: unknown;
}

/** Changes wait so long for more of them. */
const GATHER_MS = 500;
const MUTES = 'mutes';
const PAGE = 1000;

/** Writes incidents that changed to where they are kept, in the background; what fails is tried again. */
export class Keeper {
  readonly #records: AlertRecords;
  readonly #failed: (error: unknown) => void;
  readonly #most: number;
  #changed = new Map<string, Incident>();
  /** Null: they are kept as they are. */
  #mutes: readonly Mute[] | null = null;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  readonly #counts: { lost: number };

  /** Of more than `most` changes that wait, the oldest are given up, and counted. */
  constructor(records: AlertRecords, most: number, counts: { lost: number }, failed: (error: unknown) => void) {
    this.#records = records;
    this.#most = most;
    this.#counts = counts;
    this.#failed = failed;
  }

  /** An incident has changed. */
  note(incident: Incident): void {
    this.#changed.set(incident.id, incident);
    for (const oldest of this.#changed.keys()) {
      if (this.#changed.size <= this.#most) break;
      this.#changed.delete(oldest);
      this.#counts.lost++;
    }
    this.#later(GATHER_MS);
  }

  /** The mutes have changed: these hold now. */
  noteMutes(mutes: readonly Mute[]): void {
    this.#mutes = mutes;
    this.#later(GATHER_MS);
  }

  /** Resolves when everything noted until now is kept. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.#writing.then(() => this.#write());
    // Whoever asked is told; the next one writes all the same.
    this.#writing = now.catch(() => undefined);
    return now;
  }

  #later(ms: number): void {
    this.#timer ??= setTimeout(() => void this.flush().catch(this.#failed), ms);
  }

  async #write(): Promise<void> {
    const changed = this.#changed;
    const mutes = this.#mutes;
    this.#changed = new Map();
    this.#mutes = null;
    try {
      if (mutes !== null) await this.#records.put('settings', mutes, { id: MUTES });
      for (const incident of changed.values()) {
        await this.#records.put('alerts', incident, { id: incident.id, time: Math.floor(incident.raised * 1000) });
        changed.delete(incident.id);
      }
    } catch (error) {
      this.#changed = new Map([...changed, ...this.#changed]);
      this.#mutes ??= mutes;
      this.#later(10 * GATHER_MS);
      // A store that fails for good does not keep a program from ending.
      this.#timer?.unref();
      throw error;
    }
  }

  async get(id: string): Promise<Incident | null> {
    const value = (await this.#records.get('alerts', id))?.value;
    return isIncident(value) ? value : null;
  }

  /** The newest ones, oldest first. */
  async newest(most: number): Promise<Incident[]> {
    const found: Incident[] = [];
    let after: string | undefined;
    while (found.length < most) {
      const limit = Math.min(PAGE, most - found.length);
      const page = await this.#records.list('alerts', { limit, ...(after !== undefined && { after }) });
      for (const { value } of page) if (isIncident(value)) found.push(value);
      if (page.length < limit) break;
      after = page[page.length - 1].id;
    }
    return found.reverse();
  }

  /** Those raised before the one with this id, newest first. */
  async older(id: string, limit: number): Promise<Incident[]> {
    const page = await this.#records.list('alerts', { limit, after: id });
    return page.flatMap(({ value }) => (isIncident(value) ? [value] : []));
  }

  async mutes(): Promise<Mute[]> {
    const value = (await this.#records.get('settings', MUTES))?.value;
    // Written by nobody but `#write`.
    return Array.isArray(value) ? (value as Mute[]) : [];
  }
}

/** What else may be among the alerts of a store is passed over. */
export function isIncident(value: unknown): value is Incident {
  return typeof value === 'object' && value !== null && 'journal' in value && 'key' in value && 'raised' in value;
}
