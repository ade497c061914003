import type { BlockTarget, Decision } from '../core/block.ts';
import { Latest } from './latest.ts';
import { targetKey } from './target.ts';

const WEEK_MS = 7 * 86_400_000;
const MOST_KEPT = 10_000;

/** What was proposed in the last seven days, and what became of it: the report that is read before `enforce` is set. */
export class DecisionBook {
  readonly #by = new Latest<Decision>(MOST_KEPT);

  /** Takes the last word on a target; gives it back when it is another than before, so that it is worth writing down. */
  take(decision: Decision): Decision | undefined {
    const key = targetKey(decision);
    const before = this.#by.get(key);
    const kept =
      before === undefined ? decision : { ...decision, first: before.first, count: before.count + decision.count };
    this.#by.set(key, kept);
    return before?.outcome === kept.outcome && before.detectors.length === kept.detectors.length ? undefined : kept;
  }

  /** Takes what an earlier run wrote down: the latest holds, its count is of all before it too. */
  restore(decision: Decision): void {
    this.#by.set(targetKey(decision), decision);
  }

  /** The same was proposed again, and nothing had changed. */
  repeat(target: BlockTarget, now: number): void {
    const known = this.#by.get(targetKey(target));
    if (known === undefined) return;
    known.last = now;
    known.count++;
  }

  /** What was proposed was none; undefined when it never was. */
  dismiss(target: BlockTarget, why: string, now: number): Decision | undefined {
    const known = this.#by.get(targetKey(target));
    if (known === undefined) return undefined;
    Object.assign(known, { outcome: 'false_positive', why, last: now } satisfies Partial<Decision>);
    return known;
  }

  /** The newest first. */
  list(now: number): Decision[] {
    return this.#by
      .values()
      .filter(({ last }) => now - last < WEEK_MS)
      .sort((a, b) => b.last - a.last);
  }
}
