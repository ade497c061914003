import { DNS, LLMNR, MDNS, NBNS } from '../../core/carrier.ts';
import type { Exchange } from '../../rr/exchange.ts';
import { type Emit, jsonObject, type LogFormat, type LogParser, MOST_LATENCY_MS } from './format.ts';
import { familyOf, logType, RecordsBuilder, wireName } from './records.ts';
import { logTime } from './times.ts';

/** What a row of the log has; an absent field is undefined. */
interface ZeekRow {
  text(field: string): string | undefined;
  list(field: string): string[];
}

const records = new RecordsBuilder();

/** Zeek's dns.log as tab-separated values, with its header. */
export const zeekTsv: LogFormat = {
  name: 'zeek',
  summary: "Zeek's dns.log, tab-separated",
  matches: (head) => /^#(?:separator|fields|path)\b/m.test(head.slice(0, 4096)) && head.startsWith('#'),
  open: () => new TsvParser(),
};

/** Zeek's dns.log as JSON, one object a line. */
export const zeekJson: LogFormat = {
  name: 'zeek-json',
  summary: "Zeek's dns.log as JSON lines",
  matches: (_head, first) => {
    const row = jsonObject(first);
    return row !== undefined && 'id.orig_h' in row && ('query' in row || 'qtype' in row || 'trans_id' in row);
  },
  open: () => ({ line: jsonLine }),
};

class TsvParser implements LogParser {
  #separator = '\t';
  #setSeparator = ',';
  #empty = '(empty)';
  #unset = '-';
  #fields = new Map<string, number>();
  #cells: string[] = [];

  readonly #row: ZeekRow = {
    text: (field) => this.#cell(field),
    list: (field) => {
      const cell = this.#cell(field);
      return cell === undefined ? [] : cell.split(this.#setSeparator);
    },
  };

  line(text: string, emit: Emit): string | undefined {
    if (text.startsWith('#')) {
      this.#header(text);
      return undefined;
    }
    if (this.#fields.size === 0) return 'no #fields line came before it';
    this.#cells = text.split(this.#separator);
    if (this.#cells.length !== this.#fields.size) {
      return `it has ${this.#cells.length} columns, the header names ${this.#fields.size}`;
    }
    return exchangeOf(this.#row, emit);
  }

  #header(text: string): void {
    const [key] = /^#\w+/.exec(text) ?? [''];
    const rest = text.slice(key.length + 1);
    if (key === '#separator') this.#separator = unescaped(rest.trim());
    else if (key === '#set_separator') this.#setSeparator = rest;
    else if (key === '#empty_field') this.#empty = rest;
    else if (key === '#unset_field') this.#unset = rest;
    else if (key === '#fields') this.#fields = new Map(rest.split(this.#separator).map((name, i) => [name, i]));
  }

  #cell(field: string): string | undefined {
    const at = this.#fields.get(field);
    if (at === undefined) return undefined;
    const cell = this.#cells[at];
    return cell === this.#unset || cell === this.#empty ? undefined : cell;
  }
}

function jsonLine(text: string, emit: Emit): string | undefined {
  if (text.startsWith('#')) return undefined;
  const object = jsonObject(text);
  if (object === undefined) return 'it is no JSON object';
  return exchangeOf(
    {
      text: (field) => {
        const value = object[field];
        return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
          ? String(value)
          : undefined;
      },
      list: (field) => {
        const value = object[field];
        return Array.isArray(value) ? value.map(String) : [];
      },
    },
    emit,
  );
}

function exchangeOf(row: ZeekRow, emit: Emit): string | undefined {
  const time = logTime(row.text('ts') ?? '');
  if (time === undefined) return 'ts is no time';
  const client = row.text('id.orig_h') ?? '';
  const server = row.text('id.resp_h') ?? '';
  const family = familyOf(client);
  if (family === 0 || familyOf(server) !== family) return 'id.orig_h and id.resp_h are no addresses';
  const query = row.text('query');
  // What is no question (a transfer of nothing, a broken message) says nothing.
  if (query === undefined && row.text('qtype') === undefined && row.text('qtype_name') === undefined) return undefined;
  const name = wireName(nameOf(query ?? ''));
  if (name === null) return 'query is no name';
  const type = logType(row.text('qtype') ?? row.text('qtype_name') ?? '1');
  if (type < 0) return 'qtype is no RR type';
  const serverPort = Number(row.text('id.resp_p') ?? 53);
  const rcode = row.text('rcode');
  const rtt = row.text('rtt');
  const latencyMs = Number(rtt ?? 0) * 1000;
  if (!(latencyMs >= 0 && latencyMs <= MOST_LATENCY_MS)) return 'rtt is no time that an answer takes';
  const isAnswered = rcode !== undefined || rtt !== undefined;
  emit({
    time: time.seconds,
    nanos: time.nanos,
    client,
    server,
    clientPort: Number(row.text('id.orig_p') ?? 0),
    serverPort,
    protocol: PROTOCOLS[serverPort] ?? DNS,
    transport: row.text('proto') === 'tcp' ? 'tcp' : 'udp',
    id: Number(row.text('trans_id') ?? 0) & 0xffff,
    name,
    type,
    class: Number(row.text('qclass') ?? 1) & 0xffff,
    rd: isTrue(row.text('RD')),
    ...(isAnswered && {
      latencyMs,
      rcode: Number(rcode ?? 0) & 15,
      aa: isTrue(row.text('AA')),
      ra: isTrue(row.text('RA')),
      records: answersOf(row, type),
    }),
  } satisfies Exchange);
  return undefined;
}

const PROTOCOLS: Readonly<Record<number, number>> = { 5353: MDNS, 5355: LLMNR, 137: NBNS };

function answersOf(row: ZeekRow, type: number): Exchange['records'] {
  const answers = row.list('answers');
  if (answers.length === 0) return undefined;
  const ttls = row.list('TTLs');
  records.begin();
  answers.forEach((answer, i) => {
    const ttl = Number(ttls[i] ?? 0) || 0;
    const text = /^TXT \d+ (.*)$/s.exec(answer)?.[1];
    if (text === undefined) records.answer(nameOf(answer), type, ttl);
    else records.record(16, unescaped(text), ttl);
  });
  return records.result();
}

/** Zeek's octets `\xNN`, as octets. */
function unescaped(text: string): string {
  if (!text.includes('\\x')) return text;
  return text.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Zeek's octets `\xNN` as RFC 1035 writes them. */
function nameOf(text: string): string {
  if (text === '') return '.';
  if (!text.includes('\\x')) return text;
  return text.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => {
    return `\\${String(Number.parseInt(hex, 16)).padStart(3, '0')}`;
  });
}

function isTrue(text: string | undefined): boolean {
  return text === 'T' || text === 'true';
}
