import { createHash } from 'node:crypto';
import { PROBE_OUTCOMES, PROBE_PHASES, type ProbeBeat, type ProbePhase } from '../core/probe.ts';
import type { Records } from '../store/store.ts';

const HOUR_MS = 3_600_000;
/** Targets share so many records of an hour: few writes, and little to read for one target. */
const SHARES = 64;
/** Hours that one question reads at most. */
const MOST_HOURS = 24 * 31;
/** Beats of a target that a record of an hour holds. */
const MOST_BEATS = 120;

type Row = (number | null | string)[];
type Hour = Record<string, Row[]>;

/** Results over time, kept as records of an hour: `probes HOUR SHARE` holds the beats of its share of the targets. */
export class ProbeJournal {
  readonly #records: Records;
  /** Beats that are not in the store yet, by record. */
  #pending = new Map<string, { time: number; rows: Hour }>();

  constructor(records: Records) {
    this.#records = records;
  }

  add(check: string, target: string, beat: ProbeBeat): void {
    const key = keyOf(check, target);
    const hour = Math.floor(beat.time / HOUR_MS);
    const id = recordOf(hour, key);
    const waiting = this.#pending.get(id) ?? { time: hour * HOUR_MS, rows: {} };
    this.#pending.set(id, waiting);
    (waiting.rows[key] ??= []).push(rowOf(beat));
  }

  /** Everything added until now is on the disk. How many beats had no room; throws what the store throws. */
  async flush(): Promise<number> {
    const pending = this.#pending;
    this.#pending = new Map();
    let dropped = 0;
    for (const [id, { time, rows }] of pending) {
      const held = await this.#records.get<Hour>('probes', id);
      const merged: Hour = held === null ? {} : held.value;
      for (const [key, more] of Object.entries(rows)) {
        const all = [...(merged[key] ?? []), ...more];
        merged[key] = all.slice(0, MOST_BEATS);
        dropped += all.length - merged[key].length;
      }
      await this.#records.put('probes', merged, { id, time });
    }
    return dropped;
  }

  /** Beats of a target in [from, to), oldest first; at most a month. */
  async read(check: string, target: string, from: number, to: number): Promise<ProbeBeat[]> {
    const key = keyOf(check, target);
    const last = Math.floor((to - 1) / HOUR_MS);
    const first = Math.max(Math.floor(from / HOUR_MS), last - MOST_HOURS + 1);
    const beats: ProbeBeat[] = [];
    for (let hour = first; hour <= last; hour++) {
      const id = recordOf(hour, key);
      const held = await this.#records.get<Hour>('probes', id);
      const rows = [...(held?.value[key] ?? []), ...(this.#pending.get(id)?.rows[key] ?? [])];
      for (const row of rows) {
        const beat = beatOf(row);
        if (beat.time >= from && beat.time < to) beats.push(beat);
      }
    }
    return beats;
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
