import type { TransactionBatch } from '../core/transactions.ts';
import { LEGS } from '../core/transactions.ts';
import { type Transaction, transactionValue } from '../rr/transaction.ts';
import type { ByteWriter } from './byte-writer.ts';
import { CYAN, DIM, GREEN, Line, RED, shown, spanText, YELLOW } from './line.ts';
import type { OutputOptions, TransactionOutput } from './output.ts';
import { TransactionText } from './text-transaction.ts';

const UPSTREAM_LEG = LEGS.indexOf('upstream');
/** Client transactions whose hops wait for them, and those shown lately: hops that close after them stand alone. */
const MOST_WAITING = 65_536;

/** What a resolver asked for a client, and what it asked, if it is a forwarder's server, for that. */
interface Hop {
  seconds: number;
  nanos: number;
  latencyNanos: number;
  value: Transaction;
  hops: Hop[];
}

/**
 * Lines for people with the path of each resolution: a client's transaction, and indented below it what its resolver
 * asked to answer it, in order: when, of whom, what, what came back (a referral with its zone), how long that took.
 * Hops come before their client's row and wait for it; at most 65,536 clients' hops do, then the oldest stand alone.
 */
export class PathText implements TransactionOutput {
  readonly #rows: TransactionText;
  readonly #line: Line;
  readonly #waiting = new Map<string, Hop[]>();
  readonly #shown = new Set<string>();

  constructor(options: OutputOptions, writer: ByteWriter) {
    this.#rows = new TransactionText(options, writer);
    this.#line = new Line(writer, options);
  }

  batch(batch: TransactionBatch, from: number, to: number): void {
    const c = batch.col;
    for (let i = from; i < to; i++) {
      const isHop = c.leg[i] === UPSTREAM_LEG && (c.parentHigh[i] | c.parentLow[i]) !== 0;
      const value = transactionValue(batch, i);
      const hops = this.#take(value.transaction);
      if (isHop && value.parent !== undefined && !this.#shown.has(value.parent)) {
        const { openSeconds, openNanos } = c;
        const hop = { seconds: openSeconds[i], nanos: openNanos[i], latencyNanos: batch.latencyNanos(i), value, hops };
        this.#keep(value.parent, hop);
        continue;
      }
      this.#rows.batch(batch, i, i + 1);
      this.#show(hops, c.openSeconds[i], c.openNanos[i], 1);
      this.#remember(value.transaction);
    }
  }

  /** Hops of clients' transactions that never came (a filter left them out). */
  end(): void {
    for (const id of this.#waiting.keys()) this.#alone(id);
  }

  #take(id: string): Hop[] {
    const hops = this.#waiting.get(id);
    if (hops === undefined) return [];
    this.#waiting.delete(id);
    return hops;
  }

  #keep(parent: string, hop: Hop): void {
    const hops = this.#waiting.get(parent);
    if (hops !== undefined) {
      hops.push(hop);
      return;
    }
    if (this.#waiting.size >= MOST_WAITING) {
      const [oldest] = this.#waiting.keys();
      this.#alone(oldest);
    }
    this.#waiting.set(parent, [hop]);
  }

  #alone(id: string): void {
    const hops = this.#take(id);
    if (hops.length === 0) return;
    this.#line.add(`for transaction ${id}, which is not shown:`, DIM).end();
    this.#show(hops, hops[0].seconds, hops[0].nanos, 1);
  }

  #remember(id: string): void {
    if (this.#shown.size >= MOST_WAITING) {
      const [oldest] = this.#shown;
      this.#shown.delete(oldest);
    }
    this.#shown.add(id);
  }

  #show(hops: Hop[], seconds: number, nanos: number, depth: number): void {
    hops.sort((a, b) => a.seconds - b.seconds || a.nanos - b.nanos);
    for (const hop of hops) {
      const { name = '', type = '', server } = hop.value;
      const after = spanText((hop.seconds - seconds) * 1e9 + hop.nanos - nanos);
      this.#line.add(`${'  '.repeat(depth)}${`+${after}`.padStart(13)} → `, DIM).pad(server, 15);
      this.#line.add(` ${type}`, CYAN).add(` ${name} `);
      this.#line.add(`${Number.isNaN(hop.latencyNanos) ? '' : spanText(hop.latencyNanos)}  `, DIM);
      const came = whatCame(hop.value);
      this.#line.add(came.text, came.style).end();
      this.#show(hop.hops, seconds, nanos, depth + 1);
    }
  }
}

/** What a hop brought, in words: the referral and its zone, the answer, or why there is none. */
function whatCame(value: Transaction): { text: string; style: string } {
  const { outcome, rcode = '', answer_kind: kind, authority = [], answers = [] } = value;
  if (value.responses === 0) return { text: outcome === 'unreachable' ? 'unreachable' : 'no answer', style: RED };
  const zone = authority.find(({ type }) => type === 'NS' || type === 'SOA')?.name;
  if (kind === 'referral') {
    const servers = authority.filter(({ type }) => type === 'NS').map(({ data }) => data);
    return { text: `${rcode} referral to ${zone ?? ''} (${servers.join(', ')})`, style: YELLOW };
  }
  const cut = value.flags.includes('tc') ? ' truncated' : '';
  if (kind === 'data') {
    const data = answers.slice(0, 4).map((one) => (one.type === value.type ? one.data : `${one.type} ${one.data}`));
    return { text: shown(`${rcode}${cut} ${data.join(', ')}${answers.length > 4 ? ' …' : ''}`), style: GREEN };
  }
  const what = kind === 'nodata' ? `${rcode} NODATA` : rcode;
  return {
    text: `${what}${cut}${zone === undefined ? '' : ` (zone ${zone})`}`,
    style: kind === 'error' ? RED : YELLOW,
  };
}
