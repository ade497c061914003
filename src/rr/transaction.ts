import { addressText } from '../core/address.ts';
import { DNS, PROTOCOL_NAMES } from '../core/carrier.ts';
import { timeText } from '../core/clock.ts';
import {
  ANSWER_KINDS,
  idText,
  LEGS,
  NO_KIND,
  NO_RCODE,
  NO_VLAN,
  OUTCOMES,
  ROLES,
  type TransactionBatch,
} from '../core/transactions.ts';
import { TCP } from '../core/carrier.ts';
import { FAULT_PLACES, FAULTS } from '../wire/fault.ts';
import { rcodeName } from '../wire/iana.ts';
import { ADDITIONAL, ANSWER, AUTHORITY, MessageView } from '../wire/message.ts';
import { flagNames, operationName } from '../wire/protocol.ts';
import { recordReader } from './define.ts';
import {
  type EcsData,
  ecsValue,
  type EdeData,
  edeValues,
  type EdnsData,
  ednsValue,
  type FaultData,
  questionValues,
  type RecordData,
  recordValue,
} from './value.ts';

/** A query joined with its response: nametap's native record. Keys that are unknown or absent are left out. */
export interface Transaction {
  /** RFC 3339, 9 digits: of the first query (orphan: of the response). */
  time: string;
  client: string;
  /** Only where one is configured. */
  client_name?: string;
  client_port: number;
  server: string;
  server_port: number;
  transport: 'udp' | 'tcp';
  /** Only where it is not plain DNS. */
  protocol?: (typeof PROTOCOL_NAMES)[number];
  interface?: string;
  sensor?: string;
  vlan?: number;
  leg: (typeof LEGS)[number];
  id: number;
  /** Escaped text as on the wire, no trailing dot; the root is `.`. */
  name?: string;
  type?: string;
  class?: string;
  opcode: string;
  /** With EDNS's upper bits. */
  rcode?: string;
  /** Of the response, else of the query. */
  flags: string[];
  role: (typeof ROLES)[number];
  outcome: (typeof OUTCOMES)[number];
  answer_kind?: (typeof ANSWER_KINDS)[number];
  /** Milliseconds with 6 decimals, from the first / last copy of the query. */
  latency_ms?: number;
  latency_last_ms?: number;
  /** From SYN to the client's first ACK; on the first transaction of a connection whose beginning was seen. */
  tcp_setup_ms?: number;
  queries: number;
  responses: number;
  duplicates: number;
  late: number;
  tcp_retry?: string;
  answers?: RecordData[];
  authority?: RecordData[];
  additional?: RecordData[];
  /** Final addresses, and the chain of aliases that led to them from the name asked. */
  addresses?: string[];
  cnames?: string[];
  /** Smallest TTL of the answers, seconds; with its top bit set it counts as 0 (RFC 2181 §8). */
  ttl_min?: number;
  query_bytes?: number;
  response_bytes?: number;
  edns?: { query?: EdnsData; response?: EdnsData };
  ede?: EdeData[];
  ecs?: EcsData;
  registrable_domain?: string;
  public_suffix?: string;
  frames: { query: number[]; response: number[] };
  fault?: FaultData;
  /** Where rules of the operator marked it. */
  is_suspicious?: true;
  rules?: string[];
  parent?: string;
  transaction: string;
}

/** What a batch alone does not know. */
export interface TransactionExtra {
  interfaceName?: string;
  sensor?: string;
  /** Names of the rules that marked it, `, ` between them. */
  rules?: string;
  registrableDomain?: (name: string) => { domain: string | null; suffix: string | null };
}

const MAX_CHAIN = 64;
const query = new MessageView();
const response = new MessageView();

