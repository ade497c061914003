import type { PassiveRow } from '../store/store.ts';
import { TYPES } from '../wire/iana.ts';
import { NAME_LAST } from './passive.ts';
import { ProblemError } from './problem.ts';
import type { PdnsImport } from './schema/pdns.ts';

const MOST_BYTES = 256 << 20;
const MOST_LINE = 64 << 10;
const ROWS_AT_ONCE = 2000;

type Format = 'cof' | 'zeek' | 'passivedns';
/** Rows of a line, or why it has none. */
type LineReader = (line: string) => PassiveRow[] | string;

/** Reads passive DNS of other tools, line by line; what is not understood is counted by cause. */
export class ImportLines {
  readonly counts: PdnsImport = { lines: 0, imported: 0, skipped: 0, reasons: {} };
  readonly #read: LineReader;
  readonly #write: (rows: PassiveRow[]) => Promise<number>;
  #rows: PassiveRow[] = [];

  constructor(format: Format, write: (rows: PassiveRow[]) => Promise<number>) {
    this.#read = { cof: readCof, zeek: zeekReader(), passivedns: readPassivedns }[format];
    this.#write = write;
  }

  /** Takes everything that comes. Throws ProblemError 413 when it is too much; what came before is kept. */
  async read(body: AsyncIterable<Uint8Array> | null): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    let bytes = 0;
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw new ProblemError(413, `At most ${MOST_BYTES >> 20} MiB can be imported at once.`);
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) await this.#line(line);
      if (rest.length > MOST_LINE) {
        this.#skip('line too long');
        rest = '';
      }
    }
    await this.#line(rest + decoder.decode());
    await this.#flush();
  }

  async #line(text: string): Promise<void> {
    const line = text.replace(/\r$/, '');
    if (line.trim() === '') return;
    const read = line.length > MOST_LINE ? 'line too long' : this.#read(line);
    const isUnknown = typeof read !== 'string' && read.some(({ rrtype }) => TYPES.number(rrtype) < 0);
    const rows = isUnknown ? 'unknown type' : read;
    // Headers of Zeek's logs are no lines of data.
    if (typeof rows !== 'string' && rows.length === 0 && line.startsWith('#')) return;
    this.counts.lines++;
    if (typeof rows === 'string') this.#skip(rows, false);
    else this.#rows.push(...rows);
    if (this.#rows.length >= ROWS_AT_ONCE) await this.#flush();
  }

  #skip(reason: string, isNew = true): void {
    if (isNew) this.counts.lines++;
    this.counts.skipped++;
    this.counts.reasons[reason] = (this.counts.reasons[reason] ?? 0) + 1;
  }

  async #flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    const rows = this.#rows;
    this.#rows = [];
    this.counts.imported += await this.#write(rows);
  }
}

/** The common output format: times in seconds, rdata one or many. */
function readCof(line: string): PassiveRow[] | string {
  const entry = parseObject(line);
  if (entry === undefined) return 'no JSON object';
  const { rrname, rrtype, rdata, count } = entry;
  // `zone_time_first` and `zone_time_last` say when a zone file had it.
  const first = Number(entry.time_first ?? entry.zone_time_first);
  const last = Number(entry.time_last ?? entry.zone_time_last ?? first);
  if (typeof rrname !== 'string' || (typeof rrtype !== 'string' && typeof rrtype !== 'number'))
    return 'no rrname or rrtype';
  if (!isTime(first) || !isTime(last) || last < first) return 'no time_first or time_last';
  const list: unknown[] = Array.isArray(rdata) ? rdata : [rdata];
  const texts = list.filter((one) => typeof one === 'string');
  if (texts.length === 0) return 'no rdata';
  const sensor = typeof entry.sensor_id === 'string' ? entry.sensor_id : undefined;
  return texts.map((text) =>
    passiveRow({ name: rrname, type: String(rrtype), rdata: text, first, last, count: Number(count ?? 1), sensor }),
  );
}

