import type { Finding, Severity } from '../core/alert.ts';

const HOUR = 3600;
const DAY = 86_400;

/** When incidents began, by key and by detector: what limits their number. Bounded. */
export class Rates {
  readonly #most: number;
  /** By key: when its newest ones began, and the id of the last. */
  readonly #keys = new Map<string, { starts: number[]; id: string }>();
  /** By detector and severity: when those of the last hour began. */
  readonly #detectors = new Map<string, number[]>();

  constructor(most: number) {
    this.#most = most;
  }

  remember(key: string, { id, raised }: { id: string; raised: number }): void {
    const starts = this.#keys.get(key)?.starts.filter((start) => raised - start < DAY) ?? [];
    this.#keys.delete(key);
    this.#keys.set(key, { starts: [...starts, raised], id });
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= this.#most) break;
      this.#keys.delete(oldest);
    }
  }

  /** The last incident of a key that began so often within a day; undefined when it may begin another. */
  last(key: string, time: number, most: number): string | undefined {
    const known = this.#keys.get(key);
    if (known === undefined) return undefined;
    return known.starts.filter((start) => time - start < DAY).length >= most ? known.id : undefined;
  }

  /** Whether one more may begin now. There are as many entries as detectors have severities. */
  admit(detector: string, time: number, most: number): boolean {
    const starts = (this.#detectors.get(detector) ?? []).filter((start) => time - start < HOUR);
    this.#detectors.set(detector, starts);
    if (starts.length >= most) return false;
    starts.push(time);
    return true;
  }
}

/** The finding that stands for `count` of them, this one the newest. */
export function stormOf(finding: Finding, severity: Severity, count: number): Finding {
  const { detector } = finding;
  return {
    ...finding,
    key: `storm ${severity}`,
    severity,
    subject: detector,
    title: `${detector} found ${count} more than can be shown one by one`,
    text:
      `${detector} keeps finding new incidents of severity ${severity}, more an hour than anybody can look at. ` +
      'Those beyond the limit are only counted here; some of them are the evidence.',
    count,
    measures: [],
  };
}
