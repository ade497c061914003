import { deserialize, serialize } from 'node:v8';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { Baseline } from '../baseline/baseline.ts';
import type { BusHeader } from '../bus/header.ts';
import type { Raise } from '../core/alert.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import type { DetectorDefinition } from '../detect/detector.ts';
import type { Config } from './config.ts';
import { Judging } from './judging.ts';

/** Marks what was saved; another form is not read. */
const FORM = 1;
/** What was saved is never larger. */
const MOST_STATE = 256 << 20;
/** Sensors (each with its lines and its last runs) that are remembered. */
const MOST_LINES = 4096;
const MOST_EPOCHS = 16;

/** What detectors of a partition need. */
export interface PartitionJudging {
  config: Config;
  raise: Raise;
  /** Rules, of the operator's own. */
  more: readonly DetectorDefinition[];
}

/** What a partition is worth to whoever reads it next. */
interface Saved {
  form: number;
  /** Of the next record. */
  next: number;
  /** Last sequence by epoch, the epoch seen last behind; by sensor and line. */
  seen: readonly (readonly [string, readonly (readonly [number, number])[]])[];
  detectors: Record<string, unknown> | null;
  baseline: unknown;
}

/** What a batch is to those before it. */
export interface Sighting {
  isNew: boolean;
  /** Batches between the last one of its line and this one, which never came. */
  missing: number;
}

/**
 * A partition while it is ours: where we are in it, which batches it has had, and what its detectors know. All clients of a
 * partition are here and nowhere else.
 */
export class BusPartition {
  /** Offset of the next record; undefined before it is known. */
  next: number | undefined;
  /** The offset that was noted last, and when. */
  noted: number | undefined;
  notedAt = performance.now();
  readonly #seen = new Map<string, Map<number, number>>();
  readonly #baseline: Baseline | null;
  readonly #judging: Judging | null;

  /** Without `judging` nobody looks at its rows. */
  constructor(judging: PartitionJudging | null) {
    if (judging === null) {
      this.#baseline = this.#judging = null;
      return;
    }
    const { config, raise, more } = judging;
    const { vantage, networks, resolvers, detect } = config;
    this.#baseline = new Baseline(detect.baseline);
    this.#judging = new Judging(detect, { baseline: this.#baseline, vantage, networks, resolvers, raise, more });
  }

  /** Notes a batch: it is new unless one of its line and run with this number, or a later one, has come. */
  see({ sensor, epoch, line, sequence }: BusHeader): Sighting {
    const key = `${line} ${sensor}`;
    let epochs = this.#seen.get(key);
    if (epochs === undefined) {
      if (this.#seen.size >= MOST_LINES) for (const oldest of this.#seen.keys()) if (this.#seen.delete(oldest)) break;
      epochs = new Map();
    } else this.#seen.delete(key);
    // What was seen last is last: what is forgotten is at the front.
    this.#seen.set(key, epochs);
    const last = epochs.get(epoch) ?? -1;
    if (sequence <= last) return { isNew: false, missing: 0 };
    epochs.delete(epoch);
    epochs.set(epoch, sequence);
    if (epochs.size > MOST_EPOCHS) for (const oldest of epochs.keys()) if (epochs.delete(oldest)) break;
    return { isNew: true, missing: sequence - last - 1 };
  }

  judge(batch: TransactionBatch): void {
    this.#judging?.judge.rows(batch, 0, batch.count);
  }

  /** What there is to be known, as octets. */
  save(): Uint8Array {
    const saved: Saved = {
      form: FORM,
      next: this.next ?? 0,
      seen: [...this.#seen].map(([key, epochs]) => [key, [...epochs]] as const),
      detectors: this.#judging?.judge.save() ?? null,
      baseline: this.#baseline?.save() ?? null,
    };
    return zstdCompressSync(serialize(saved), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  }

  /** Goes on where it was saved; false for what is of another version. Throws for what is damaged. */
  load(bytes: Uint8Array): boolean {
    const saved: unknown = deserialize(zstdDecompressSync(bytes, { maxOutputLength: MOST_STATE }));
    if (!isSaved(saved)) return false;
    this.next = saved.next;
    for (const [key, epochs] of saved.seen) this.#seen.set(key, new Map(epochs));
    if (saved.detectors !== null) this.#judging?.judge.load(saved.detectors);
    if (saved.baseline !== null) this.#baseline?.load(saved.baseline);
    return true;
  }

  /** Why its detectors do not work as they should. */
  problems(): string[] {
    return this.#judging?.judge.problems() ?? [];
  }
}

function isSaved(value: unknown): value is Saved {
  if (typeof value !== 'object' || value === null || !('form' in value) || value.form !== FORM) return false;
  return 'next' in value && Number.isSafeInteger(value.next) && 'seen' in value && Array.isArray(value.seen);
}
