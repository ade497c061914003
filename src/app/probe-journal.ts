import { createHash } from 'node:crypto';
import { PROBE_OUTCOMES, PROBE_PHASES, type ProbeBeat, type ProbePhase } from '../core/probe.ts';
import type { Records } from '../store/store.ts';

const HOUR_MS = 3_600_000;
/** Targets share so many records of an hour: few writes, and little to read for one target. */
const SHARES = 64;
/** Hours that one question reads at most. */
const MOST_HOURS = 24 * 31;
/** Of them read at a time. */
const AT_ONCE = 24;
/** Beats of a target that a record of an hour holds. */
const MOST_BEATS = 120;
/** Beats of a target that wait to be merged; there are five, unless the store fails. */
const MOST_PENDING = 240;

/** What is not in the records of its hour yet: beats of minutes that are over, and of the one that is not. */
const WAITING = 'probes waiting';
const RUNNING = 'probes running';

type Row = (number | null | string)[];
type Hour = Record<string, Row[]>;

/** A result of a target. */
export interface JournalBeat {
  check: string;
  target: string;
  beat: ProbeBeat;
}

/**
 * Results over time, kept as records of an hour: `probes HOUR SHARE` holds the beats of its share of the targets. Between two
 * merges into those, what is new is kept in two small records, so that a crash costs little.
 */
export class ProbeJournal {
  readonly #records: Records;
  /** Beats that are not in the records of their hour yet, by record. */
  readonly #pending = new Map<string, { time: number; rows: Hour }>();
  #isSaved = true;
  #hadRunning = false;
  #dropped = 0;
  /** One writer at a time. */
  #busy: Promise<unknown> = Promise.resolve();

  constructor(records: Records) {
    this.#records = records;
  }

  add({ check, target, beat }: JournalBeat): void {
    this.#add(keyOf(check, target), rowOf(beat));
  }

