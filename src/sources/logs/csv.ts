import type { Exchange } from '../../rr/exchange.ts';
import { RCODES } from '../../wire/iana.ts';
import { type Emit, type LogFormat, type LogParser, MOST_LATENCY_MS, NO_HOST } from './format.ts';
import { familyOf, logType, RecordsBuilder, wireName } from './records.ts';
import { logTime } from './times.ts';

const WANTED = ['timestamp', 'domain', 'query_type', 'response_time', 'ip_returned'];
/** Columns that are read where they are there. */
const CLIENT = ['client', 'client_ip', 'source', 'src_ip'];
const SERVER = ['server', 'server_ip', 'resolver', 'dst_ip', 'dest_ip'];

const records = new RecordsBuilder();

/** Comma-separated values with a header; one row for each query. */
export const csvLog: LogFormat = {
  name: 'csv',
  summary: `CSV with the columns ${WANTED.join(', ')}; also client, server and rcode where they are there`,
  matches: (_head, first) => {
    const columns = headerOf(first);
    return columns.includes('timestamp') && columns.includes('domain');
  },
  open: () => new CsvParser(),
};

/** The cells of a line (RFC 4180; a quoted cell does not go on in the next line). */
export function csvCells(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const cells: string[] = [];
  const cell = /\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))(,|$)/gy;
  for (let match = cell.exec(line); match !== null; match = cell.exec(line)) {
    cells.push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
    if (match[3] === '') break;
  }
  return cells;
}

function headerOf(line: string): string[] {
  return csvCells(line.replace(/^\uFEFF/, '')).map((cell) => cell.trim().toLowerCase());
}

class CsvParser implements LogParser {
  #columns: Map<string, number> | null = null;
  #cells: string[] = [];

  line(text: string, emit: Emit): string | undefined {
    if (this.#columns === null) {
      const columns = headerOf(text);
      const missing = WANTED.slice(0, 3).filter((name) => !columns.includes(name));
      if (missing.length > 0) return `the header lacks ${missing.join(', ')}`;
      this.#columns = new Map(columns.map((name, i) => [name, i]));
      return undefined;
    }
    this.#cells = csvCells(text);
    if (this.#cells.length < this.#columns.size) {
      return `it has ${this.#cells.length} columns, the header names ${this.#columns.size}`;
    }
    return this.#exchange(emit);
  }

  #cell(...names: readonly string[]): string {
    for (const name of names) {
      const at = this.#columns?.get(name);
      if (at !== undefined) return this.#cells[at].trim();
    }
    return '';
  }

  #exchange(emit: Emit): string | undefined {
    const time = logTime(this.#cell('timestamp'));
    if (time === undefined) return 'timestamp is neither RFC 3339 nor a number since 1970';
    const domain = this.#cell('domain');
    const name = domain === '' ? null : wireName(domain);
    if (name === null) return 'domain is no name';
    const type = logType(this.#cell('query_type'));
    if (type < 0) return 'query_type is no RR type';
    const taken = this.#cell('response_time');
    if (taken !== '' && !/^\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(taken)) return 'response_time is no number';
    if (Number(taken) > MOST_LATENCY_MS) return 'response_time is longer than an hour';
    const client = this.#cell(...CLIENT) || NO_HOST;
    const server = this.#cell(...SERVER) || (familyOf(client) === 6 ? '::' : NO_HOST);
    if (familyOf(client) === 0 || familyOf(server) !== familyOf(client)) return 'client and server are no addresses';
    const found = answersOf(this.#cell('ip_returned'), type);
    const rcode = this.#cell('rcode').toUpperCase() || found.rcode;
    if (RCODES.number(rcode) < 0) return 'rcode is no response code';
    emit({
      time: time.seconds,
      nanos: time.nanos,
      client,
      server,
      name,
      type,
      ...(taken !== '' && { latencyMs: Number(taken), rcode, records: found.records }),
    });
    return undefined;
  }
}

/** One address or several; or the word for why there is none. */
function answersOf(cell: string, type: number): { records: Exchange['records']; rcode: string } {
  if (cell === '') return { records: undefined, rcode: 'NOERROR' };
  if (/^[A-Za-z]+$/.test(cell) && RCODES.number(cell.toUpperCase()) >= 0) {
    return { records: undefined, rcode: cell.toUpperCase() };
  }
  records.begin();
  for (const answer of cell.split(/[\s,;|]+/)) {
    if (answer !== '' && answer !== '-') records.answer(answer.replace(/^\[(.*)\]$/, '$1'), type, 0);
  }
  return { records: records.result(), rcode: 'NOERROR' };
}
