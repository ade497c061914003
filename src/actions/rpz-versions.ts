import type { Block } from '../core/block.ts';
import type { RpzZone } from './rpz-zone.ts';

/** Versions back to which an incremental transfer goes; whoever is further behind gets the whole zone. */
const MOST_CHANGES = 200;
/** Owners that these name in all: beyond, the whole zone is the shorter transfer. */
const MOST_NAMED = 50_000;

/** What changed from one version of a zone to the next: owners. */
export interface ZoneChange {
  from: number;
  to: number;
  removed: readonly string[];
  added: readonly string[];
}

/** A zone over time: what it holds now, and how it came there (RFC 1995). */
export class RpzVersions {
  readonly zone: RpzZone;
  #serial: number;
  #owners: readonly string[] = [];
  #changes: ZoneChange[] = [];
  /** Owners in the changes. */
  #named = 0;

  /** `serial`: its first; by the time, so that it grows over restarts. */
  constructor(zone: RpzZone, serial: number) {
    this.zone = zone;
    this.#serial = serial;
  }

  get serial(): number {
    return this.#serial;
  }
  get owners(): readonly string[] {
    return this.#owners;
  }

  /** Takes what is blocked now; true when the zone is another. `time`: seconds since 1970. */
  update(blocks: readonly Block[], time: number): boolean {
    const owners = this.zone.owners(blocks);
    const before = new Set(this.#owners);
    const after = new Set(owners);
    const added = owners.filter((owner) => !before.has(owner));
    const removed = this.#owners.filter((owner) => !after.has(owner));
    if (added.length === 0 && removed.length === 0) return false;
    const from = this.#serial;
    const to = Math.max(from + 1, Math.floor(time)) >>> 0;
    this.#serial = to;
    this.#owners = owners;
    this.#changes.push({ from, to, removed, added });
    this.#named += removed.length + added.length;
    while (this.#changes.length > MOST_CHANGES || this.#named > MOST_NAMED) {
      const [oldest] = this.#changes.splice(0, 1);
      this.#named -= oldest.removed.length + oldest.added.length;
    }
    return true;
  }

  /** The changes from a version on; undefined when it is not known (any more). */
  since(serial: number): readonly ZoneChange[] | undefined {
    if (serial === this.#serial) return [];
    const at = this.#changes.findIndex(({ from }) => from === serial);
    return at < 0 ? undefined : this.#changes.slice(at);
  }
}
