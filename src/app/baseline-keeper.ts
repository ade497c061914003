import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Baseline } from '../baseline/baseline.ts';
import { describe, listUsual } from '../baseline/describe.ts';
import type { TrafficModel } from '../baseline/traffic.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type {
  Baselines,
  BaselineSnapshot,
  Usual,
  UsualHour,
  UsualKind,
  UsualLine,
  UsualSeries,
} from '../core/usual.ts';

const CURRENT = 'current';
const NAME = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}$/;
/** A bad week is noticed within two. */
const MOST_SNAPSHOTS = 14;
const DAY_MS = 86_400_000;

/** Keeps a baseline in a folder: as it is now, and as it was on the last days. */
export class BaselineKeeper implements Baselines {
  readonly #baseline: Baseline;
  readonly #folder: string;
  readonly #traffic: TrafficModel | undefined;

  constructor(baseline: Baseline, folder: string, traffic?: TrafficModel) {
    this.#baseline = baseline;
    this.#folder = folder;
    this.#traffic = traffic;
  }

  expected(series: UsualSeries, hour: number): UsualHour | null {
    return this.#traffic?.usual(series, hour) ?? null;
  }

  show(key: string): Usual[] {
    return describe(this.#baseline, key);
  }

  list(kind: UsualKind, limit: number): UsualLine[] {
    return listUsual(this.#baseline, kind, limit);
  }

  /** Goes on where the last run stopped; what is wrong with it otherwise, for the log. */
  restore(): string | undefined {
    try {
      return this.#read(CURRENT) ? undefined : 'It is of another version, or for other limits.';
    } catch (error) {
      return isMissing(error) ? undefined : reasonOf(error);
    }
  }

  /** Writes it down; a day after the last snapshot, as one, too. Throws what the system says. */
  save(): void {
    this.#write(CURRENT);
    const [last] = this.snapshots();
    if (last === undefined || Date.now() - last.time >= DAY_MS) this.#keep();
  }

  /** The newest first. */
  snapshots(): BaselineSnapshot[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder).filter((name) => NAME.test(name));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
    return names
      .sort()
      .reverse()
      .map((name) => {
        const { size, mtimeMs } = statSync(join(this.#folder, name));
        return { name, time: Math.round(mtimeMs), bytes: size };
      });
  }

  snapshot(): BaselineSnapshot {
    try {
      return this.#keep();
    } catch (error) {
      throw new UserError(`The snapshot could not be written: ${reasonOf(error)}.`, EXIT.file, { cause: error });
    }
  }

  rollback(name: string): void {
    if (!NAME.test(name)) throw new UserError(`"${name}" is no snapshot. Those there are: nametap baseline snapshots`);
    try {
      if (!this.#read(name)) throw new Error('it is of another version, or for other limits');
      this.#write(CURRENT);
    } catch (error) {
      const there = this.snapshots().map((one) => one.name);
      const known = there.length === 0 ? 'There are none.' : `There are ${there.join(', ')}.`;
      throw new UserError(`The snapshot ${name} cannot be used: ${reasonOf(error)}. ${known}`, EXIT.file, {
        cause: error,
      });
    }
  }

  #keep(): BaselineSnapshot {
    const name = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
    this.#write(name);
    for (const old of this.snapshots().slice(MOST_SNAPSHOTS)) rmSync(join(this.#folder, old.name), { force: true });
    const { size, mtimeMs } = statSync(join(this.#folder, name));
    return { name, time: Math.round(mtimeMs), bytes: size };
  }

  #write(name: string): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, name);
    writeFileSync(`${path}.new`, serialize(this.#baseline.save()), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  #read(name: string): boolean {
    return this.#baseline.load(deserialize(readFileSync(join(this.#folder, name))));
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
