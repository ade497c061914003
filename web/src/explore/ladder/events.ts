import type { Packet, Transaction } from '../../../../src/server/schema/transactions.ts';

export type EventKind = 'query' | 'retransmission' | 'response' | 'lost';

/** Something that went from one host to another, or should have (`lost`: nobody answered). */
export interface LadderEvent {
  kind: EventKind;
  /** Milliseconds since the first event of the diagram. */
  at: number;
  from: string;
  to: string;
  transport: string;
  label: string;
  /** Something is wrong with it, or worth seeing: truncated, an error code, late. */
  level: 'none' | 'attention' | 'alarm';
  /** Of the transaction it belongs to. */
  id: string;
}
export type HostRole = 'client' | 'resolver' | 'authority';
export interface Host {
  address: string;
  role: HostRole;
  name?: string | undefined;
}
export interface Ladder {
  hosts: Host[];
  events: LadderEvent[];
  /** RFC 3339: what `at` counts from. */
  start: string;
  /** From a truncated answer to the TCP query that followed: indices of events. */
  retries: { from: number; to: number }[];
  /** Transactions shown, and those there were. */
  shown: number;
  of: number;
}

export const MOST_TRANSACTIONS = 200;

/** RFC 3339 with nine digits → ms since 1970, with fractions exact to about 0.2 µs. */
export function exactMs(time: string): number {
  const match = /^(.*?)(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?$/.exec(time);
  const whole = Date.parse(`${match?.[1] ?? time}${match?.[3] ?? 'Z'}`);
  return whole + Number(`0.${match?.[2] ?? '0'}`) * 1000;
}

/** Hosts and events of some transactions, in order of time; `packets`: exact times of copies, by transaction. */
export function ladderOf(
  transactions: readonly Transaction[],
  packets: ReadonlyMap<string, readonly Packet[]> = new Map(),
): Ladder {
  const shown = [...transactions].sort((a, b) => exactMs(a.time) - exactMs(b.time)).slice(0, MOST_TRANSACTIONS);
  const start = shown[0]?.time ?? '';
  const zero = start === '' ? 0 : exactMs(start);
  const events = shown.flatMap((one) => eventsOf(one, zero, packets.get(one.transaction)));
  // Of what happened at once, what was sent first stays first.
  events.sort((a, b) => a.at - b.at);
  return {
    hosts: hostsOf(shown),
    events,
    start,
    retries: retriesOf(shown, events),
    shown: shown.length,
    of: transactions.length,
  };
}

function eventsOf(one: Transaction, zero: number, packets: readonly Packet[] | undefined): LadderEvent[] {
  const begin = exactMs(one.time) - zero;
  const shared = { transport: one.transport, id: one.transaction };
  const out = { ...shared, from: one.client, to: one.server };
  const back = { ...shared, from: one.server, to: one.client };
  const question = `${one.type ?? one.opcode} ${one.name ?? ''}`.trim();
  const events: LadderEvent[] = [];
  const copies = queryTimes(one, begin, zero, packets);
  if (one.queries > 0) {
    events.push({ ...out, kind: 'query', at: begin, label: question, level: 'none' });
    copies.forEach((at, index) => {
      // Where the times between are not known, the last copy stands for them.
      const last = index === copies.length - 1 && copies.length < one.queries - 1;
      const label = last ? `again, copy ${one.queries}` : `again, copy ${index + 2}`;
      events.push({ ...out, kind: 'retransmission', at, label, level: 'attention' });
    });
  }
  if (one.responses > 0) {
    const at = one.latency_ms === undefined ? begin : begin + one.latency_ms;
    events.push({ ...back, kind: 'response', at, label: answerText(one), level: levelOf(one) });
  } else {
    const at = (copies.at(-1) ?? begin) + LOST_MS;
    events.push({ ...back, kind: 'lost', at, label: lostText(one), level: 'alarm' });
  }
  return events;
}
/** An answer that did not come stands just behind its last query. */
const LOST_MS = 0.001;

/** When the query was sent again, ms after `zero`; only copies whose time is known. */
function queryTimes(one: Transaction, begin: number, zero: number, packets: readonly Packet[] | undefined): number[] {
  if (one.queries < 2) return [];
  const seen = packets?.filter(({ direction }) => direction === 'query').map(({ time }) => exactMs(time) - zero);
  if (seen !== undefined && seen.length > 1) return seen.slice(1);
  if (one.latency_ms === undefined || one.latency_last_ms === undefined) return [begin];
  return [begin + one.latency_ms - one.latency_last_ms];
}

function answerText(one: Transaction): string {
  const parts = [one.rcode === 'NOERROR' ? '' : (one.rcode ?? '')];
  if (one.flags.includes('tc')) parts.push('truncated');
  const { answers = [] } = one;
  const last = answers.at(-1);
  if (last !== undefined) parts.push(`${last.type} ${last.data}${answers.length > 1 ? ` +${answers.length - 1}` : ''}`);
  else if (one.answer_kind === 'referral') parts.push('referral');
  else if (one.answer_kind === 'nodata') parts.push('no data');
  if (one.response_bytes !== undefined) parts.push(`${one.response_bytes} B`);
  return parts.filter((part) => part !== '').join(' · ');
}

function lostText({ outcome }: Transaction): string {
  if (outcome === 'unreachable') return 'unreachable (ICMP)';
  return outcome === 'capture_ended' ? 'the capture ended' : 'no answer';
}

function levelOf({ rcode, flags, late }: Transaction): LadderEvent['level'] {
  if (rcode === 'SERVFAIL' || rcode === 'REFUSED') return 'alarm';
  return rcode === 'NXDOMAIN' || flags.includes('tc') || late > 0 ? 'attention' : 'none';
}

/** Clients on the left, resolvers between, authorities on the right; within them as they appear. */
function hostsOf(transactions: readonly Transaction[]): Host[] {
  const clients = new Set(transactions.map(({ client }) => client));
  const asked = new Map<string, HostRole>();
  for (const { server, leg, role } of transactions) {
    const upstream = leg === 'upstream' || role !== 'recursive';
    if (asked.get(server) !== 'resolver') asked.set(server, upstream ? 'authority' : 'resolver');
  }
  const names = new Map(transactions.map((one) => [one.client, one.client_name]));
  const hosts = new Map<string, Host>();
  for (const { client, server } of transactions) {
    for (const address of [client, server]) {
      const known = asked.get(address);
      const role = known === undefined ? 'client' : clients.has(address) ? 'resolver' : known;
      hosts.set(address, { address, role, name: names.get(address) });
    }
  }
  const order: readonly HostRole[] = ['client', 'resolver', 'authority'];
  return [...hosts.values()].sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
}

function retriesOf(transactions: readonly Transaction[], events: readonly LadderEvent[]): Ladder['retries'] {
  return transactions.flatMap(({ transaction, tcp_retry }) => {
    if (tcp_retry === undefined) return [];
    const from = events.findIndex(({ id, kind }) => id === transaction && kind === 'response');
    const to = events.findIndex(({ id, kind }) => id === tcp_retry && kind === 'query');
    return from < 0 || to < 0 ? [] : [{ from, to }];
  });
}
