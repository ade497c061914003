import { decodeMessage } from '../rr/encode.ts';
import { differences, type Difference, type DifferenceKind, type Weight, weightOf } from './difference.ts';
import type { LoadQuery, LoadSink } from './load/load.ts';

/** A query of before, and what was answered then. */
export interface ReplayQuery extends LoadQuery {
  /** The response of before; absent where none is known: nothing is compared then. */
  response?: Uint8Array;
  /** True where nobody answered before. */
  wasSilent?: boolean;
}

/** A response that differs from that of before. */
export interface ReplayExample {
  name: string;
  type: string;
  differences: Difference[];
}

export interface ReplayDifferences {
  compared: number;
  same: number;
  weights: Partial<Record<Weight, number>>;
  kinds: Partial<Record<DifferenceKind, number>>;
  /** A few of each kind. */
  examples: ReplayExample[];
}

/** Examples of each kind that are kept. */
const EXAMPLES = 3;

/** Compares what is answered now with what was answered before. */
export class ReplayCompare implements LoadSink<ReplayQuery> {
  readonly found: ReplayDifferences = { compared: 0, same: 0, weights: {}, kinds: {}, examples: [] };

  answered({ query, response, wasSilent }: ReplayQuery, bytes: Uint8Array): void {
    if (response === undefined) {
      if (wasSilent === true)
        this.#count(query, [{ kind: 'silence', weight: 'matters', a: 'no answer', b: 'an answer' }]);
      return;
    }
    // Most answers are the very same but for their id: no need to look into them.
    if (isSame(response, bytes)) {
      this.found.compared++;
      this.found.same++;
      return;
    }
    this.#count(query, differences(decodeMessage(response), decodeMessage(bytes)));
  }

  lost({ query, response }: ReplayQuery): void {
    if (response === undefined) return;
    this.#count(query, differences(decodeMessage(response), null));
  }

  #count(query: Uint8Array, list: Difference[]): void {
    const { found } = this;
    found.compared++;
    const weight = weightOf(list);
    if (weight === undefined) {
      found.same++;
      return;
    }
    found.weights[weight] = (found.weights[weight] ?? 0) + 1;
    let isNew = false;
    for (const { kind } of list) {
      const count = (found.kinds[kind] ?? 0) + 1;
      found.kinds[kind] = count;
      if (count <= EXAMPLES) isNew = true;
    }
    if (!isNew) return;
    const [question] = decodeMessage(query).questions;
    found.examples.push({ name: question?.name ?? '.', type: question?.type ?? '', differences: list });
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 2; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
