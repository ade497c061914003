import type { Exchange } from '../../rr/exchange.ts';
import { RCODES } from '../../wire/iana.ts';
import { type Emit, jsonObject, type LogFormat, type LogParser } from './format.ts';
import { familyOf, logType, RecordsBuilder, wireName } from './records.ts';
import { logTime } from './times.ts';

/** Queries that wait for their answer: so many, and so long. */
const MOST_WAITING = 100_000;
const MOST_WAIT_SECONDS = 30;
const DNS_PORT = 53;

const records = new RecordsBuilder();

/** Suricata's EVE events of DNS, versions 1 to 3; queries and answers are events of their own and are joined. */
export const eveLog: LogFormat = {
  name: 'eve',
  summary: "Suricata's EVE as JSON lines, DNS versions 1 to 3",
  matches: (_head, first) => {
    const event = jsonObject(first);
    return event !== undefined && 'event_type' in event && 'timestamp' in event;
  },
  open: () => new EveParser(),
};

interface Ends {
  client: string;
  clientPort: number;
  server: string;
  serverPort: number;
}

class EveParser implements LogParser {
  /** Queries by who asked whom what, the oldest first. */
  readonly #waiting = new Map<string, Exchange>();
  unasked = 0;
  /** Of the answer before: version 1 writes an event for each of its records. */
  #answered = '';

  line(text: string, emit: Emit): string | undefined {
    const event = jsonObject(text);
    if (event === undefined) return 'it is no JSON object';
    if (event.event_type !== 'dns') return undefined;
    const dns = event.dns;
    if (!isRecord(dns)) return 'dns is no object';
    const time = logTime(textOf(event.timestamp));
    if (time === undefined) return 'timestamp is no time';
    const isAnswer = dns.type === 'answer' || dns.type === 'response';
    const ends = endsOf(event, isAnswer);
    if (ends === undefined) return 'src_ip and dest_ip are no addresses';
    // Version 3 has a list of questions, the others one.
    const [asked] = Array.isArray(dns.queries) ? (dns.queries as unknown[]) : [dns];
    if (!isRecord(asked) || asked.rrname === undefined) return undefined;
    const name = wireName(textOf(asked.rrname) === '' ? '.' : textOf(asked.rrname));
    if (name === null) return 'rrname is no name';
    const type = logType(textOf(asked.rrtype) || 'A');
    if (type < 0) return 'rrtype is no RR type';
    const id = Number(dns.id ?? 0) & 0xffff;
    const key = `${ends.client} ${ends.clientPort} ${ends.server} ${id} ${textOf(asked.rrname)}`;
    this.#giveUp(time.seconds, emit);
    if (!isAnswer) {
      const before = this.#waiting.get(key);
      if (before !== undefined) before.queries = (before.queries ?? 1) + 1;
      else {
        const transport = textOf(event.proto).toUpperCase() === 'TCP' ? 'tcp' : 'udp';
        this.#waiting.set(key, { time: time.seconds, nanos: time.nanos, ...ends, transport, id, name, type });
      }
      return undefined;
    }
    const query = this.#waiting.get(key);
    if (query === undefined) {
      if (key !== this.#answered) this.unasked++;
      this.#answered = key;
      return undefined;
    }
    this.#answered = key;
    this.#waiting.delete(key);
    emit({ ...query, ...answerOf(dns, type), latencyMs: latencyOf(query, time) });
    return undefined;
  }

  end(emit: Emit): void {
    this.#giveUp(Number.POSITIVE_INFINITY, emit);
  }

  /** Nobody answers any more what was asked long ago. */
  #giveUp(now: number, emit: Emit): void {
    for (const [key, query] of this.#waiting) {
      if (query.time > now - MOST_WAIT_SECONDS && this.#waiting.size < MOST_WAITING) return;
      this.#waiting.delete(key);
      emit(query);
    }
  }
}

function latencyOf(query: Exchange, answer: { seconds: number; nanos: number }): number {
  return Math.max(0, (answer.seconds - query.time) * 1000 + (answer.nanos - (query.nanos ?? 0)) / 1e6);
}

/** Who asked whom. Some versions give the answer's packet, some the query's. */
function endsOf(event: Record<string, unknown>, isAnswer: boolean): Ends | undefined {
  const source = textOf(event.src_ip);
  const target = textOf(event.dest_ip);
  const family = familyOf(source);
  if (family === 0 || familyOf(target) !== family) return undefined;
  const [from, to] = [Number(event.src_port ?? 0), Number(event.dest_port ?? 0)];
  const isTurned = from === DNS_PORT && (to !== DNS_PORT || isAnswer);
  if (isTurned) return { client: target, clientPort: to, server: source, serverPort: from };
  return { client: source, clientPort: from, server: target, serverPort: to };
}

function answerOf(dns: Record<string, unknown>, asked: number): Partial<Exchange> {
  const rcode = textOf(dns.rcode).toUpperCase() || 'NOERROR';
  const flags = Number.parseInt(textOf(dns.flags), 16) || 0;
  records.begin();
  if (Array.isArray(dns.answers)) {
    for (const answer of dns.answers as unknown[]) if (isRecord(answer)) add(answer, asked);
  } else if (isRecord(dns.grouped)) addGrouped(dns.grouped);
  else if (dns.rdata !== undefined) add(dns, asked);
  return {
    rcode: RCODES.number(rcode) < 0 ? 'SERVFAIL' : rcode,
    aa: (flags & 0x0400) !== 0,
    ra: (flags & 0x0080) !== 0 || dns.ra === true,
    rd: (flags & 0x0100) !== 0 || dns.rd === true,
    records: records.result(),
  };
}

function add(answer: Record<string, unknown>, asked: number): void {
  const type = logType(textOf(answer.rrtype) || String(asked));
  const data = isRecord(answer.srv) ? textOf(answer.srv.name) : textOf(answer.rdata);
  if (type >= 0 && data !== '') records.record(type, data, Number(answer.ttl ?? 0));
}

/** Answers by type; aliases come first, so that addresses belong to where they lead. */
function addGrouped(grouped: Record<string, unknown>): void {
  const types = Object.keys(grouped).toSorted((a, b) => Number(b === 'CNAME') - Number(a === 'CNAME'));
  for (const name of types) {
    const list = grouped[name];
    if (!Array.isArray(list)) continue;
    for (const data of list as unknown[]) {
      const text = isRecord(data) ? textOf(data.name) : textOf(data);
      if (text !== '') records.record(logType(name), text, 0);
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