/** Zeek's dns.log, as JSON or tab-separated with its `#fields` line. */
function zeekReader(): LineReader {
  let fields: string[] | undefined;
  let separator = '\t';
  return (line) => {
    if (line.startsWith('#')) {
      const hex = /^#separator \\x([0-9a-f]{2})$/i.exec(line);
      if (hex !== null) separator = String.fromCharCode(Number.parseInt(hex[1], 16));
      if (line.startsWith('#fields')) fields = line.split(separator).slice(1);
      return [];
    }
    let record: Record<string, unknown> | undefined;
    if (line.startsWith('{')) record = parseObject(line);
    else if (fields !== undefined) {
      const values = line.split(separator);
      record = Object.fromEntries(fields.map((name, i) => [name, values[i]]));
    } else return 'no #fields line before it';
    return record === undefined ? 'no JSON object' : zeekRows(record);
  };
}

function zeekRows(record: Record<string, unknown>): PassiveRow[] | string {
  const { ts, query, qtype_name: type, answers } = record;
  const time = typeof ts === 'string' && !/^[\d.]+$/.test(ts) ? Date.parse(ts) / 1000 : Number(ts);
  const list: unknown[] = Array.isArray(answers)
    ? answers
    : typeof answers === 'string' && answers !== '-'
      ? answers.split(',')
      : [];
  if (typeof query !== 'string' || query === '-' || typeof type !== 'string') return 'no query or qtype_name';
  if (!isTime(time)) return 'no ts';
  const texts = list.filter((one): one is string => typeof one === 'string' && one !== '' && one !== '-');
  if (texts.length === 0) return 'no answers';
  // Zeek lists the aliases before the addresses; it does not say of which type an answer is.
  let owner = query;
  return texts.map((text) => {
    const kind = answerType(text, type);
    const row = passiveRow({ name: owner, type: kind, rdata: zeekData(text, kind), first: time, last: time, count: 1 });
    if (kind === 'CNAME') owner = text;
    return row;
  });
}

function answerType(text: string, asked: string): string {
  if (asked !== 'A' && asked !== 'AAAA') return asked;
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return 'A';
  return text.includes(':') ? 'AAAA' : 'CNAME';
}

function zeekData(text: string, type: string): string {
  const match = type === 'TXT' ? /^TXT \d+ (.*)$/s.exec(text) : null;
  return match === null ? text : `"${match[1].replace(/[\\"]/g, '\\$&')}"`;
}

/** `time||client||server||class||query||type||answer||ttl||count`. */
function readPassivedns(line: string): PassiveRow[] | string {
  if (line.startsWith('#')) return [];
  const parts = line.split('||');
  if (parts.length < 8) return 'fewer than 8 fields';
  const [time, , , , name, type, rdata, , count = '1'] = parts;
  const seconds = Number(time);
  if (!isTime(seconds)) return 'no time';
  if (name === '' || !/^[A-Za-z0-9]{1,20}$/.test(type)) return 'no name or type';
  if (rdata === '' || rdata === 'NXDOMAIN' || /^(SERVFAIL|REFUSED|NOTIMPL|FORMERR)/.test(rdata)) return 'no answer';
  return [passiveRow({ name, type, rdata, first: seconds, last: seconds, count: Number(count) || 1 })];
}

interface Entry {
  name: string;
  type: string;
  rdata: string;
  /** Seconds. */
  first: number;
  last: number;
  count: number;
  sensor?: string | undefined;
}

function passiveRow({ name, type, rdata, first, last, count, sensor }: Entry): PassiveRow {
  const number = TYPES.number(type);
  const mnemonic = number < 0 ? type : TYPES.name(number);
  return {
    rrname: undotted(name).toLowerCase(),
    rrtype: mnemonic,
    rdata: NAME_LAST.has(mnemonic) ? undotted(rdata).toLowerCase() : rdata,
    time_first: Math.round(first * 1000),
    time_last: Math.round(last * 1000),
    count: Number.isSafeInteger(count) && count > 0 ? count : 1,
    ...(sensor !== undefined && { sensor: sensor.slice(0, 64) }),
  };
}

function undotted(name: string): string {
  return name === '.' ? name : name.replace(/(?<!\\)\.$/, '');
}

function isTime(seconds: number): boolean {
  return seconds > 0 && seconds < 9e9;
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
