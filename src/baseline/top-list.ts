/** A few most frequent keys of many (Space-Saving): counts are too high by at most the least of them. */
export class TopList<K> {
  readonly keys: K[] = [];
  readonly counts: number[] = [];
  /** All that was added, faded as the counts are. */
  total = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** `weight`: how many it stands for. */
  add(key: K, weight = 1): void {
    this.total += weight;
    const { keys, counts } = this;
    const at = keys.indexOf(key);
    if (at >= 0) counts[at] += weight;
    else if (keys.length < this.#most) {
      keys.push(key);
      counts.push(weight);
    } else {
      let least = 0;
      for (let i = 1; i < counts.length; i++) if (counts[i] < counts[least]) least = i;
      keys[least] = key;
      counts[least] += weight;
    }
  }

  count(key: K): number {
    const at = this.keys.indexOf(key);
    return at < 0 ? 0 : this.counts[at];
  }

  fade(factor: number): void {
    this.total *= factor;
    for (let i = 0; i < this.counts.length; i++) this.counts[i] *= factor;
  }

  /** The most frequent first, with their share of all. */
  top(n: number): { key: K; count: number; share: number }[] {
    const { keys, counts, total } = this;
    return keys
      .map((key, i) => ({ key, count: counts[i], share: total > 0 ? Math.min(1, counts[i] / total) : 0 }))
      .sort((a, b) => b.count - a.count)
      .slice(0, n);
  }

  state(): TopListState<K> {
    return { keys: [...this.keys], counts: [...this.counts], total: this.total };
  }

  restore({ keys, counts, total }: TopListState<K>): void {
    this.keys.splice(0, this.keys.length, ...keys.slice(0, this.#most));
    this.counts.splice(0, this.counts.length, ...counts.slice(0, this.#most));
    this.total = total;
  }
}

export interface TopListState<K> {
  keys: K[];
  counts: number[];
  total: number;
}
