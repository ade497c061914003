import { ANSWER_KINDS, LEGS } from '../core/transactions.ts';
import { AUTHORITY, type MessageView } from '../wire/message.ts';
import type { Seen } from './seen.ts';

const CLIENT_LEG = LEGS.indexOf('client');
const UPSTREAM_LEG = LEGS.indexOf('upstream');
const REFERRAL = ANSWER_KINDS.indexOf('referral');
const DATA = ANSWER_KINDS.indexOf('data');
const TYPE_NS = 2;
const TYPE_DS = 43;
const MOST_PATHS = 4096;
const MOST_HOPS = 32;

/** What a server of a path did: it gave a zone further down away (its labels: 1 = a top-level domain), or answered. */
export interface Hop {
  server: string;
  /** Labels of the zone that a referral led to; `ANSWERED` where it led nowhere. */
  depth: number;
  /** The registrable domain of which it gave data that its parent zone has not (no DS, no NS), being no server of its; else null. */
  gave: string | null;
}

/** Depth of a hop that answered. */
export const ANSWERED_HOP = 255;

/** Gathers what a resolver asked for a client's query, until the client's own row comes: hops come before it. */
export class Hops {
  /** Queries whose hops were given up. */
  forgotten = 0;
  readonly #paths = new Map<number, Hop[]>();

  /**
   * Takes a row, `isOwn`: of a server that is the domain's own, as far as is known; for a client's, its hops in order of
   * closing (null for others, and where nobody was asked).
   */
  take(seen: Seen, isOwn = true): Hop[] | null {
    const { col } = seen.batch;
    const i = seen.row;
    if (col.leg[i] === UPSTREAM_LEG) {
      const parent = key(col.parentHigh[i], col.parentLow[i]);
      if (parent !== 0 && seen.response !== null) this.#keep(parent, hopOf(seen, seen.response, isOwn));
      return null;
    }
    if (col.leg[i] !== CLIENT_LEG || this.#paths.size === 0) return null;
    const own = key(col.idHigh[i], col.idLow[i]);
    const hops = this.#paths.get(own);
    if (hops === undefined) return null;
    this.#paths.delete(own);
    return hops;
  }

  #keep(parent: number, hop: Hop): void {
    const hops = this.#paths.get(parent);
    if (hops !== undefined) {
      if (hops.length < MOST_HOPS) hops.push(hop);
      return;
    }
    if (this.#paths.size >= MOST_PATHS) {
      for (const oldest of this.#paths.keys()) {
        this.#paths.delete(oldest);
        this.forgotten++;
        break;
      }
    }
    this.#paths.set(parent, [hop]);
  }
}

function key(high: number, low: number): number {
  return high * 0x100000000 + low;
}

function hopOf(seen: Seen, view: MessageView, isOwn: boolean): Hop {
  const { kind, type, domain } = seen;
  return {
    server: seen.server.text,
    depth: kind === REFERRAL ? referralDepth(view) : ANSWERED_HOP,
    gave: isOwn || kind !== DATA || type === TYPE_DS || type === TYPE_NS ? null : (domain?.text ?? null),
  };
}

/** Labels of the zone that a referral leads to. */
function referralDepth(view: MessageView): number {
  for (let r = 0; r < view.records; r++) {
    if (view.section[r] === AUTHORITY && view.type[r] === TYPE_NS) return labelsAt(view, view.owner[r]);
  }
  return ANSWERED_HOP;
}

function labelsAt({ bytes, start }: MessageView, owner: number): number {
  let labels = 0;
  for (let at = owner, jumps = 0; bytes[at] !== 0 && labels < 128 && jumps < 128; ) {
    if (bytes[at] >= 0xc0) {
      at = start + (((bytes[at] & 0x3f) << 8) | bytes[at + 1]);
      jumps++;
    } else {
      at += bytes[at] + 1;
      labels++;
    }
  }
  return labels;
}