/** The native record of row `i`: its columns, and its messages read again from the batch's arena. */
export function transactionValue(batch: TransactionBatch, i: number, extra: TransactionExtra = {}): Transaction {
  const c = batch.col;
  const asked = c.queryLength[i] > 0;
  const answered = c.responseLength[i] > 0;
  if (asked) query.read(batch.arena, c.queryAt[i], c.queryLength[i], Math.max(c.queryBytes[i], c.queryLength[i]));
  if (answered) {
    response.read(batch.arena, c.responseAt[i], c.responseLength[i], Math.max(c.responseBytes[i], c.responseLength[i]));
  }
  const first = asked && query.questions > 0 ? query : answered ? response : query;
  const protocol = c.protocol[i];
  const flags = answered ? response.flags : asked ? query.flags : 0;
  const value: Transaction = {
    time: timeText(c.openSeconds[i], c.openNanos[i]),
    client: addressText(c.family[i], c.client0[i], c.client1[i], c.client2[i], c.client3[i]),
    client_port: c.clientPort[i],
    server: addressText(c.family[i], c.server0[i], c.server1[i], c.server2[i], c.server3[i]),
    server_port: c.serverPort[i],
    transport: c.transport[i] === TCP ? 'tcp' : 'udp',
    leg: LEGS[c.leg[i]],
    id: c.id[i],
    opcode: operationName(c.opcode[i] << 11, protocol),
    flags: flagNames(flags, protocol),
    role: ROLES[c.role[i]],
    outcome: OUTCOMES[c.outcome[i]],
    queries: c.queries[i],
    responses: c.responses[i],
    duplicates: c.duplicates[i],
    late: c.late[i],
    frames: batch.frames(i),
    transaction: idText(c.idHigh[i], c.idLow[i]),
  };
  if (protocol !== DNS) value.protocol = PROTOCOL_NAMES[protocol];
  if (extra.interfaceName !== undefined) value.interface = extra.interfaceName;
  if (extra.sensor !== undefined) value.sensor = extra.sensor;
  if (extra.rules !== undefined && extra.rules !== '') {
    value.is_suspicious = true;
    value.rules = extra.rules.split(', ');
  }
  if (c.vlan[i] !== NO_VLAN) value.vlan = c.vlan[i];
  if (asked || answered) addQuestion(value, first, protocol, extra);
  addColumns(value, batch, i);
  if (answered) addSections(value, response, protocol);
  addEdns(value, asked ? query : undefined, answered ? response : undefined);
  return value;
}

function addQuestion(value: Transaction, view: MessageView, protocol: number, extra: TransactionExtra): void {
  recordReader.begin(view);
  const question = questionValues(view, protocol)[0];
  if (question === undefined) return;
  value.name = question.name;
  value.type = question.type;
  value.class = question.class;
  const found = extra.registrableDomain?.(question.name);
  if (found === undefined) return;
  if (found.domain !== null) value.registrable_domain = found.domain;
  if (found.suffix !== null) value.public_suffix = found.suffix;
}

function addColumns(value: Transaction, batch: TransactionBatch, i: number): void {
  const c = batch.col;
  if (c.rcode[i] !== NO_RCODE) value.rcode = rcodeName(c.rcode[i]);
  if (c.answerKind[i] !== NO_KIND) value.answer_kind = ANSWER_KINDS[c.answerKind[i]];
  const latency = batch.latencyNanos(i);
  if (!Number.isNaN(latency)) {
    value.latency_ms = latency / 1e6;
    value.latency_last_ms = batch.latencyNanos(i, true) / 1e6;
  }
  if (c.transport[i] === TCP && !Number.isNaN(c.setupNanos[i])) value.tcp_setup_ms = c.setupNanos[i] / 1e6;
  if (c.queryBytes[i] > 0) value.query_bytes = c.queryBytes[i];
  if (c.responseBytes[i] > 0) value.response_bytes = c.responseBytes[i];
  const retry = idText(c.retryHigh[i], c.retryLow[i]);
  if (retry !== '') value.tcp_retry = retry;
  const parent = idText(c.parentHigh[i], c.parentLow[i]);
  if (parent !== '') value.parent = parent;
  if (c.fault[i] !== 0) {
    value.fault = { cause: FAULTS[c.fault[i]], offset: c.faultAt[i], in: FAULT_PLACES[c.faultIn[i]] };
  }
}

