import { addressText } from '../core/address.ts';
import { ANSWER_KINDS, idText, LEGS, NO_KIND, type TransactionBatch } from '../core/transactions.ts';
import { AUTHORITY, MessageView } from '../wire/message.ts';
import { nameText } from '../wire/name.ts';

const CLIENT_LEG = LEGS.indexOf('client');
const UPSTREAM_LEG = LEGS.indexOf('upstream');
const TYPE_NS = 2;
const TYPE_SOA = 6;

/** One step of a resolution: what the resolver asked whom, and what came of it. */
export interface Hop {
  server: string;
  name: string;
  /** Zone that the server spoke for, or of a referral the zone below (owner of NS or SOA); absent when it did not say. */
  zone?: string;
  /** `data nodata nxdomain referral error`; absent without a response. */
  kind?: string;
  seconds: number;
  nanos: number;
  latencyMs?: number;
}

/** A client's transaction with the hops that it caused, in order of their queries. */
export interface ResolutionPath {
  transaction: string;
  client: string;
  server: string;
  hops: Hop[];
}

/**
 * Collects paths from rows that went through `correlate/path.ts`: hops come before the client's row. Hops of at most
 * `limit` clients' transactions wait; beyond that the oldest are forgotten and counted. A hop that timed out after its
 * client was answered is in no path.
 */
export class PathView {
  /** Transactions whose hops were forgotten. */
  forgotten = 0;
  readonly #out: (path: ResolutionPath) => void;
  readonly #limit: number;
  readonly #hops = new Map<string, Hop[]>();
  readonly #view = new MessageView();

  constructor(out: (path: ResolutionPath) => void, limit = 65_536) {
    this.#out = out;
    this.#limit = limit;
  }

  /** Takes rows [from, to) in order. */
  add(batch: TransactionBatch, from = 0, to: number = batch.count): void {
    const c = batch.col;
    for (let i = from; i < to; i++) {
      const parent = idText(c.parentHigh[i], c.parentLow[i]);
      if (c.leg[i] === UPSTREAM_LEG && parent !== '') this.#keep(parent, this.#hop(batch, i));
      // A forwarder's row is a hop of its client's and has hops of its own.
      const transaction = idText(c.idHigh[i], c.idLow[i]);
      const hops = this.#hops.get(transaction);
      if (hops === undefined && c.leg[i] !== CLIENT_LEG) continue;
      this.#hops.delete(transaction);
      const inOrder = (hops ?? []).sort((a, b) => a.seconds - b.seconds || a.nanos - b.nanos);
      this.#out({
        transaction,
        client: endText(batch, i, 'client'),
        server: endText(batch, i, 'server'),
        hops: inOrder,
      });
    }
  }

  #keep(parent: string, hop: Hop): void {
    const hops = this.#hops.get(parent);
    if (hops !== undefined) {
      hops.push(hop);
      return;
    }
    for (const oldest of this.#hops.keys()) {
      if (this.#hops.size < this.#limit) break;
      this.#hops.delete(oldest);
      this.forgotten++;
    }
    this.#hops.set(parent, [hop]);
  }

  #hop(batch: TransactionBatch, i: number): Hop {
    const c = batch.col;
    const view = this.#view;
    view.read(batch.arena, c.queryAt[i], c.queryLength[i], c.queryBytes[i]);
    const hop: Hop = {
      server: endText(batch, i, 'server'),
      name: view.questions === 0 ? '' : nameText(view.bytes, view.questionName[0], view.start),
      seconds: c.openSeconds[i],
      nanos: c.openNanos[i],
    };
    if (c.responseLength[i] === 0) return hop;
    view.read(batch.arena, c.responseAt[i], c.responseLength[i], c.responseBytes[i]);
    const zone = zoneOf(view);
    if (zone !== undefined) hop.zone = zone;
    if (c.answerKind[i] !== NO_KIND) hop.kind = ANSWER_KINDS[c.answerKind[i]];
    hop.latencyMs = batch.latencyNanos(i) / 1e6;
    return hop;
  }
}

function zoneOf(view: MessageView): string | undefined {
  for (let r = 0; r < view.records; r++) {
    if (view.section[r] !== AUTHORITY || (view.type[r] !== TYPE_NS && view.type[r] !== TYPE_SOA)) continue;
    return nameText(view.bytes, view.owner[r], view.start);
  }
  return undefined;
}

function endText(batch: TransactionBatch, i: number, end: 'client' | 'server'): string {
  const c = batch.col;
  return addressText(c.family[i], c[`${end}0`][i], c[`${end}1`][i], c[`${end}2`][i], c[`${end}3`][i]);
}
