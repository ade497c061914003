import { readFileSync } from 'node:fs';
import { csvRow } from '../core/csv.ts';
import type { ApiClient, PdnsImport, PdnsPage, PdnsRow } from '../app/api-client.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import { numberText } from '../core/figures.ts';
import { HISTORY, print, tableText, withApi } from './history.ts';
import { textOption, wholeNumber } from './options.ts';
import { remark } from './remarks.ts';

/** `nametap pdns`: what a name pointed to, or which names pointed to an address. */
export const pdns: CommandDefinition = {
  name: 'pdns',
  summary: 'passive DNS: what names pointed to, and which names pointed to an address',
  arguments: { name: 'NAME|ADDRESS|CIDR', summary: 'also *.NAME, NAME.* and a range A-B', optional: true },
  options: [
    { name: 'type', letter: 't', value: 'TYPE', summary: 'only records of this type' },
    { name: 'first-after', value: 'TIME', summary: 'only what was first seen since' },
    { name: 'last-before', value: 'TIME', summary: 'only what was last seen before' },
    { name: 'limit', letter: 'c', value: 'N', summary: 'at most so many rows', default: '200' },
    {
      name: 'format',
      letter: 'T',
      value: 'FORMAT',
      summary: 'output, of --import the input; cof = Passive DNS Common Output Format',
      choices: ['text', 'json', 'ndjson', 'csv', 'cof', 'zeek', 'passivedns'],
      default: 'text',
    },
    {
      name: 'import',
      value: 'FILE',
      summary: 'take in what another sensor saw: --format cof, zeek (dns.log) or passivedns',
    },
    ...HISTORY,
  ],
  examples: [
    'nametap pdns www.example.com  # what the name pointed to, and when',
    'nametap pdns 192.0.2.0/24  # all names in a network',
    "nametap pdns '*.example.com' --first-after -1d  # what is new below a domain",
    'nametap pdns --import dns.log --format zeek  # history from elsewhere',
  ],
  run: async ([what], options) => {
    const file = textOption(options, 'import');
    if (file !== undefined) {
      if (what !== undefined) throw new UserError('--import takes a file and no name. Leave one of them out.');
      return withApi(options, (api) => importFile(api, file, options));
    }
    if (what === undefined) throw new UserError('Name what to look for: nametap pdns www.example.com, or 192.0.2.7.');
    return withApi(options, (api) => lookUp(api, what, options));
  },
};

/** The API's largest page. */
const PAGE = 10_000;
const COLUMNS = ['first', 'last', 'count', 'name', 'type', 'data'];

async function lookUp(api: ApiClient, q: string, options: OptionValues): Promise<number> {
  const format = textOption(options, 'format') ?? 'text';
  if (format === 'zeek' || format === 'passivedns') throw new UserError(`--format ${format} is for --import.`);
  const limit = wholeNumber(options, 'limit', 200);
  if (format === 'cof') {
    const response = await api.get(`/query/${encodeURIComponent(q)}`);
    print(await response.text());
    return EXIT.ok;
  }
  const rows: PdnsRow[] = [];
  let after: string | undefined;
  do {
    const response = await api.get('/api/v1/pdns', {
      q,
      type: textOption(options, 'type'),
      first_after: textOption(options, 'first-after'),
      last_before: textOption(options, 'last-before'),
      limit: Math.min(PAGE, limit - rows.length),
      after,
    });
    const page = (await response.json()) as PdnsPage;
    rows.push(...page.rows);
    after = page.next ?? undefined;
  } while (after !== undefined && rows.length < limit);
  if (format === 'json') print(`${JSON.stringify(rows, null, 2)}\n`);
  else if (format === 'ndjson') print(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  else if (format === 'csv') print(csvRow(COLUMNS) + rows.map((row) => csvRow(cells(row))).join(''));
  else if (rows.length > 0) {
    print(
      tableText(
        COLUMNS,
        rows.map((row) => cells(row).map((cell) => (typeof cell === 'number' ? numberText(cell) : cell))),
      ),
    );
  }
  if (rows.length === 0) remark('nothing is known of it');
  else if (after !== undefined) remark(`these are the first ${numberText(rows.length)}; there are more (--limit)`);
  return EXIT.ok;
}

function cells({ time_first, time_last, count, rrname, rrtype, rdata }: PdnsRow): (string | number)[] {
  return [time_first.slice(0, 19), time_last.slice(0, 19), count, rrname, rrtype, rdata];
}

async function importFile(api: ApiClient, path: string, options: OptionValues): Promise<number> {
  const format = textOption(options, 'format') ?? '';
  if (!['cof', 'zeek', 'passivedns'].includes(format)) {
    throw new UserError('--import wants --format cof, zeek or passivedns: what the file holds.');
  }
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new UserError(`Cannot open ${path}: ${reasonOf(error)}.`, EXIT.file, { cause: error });
  }
  const total: PdnsImport = { lines: 0, imported: 0, skipped: 0, reasons: {} };
  for (const piece of pieces(text)) {
    const done = (await (await api.post('/api/v1/pdns/import', { format }, piece)).json()) as PdnsImport;
    total.lines += done.lines;
    total.imported += done.imported;
    total.skipped += done.skipped;
    for (const [reason, n] of Object.entries(done.reasons)) total.reasons[reason] = (total.reasons[reason] ?? 0) + n;
  }
  print(`${numberText(total.imported)} records imported from ${numberText(total.lines)} lines\n`);
  for (const [reason, n] of Object.entries(total.reasons)) remark(`${numberText(n)} lines were passed over: ${reason}`);
  return EXIT.ok;
}

/** Bytes of a request's body: well below what a server takes. */
const PIECE = 4 << 20;

/** A file in pieces of whole lines; the header lines of a Zeek log are in front of each. */
function* pieces(text: string): Generator<string> {
  const head = /^(?:#[^\n]*\n)*/.exec(text)?.[0] ?? '';
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + PIECE);
    if (end < text.length) end = Math.max(text.indexOf('\n', end) + 1, 0) || text.length;
    yield (at === 0 ? '' : head) + text.slice(at, end);
    at = end;
  }
}
