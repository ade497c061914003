import { ANSWERED_HOP, type Hop } from './hops.ts';
import { TopList, type TopListState } from './top-list.ts';

const MOST_LEVELS = 512;
const MOST_SERVERS = 32;
const STABLE_SIGHTINGS = 100;

/** A step of a resolution that led to a server unknown on this level. */
export interface StrangeHop {
  /** The zone whose server it should be: `.`, `com`. */
  level: string;
  server: string;
  /** Steps of this level seen before, and by how many servers. */
  sightings: number;
  servers: number;
}

/** Who gives referrals away, by level: the servers of the root and of public suffixes. They are few, and hardly ever new. */
export class Levels {
  readonly #levels = new Map<string, TopList<string>>();

  /** Judges and learns the referrals of a path; the first strange one, null when there is none. */
  judge(hops: readonly Hop[], suffix: string): StrangeHop | null {
    let strange: StrangeHop | null = null;
    for (const { server, depth } of hops) {
      if (depth === ANSWERED_HOP) continue;
      const level = depth <= 1 ? '.' : suffix;
      let known = this.#levels.get(level);
      if (known === undefined) {
        if (this.#levels.size >= MOST_LEVELS) continue;
        known = new TopList(MOST_SERVERS);
        this.#levels.set(level, known);
      }
      const isNew = known.count(server) === 0;
      if (isNew && known.total >= STABLE_SIGHTINGS && known.keys.length < MOST_SERVERS) {
        strange ??= { level, server, sightings: known.total, servers: known.keys.length };
      }
      known.add(server);
    }
    return strange;
  }

  /** Servers of a level, the most frequent first. */
  serversOf(level: string): { key: string; share: number }[] {
    return this.#levels.get(level)?.top(MOST_SERVERS) ?? [];
  }

  state(): [string, TopListState<string>][] {
    return [...this.#levels].map(([level, servers]) => [level, servers.state()]);
  }

  restore(state: readonly [string, TopListState<string>][]): void {
    this.#levels.clear();
    for (const [level, saved] of state.slice(0, MOST_LEVELS)) {
      const servers = new TopList<string>(MOST_SERVERS);
      servers.restore(saved);
      this.#levels.set(level, servers);
    }
  }
}