  /** What a crash has left; call it before the first `save`. Throws what the store throws. */
  async recover(): Promise<void> {
    for (const id of [WAITING, RUNNING]) {
      const held = await this.#records.get<Hour>('probes', id);
      for (const [key, rows] of Object.entries(held?.value ?? {})) for (const row of rows) this.#add(key, row);
    }
    if (this.#pending.size === 0) return;
    await this.flush();
    for (const id of [WAITING, RUNNING]) await this.#records.delete('probes', id);
  }

  /** Everything added until now, and the beats of the minute that is not over, are on the disk. */
  save(running: readonly JournalBeat[]): Promise<void> {
    return this.#alone(async () => {
      if (!this.#isSaved) {
        this.#isSaved = true;
        const all: Hour = {};
        for (const { rows } of this.#pending.values())
          for (const [key, more] of Object.entries(rows)) (all[key] ??= []).push(...more);
        await this.#records.put('probes', all, { id: WAITING }).catch((error: unknown) => {
          this.#isSaved = false;
          throw error;
        });
      }
      if (running.length === 0 && !this.#hadRunning) return;
      this.#hadRunning = running.length > 0;
      const now = Object.fromEntries(running.map(({ check, target, beat }) => [keyOf(check, target), [rowOf(beat)]]));
      await this.#records.put('probes', now, { id: RUNNING });
    });
  }

  /** Merges what was added into the records of its hour. How many beats had no room since; throws what the store throws. */
  flush(): Promise<number> {
    return this.#alone(async () => {
      for (const id of this.#pending.keys()) await this.#merge(id);
      const dropped = this.#dropped;
      this.#dropped = 0;
      return dropped;
    });
  }

  #add(key: string, row: Row): void {
    const hour = Math.floor(Number(row[0]) / HOUR_MS);
    const id = recordOf(hour, key);
    const waiting = this.#pending.get(id) ?? { time: hour * HOUR_MS, rows: {} };
    this.#pending.set(id, waiting);
    const rows = (waiting.rows[key] ??= []);
    rows.push(row);
    this.#isSaved = false;
    // The store has taken nothing for long.
    if (rows.length > MOST_PENDING) {
      rows.shift();
      this.#dropped++;
    }
  }

  async #merge(id: string): Promise<void> {
    const waiting = this.#pending.get(id);
    if (waiting === undefined) return;
    const taken = Object.entries(waiting.rows).map(([key, rows]) => [key, [...rows]] as const);
    const held = await this.#records.get<Hour>('probes', id);
    const merged: Hour = held === null ? {} : held.value;
    let dropped = 0;
    for (const [key, more] of taken) {
      const known = merged[key] ?? [];
      const times = new Set(known.map(([time]) => time));
      // After a crash some of it may be there already.
      const all = [...known, ...more.filter(([time]) => !times.has(time))];
      merged[key] = all.slice(0, MOST_BEATS);
      dropped += all.length - merged[key].length;
    }
    await this.#records.put('probes', merged, { id, time: waiting.time });
    this.#dropped += dropped;
    this.#isSaved = false;
    // What was added meanwhile stays.
    for (const [key, { length }] of taken) {
      const rows = waiting.rows[key];
      rows.splice(0, length);
      if (rows.length === 0) delete waiting.rows[key];
    }
    if (Object.keys(waiting.rows).length === 0) this.#pending.delete(id);
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#busy.then(run, run);
    this.#busy = next.catch(() => undefined);
    return next;
  }

  /** Beats of a target in [from, to), oldest first; at most a month. */
  async read(check: string, target: string, from: number, to: number): Promise<ProbeBeat[]> {
    const key = keyOf(check, target);
    const last = Math.floor((to - 1) / HOUR_MS);
    const first = Math.max(Math.floor(from / HOUR_MS), last - MOST_HOURS + 1);
    const beats: ProbeBeat[] = [];
    for (let hour = first; hour <= last; hour += AT_ONCE) {
      const hours = Array.from({ length: Math.min(AT_ONCE, last - hour + 1) }, (_, i) => hour + i);
      for (const rows of await Promise.all(hours.map((one) => this.#rowsOf(one, key)))) {
        for (const row of rows) {
          const beat = beatOf(row);
          if (beat.time >= from && beat.time < to) beats.push(beat);
        }
      }
    }
    return beats;
  }

  async #rowsOf(hour: number, key: string): Promise<Row[]> {
    const id = recordOf(hour, key);
    const held = await this.#records.get<Hour>('probes', id);
    return [...(held?.value[key] ?? []), ...(this.#pending.get(id)?.rows[key] ?? [])];
  }
}

function keyOf(check: string, target: string): string {
  return `${check} ${target}`;
}

function recordOf(hour: number, key: string): string {
  return `probes ${hour} ${createHash('sha256').update(key).digest().readUInt32BE() % SHARES}`;
}

function rowOf({ time, checks, failed, loss, min, p25, p50, p75, max, phases, outcome, text }: ProbeBeat): Row {
  const parts = PROBE_PHASES.map((phase) => phases[phase] ?? null);
  const outcomeAt = outcome === undefined ? 0 : PROBE_OUTCOMES.indexOf(outcome);
  return [time, checks, failed, Number(loss.toFixed(4)), min, p25, p50, p75, max, outcomeAt, text ?? '', ...parts];
}

function beatOf(row: Row): ProbeBeat {
  const [time, checks, failed, loss, min, p25, p50, p75, max, outcomeAt, text, ...parts] = row;
  const number = (value: Row[number] | undefined) => (typeof value === 'number' ? value : null);
  const phases: Partial<Record<ProbePhase, number>> = {};
  for (const [i, phase] of PROBE_PHASES.entries()) {
    const ms = number(parts[i]);
    if (ms !== null) phases[phase] = ms;
  }
  const outcome = PROBE_OUTCOMES[Number(outcomeAt)];
  return {
    time: Number(time),
    checks: Number(checks),
    failed: Number(failed),
    loss: Number(loss),
    min: number(min),
    p25: number(p25),
    p50: number(p50),
    p75: number(p75),
    max: number(max),
    phases,
    ...(outcome !== undefined && outcome !== 'ok' && { outcome, text: String(text) }),
  };
}