function addSections(value: Transaction, view: MessageView, protocol: number): void {
  recordReader.begin(view);
  const answers: RecordData[] = [];
  const authority: RecordData[] = [];
  const additional: RecordData[] = [];
  let ttl = -1;
  for (let i = 0; i < view.records; i++) {
    if (i === view.opt) continue;
    const record = recordValue(view, i, protocol);
    if (record === undefined) break;
    const section = view.section[i];
    if (section === ANSWER) {
      answers.push(record);
      const seconds = record.ttl > 0x7fffffff ? 0 : record.ttl;
      if (ttl < 0 || seconds < ttl) ttl = seconds;
    } else if (section === AUTHORITY) authority.push(record);
    else if (section === ADDITIONAL) additional.push(record);
  }
  value.answers = answers;
  value.authority = authority;
  value.additional = additional;
  if (ttl >= 0) value.ttl_min = ttl;
  if (answers.length > 0 && value.name !== undefined) addChain(value, value.name, answers);
}

/** Follows aliases from the name asked; only what stands at their end are the question's addresses. */
function addChain(value: Transaction, asked: string, answers: readonly RecordData[]): void {
  const aliases = aliasesOf(answers);
  let name = asked;
  if (aliases !== undefined) {
    const chain: string[] = [];
    const seen = new Set<string>();
    for (;;) {
      const next = follow(aliases, name);
      if (next === undefined || chain.length === MAX_CHAIN || seen.has(fold(next))) break;
      chain.push(next);
      seen.add(fold(next));
      name = next;
    }
    if (chain.length > 0) value.cnames = chain;
  }
  const folded = fold(name);
  const addresses: string[] = [];
  for (const { name: owner, type, data } of answers) {
    if ((type === 'A' || type === 'AAAA') && (owner === name || fold(owner) === folded) && !data.startsWith('\\#')) {
      addresses.push(data);
    }
  }
  if (addresses.length > 0) value.addresses = addresses;
}

interface Aliases {
  readonly names: Map<string, string>;
  readonly trees: Map<string, string>;
}

function aliasesOf(answers: readonly RecordData[]): Aliases | undefined {
  let aliases: Aliases | undefined;
  for (const { name, type, data } of answers) {
    if ((type !== 'CNAME' && type !== 'DNAME') || data.startsWith('\\#')) continue;
    aliases ??= { names: new Map(), trees: new Map() };
    const map = type === 'CNAME' ? aliases.names : aliases.trees;
    const key = fold(name);
    if (!map.has(key)) map.set(key, data);
  }
  return aliases;
}

/** Where a name leads: its CNAME, else what the DNAME of a tree above it makes of it (RFC 6672 §2.2). */
function follow(aliases: Aliases, name: string): string | undefined {
  const folded = fold(name);
  const direct = aliases.names.get(folded);
  if (direct !== undefined || aliases.trees.size === 0) return direct;
  for (let i = 0; i < folded.length; i++) {
    if (folded[i] === '\\') i++;
    else if (folded[i] === '.') {
      const target = aliases.trees.get(folded.slice(i + 1));
      if (target !== undefined) return target === '.' ? name.slice(0, i) : `${name.slice(0, i)}.${target}`;
    }
  }
  return undefined;
}

/** ASCII lower case; names shown hold no other letters. */
function fold(name: string): string {
  return name.toLowerCase();
}

function addEdns(value: Transaction, asked: MessageView | undefined, answered: MessageView | undefined): void {
  const mine = asked && ednsValue(asked);
  const theirs = answered && ednsValue(answered);
  if (mine !== undefined || theirs !== undefined) {
    value.edns = {};
    if (mine !== undefined) value.edns.query = mine;
    if (theirs !== undefined) value.edns.response = theirs;
  }
  if (answered !== undefined && theirs !== undefined && theirs.options.length > 0) {
    const ede = edeValues(answered);
    if (ede.length > 0) value.ede = ede;
  }
  const ecs = (answered && ecsValue(answered)) ?? (asked && ecsValue(asked));
  if (ecs !== undefined) value.ecs = ecs;
}
