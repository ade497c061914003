import { ANSWERED_HOP, type Hop } from './hops.ts';
import { TopList, type TopListState } from './top-list.ts';

const MOST_LEVELS = 512;
const MOST_SERVERS = 32;
const STABLE_SIGHTINGS = 100;
/** Referrals of a server from which it is one of its level. */
const LEAST_OF_SERVER = 5;
/** Levels whose servers answer more often than so are the domains' own servers, too. */
const ANSWERS_SHARE = 0.01;

/** A step of a resolution that led elsewhere than such steps do. */
export interface StrangeHop {
  /** A server unknown on this level gave a referral; or one that only refers answered itself, so that the next is skipped. */
  kind: 'new' | 'skipped';
  /** The zone whose server it should be, or is: `.`, `com`. */
  level: string;
  server: string;
  /** Steps of this level seen before, and by how many servers. */
  sightings: number;
  servers: number;
}

interface Level {
  referrals: TopList<string>;
  /** Answers that its servers gave themselves. */
  answers: number;
}

/** Who gives referrals away, by level: the servers of the root and of public suffixes. They are few, and hardly ever new. */
export class Levels {
  readonly #levels = new Map<string, Level>();

  /**
   * Judges and learns the steps of a path that led to a name of `domain` below `suffix`; the first strange one, null when
   * there is none.
   */
  judge(hops: readonly Hop[], suffix: string, domain: string): StrangeHop | null {
    let strange: StrangeHop | null = null;
    for (const hop of hops) {
      if (hop.depth !== ANSWERED_HOP) strange ??= this.#refers(hop.depth <= 1 ? '.' : suffix, hop.server);
      else if (hop.gave === domain) {
        strange ??= this.#answers('.', hop.server) ?? this.#answers(suffix, hop.server);
      }
    }
    return strange;
  }

  #refers(level: string, server: string): StrangeHop | null {
    let known = this.#levels.get(level);
    if (known === undefined) {
      if (this.#levels.size >= MOST_LEVELS) return null;
      known = { referrals: new TopList(MOST_SERVERS), answers: 0 };
      this.#levels.set(level, known);
    }
    const { referrals } = known;
    const isNew = referrals.count(server) === 0;
    const { total, keys } = referrals;
    const isStrange = isNew && total >= STABLE_SIGHTINGS && keys.length < MOST_SERVERS;
    const strange = isStrange ? { level, server, sightings: total, servers: keys.length } : null;
    referrals.add(server);
    return strange === null ? null : { kind: 'new', ...strange };
  }

  #answers(level: string, server: string): StrangeHop | null {
    const known = this.#levels.get(level);
    if (known === undefined || known.referrals.count(server) < LEAST_OF_SERVER) return null;
    const { total, keys } = known.referrals;
    const isStrange = total >= STABLE_SIGHTINGS && known.answers <= ANSWERS_SHARE * total;
    known.answers++;
    return isStrange ? { kind: 'skipped', level, server, sightings: total, servers: keys.length } : null;
  }

  /** Servers of a level, the most frequent first. */
  serversOf(level: string): { key: string; share: number }[] {
    return this.#levels.get(level)?.referrals.top(MOST_SERVERS) ?? [];
  }

  state(): SavedLevel[] {
    return [...this.#levels].map(([level, { referrals, answers }]) => [level, referrals.state(), answers]);
  }

  restore(state: readonly SavedLevel[]): void {
    this.#levels.clear();
    for (const [level, saved, answers = 0] of state.slice(0, MOST_LEVELS)) {
      const referrals = new TopList<string>(MOST_SERVERS);
      referrals.restore(saved);
      this.#levels.set(level, { referrals, answers });
    }
  }
}

/** A level, its servers, and their own answers (not saved at first). */
export type SavedLevel = [level: string, servers: TopListState<string>, answers?: number];
