import { ANSWER_KINDS, NO_KIND, NO_RCODE, NO_VLAN, OUTCOMES, TransactionBatch } from '../../src/core/transactions.ts';
import { hashName } from '../../src/wire/name.ts';

/** One record of a response: type number, TTL and rdata bytes. The owner is the name asked unless given. */
export interface Answer {
  owner?: string;
  type: number;
  ttl: number;
  rdata: number[];
}

/** A transaction as a test states it; everything has a default. */
export interface Row {
  at?: number;
  name?: string;
  type?: number;
  client?: string;
  server?: string;
  port?: number;
  id?: number;
  tcp?: boolean;
  queries?: number;
  lastMillis?: number;
  outcome?: (typeof OUTCOMES)[number];
  kind?: (typeof ANSWER_KINDS)[number];
  rcode?: number;
  latencyNanos?: number;
  answers?: Answer[];
  flags?: number;
  edns?: boolean;
  retry?: boolean;
  setupNanos?: number;
  fault?: number;
  pad?: number;
}

export function nameBytes(name: string): number[] {
  const bytes: number[] = [];
  for (const label of name.split('.').filter((l) => l !== ''))
    bytes.push(label.length, ...Buffer.from(label, 'latin1'));
  return [...bytes, 0];
}

const word = (n: number) => [(n >>> 8) & 255, n & 255];
const long = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];

function message(row: Row, flags: number, answers: Answer[]): Uint8Array {
  const { name = 'www.example.com', type = 1, id = 1, edns = false } = row;
  const bytes = [...word(id), ...word(flags), 0, 1, ...word(answers.length), 0, 0, 0, edns ? 1 : 0];
  bytes.push(...nameBytes(name), ...word(type), 0, 1);
  for (const answer of answers) {
    bytes.push(...(answer.owner === undefined ? [0xc0, 12] : nameBytes(answer.owner)));
    bytes.push(...word(answer.type), 0, 1, ...long(answer.ttl), ...word(answer.rdata.length), ...answer.rdata);
  }
  if (edns) bytes.push(0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0);
  return Uint8Array.from(bytes);
}

const ip = (text: string) => text.split('.').reduce((a, b) => a * 256 + Number(b), 0);
let nextId = 1;

/** Appends a row to a batch; false when the batch is full. */
export function addRow(batch: TransactionBatch, row: Row): boolean {
  const { outcome = 'answered', at = 1_700_000_000, queries = 1, latencyNanos = 1_000_000 } = row;
  const c = batch.col;
  const i = batch.count;
  const answered = outcome === 'answered' || outcome === 'orphan';
  const query = outcome === 'orphan' ? new Uint8Array(0) : message(row, 0x0100, []);
  const response = answered
    ? message(row, (row.flags ?? 0x8180) | ((row.rcode ?? 0) & 15), row.answers ?? [])
    : new Uint8Array(0);
  if (i === batch.capacity || batch.used + 8 + query.length + response.length > batch.arena.length) return false;
  const seconds = Math.floor(at);
  const nanos = Math.round((at - seconds) * 1e9);
  c.setupNanos[i] = row.setupNanos ?? Number.NaN;
  c.openSeconds[i] = seconds;
  c.openNanos[i] = nanos;
  const last = nanos + (row.lastMillis ?? 0) * 1e6;
  c.lastSeconds[i] = outcome === 'orphan' ? 0 : seconds + Math.floor(last / 1e9);
  c.lastNanos[i] = outcome === 'orphan' ? 0 : last % 1e9;
  const answer = nanos + latencyNanos;
  c.answerSeconds[i] = answered ? seconds + Math.floor(answer / 1e9) : 0;
  c.answerNanos[i] = answered ? ((answer % 1e9) + 1e9) % 1e9 : 0;
  c.queries[i] = outcome === 'orphan' ? 0 : queries;
  c.responses[i] = answered ? 1 : 0;
  c.family[i] = 4;
  c.client3[i] = ip(row.client ?? '10.0.0.1');
  c.server3[i] = ip(row.server ?? '10.0.0.53');
  c.clientPort[i] = row.port ?? 40000;
  c.serverPort[i] = 53;
  c.transport[i] = row.tcp ? 6 : 17;
  c.id[i] = row.id ?? 1;
  c.type[i] = row.type ?? 1;
  c.class[i] = 1;
  c.vlan[i] = NO_VLAN;
  c.rcode[i] = answered ? (row.rcode ?? 0) : NO_RCODE;
  c.outcome[i] = OUTCOMES.indexOf(outcome);
  const kind = row.kind ?? (row.rcode === 3 ? 'nxdomain' : row.rcode ? 'error' : 'data');
  c.answerKind[i] = answered ? ANSWER_KINDS.indexOf(kind) : NO_KIND;
  c.fault[i] = row.fault ?? 0;
  c.idHigh[i] = 1;
  c.idLow[i] = nextId++;
  c.retryLow[i] = row.retry ? 77 : 0;
  const wire = Uint8Array.from(nameBytes(row.name ?? 'www.example.com'));
  c.nameHash[i] = hashName(wire, 0, 0);
  const queryAt = batch.used;
  batch.arena.set(query, queryAt);
  batch.arena.set(response, queryAt + query.length);
  batch.used = queryAt + query.length + response.length;
  c.queryAt[i] = queryAt;
  c.queryLength[i] = query.length;
  c.queryBytes[i] = query.length + (query.length > 0 ? (row.pad ?? 0) : 0);
  c.responseAt[i] = queryAt + query.length;
  c.responseLength[i] = response.length;
  c.responseBytes[i] = response.length;
  batch.count = i + 1;
  return true;
}

/** Batches of the rows given. */
export function batchesOf(rows: Iterable<Row>): TransactionBatch[] {
  const batches = [TransactionBatch.create(1024)];
  for (const row of rows) {
    if (addRow(batches[batches.length - 1], row)) continue;
    batches.push(TransactionBatch.create(1024));
    addRow(batches[batches.length - 1], row);
  }
  return batches;
}

export const a = (text: string, ttl = 300, owner?: string): Answer => ({
  type: 1,
  ttl,
  rdata: text.split('.').map(Number),
  owner,
});
export const cname = (target: string, owner?: string, ttl = 300): Answer => ({
  type: 5,
  ttl,
  rdata: nameBytes(target),
  owner,
});
