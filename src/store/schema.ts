import { CUBE, HISTOGRAM_TYPE, MEASURE_COLUMNS } from './measures.ts';
import { DISTRIBUTIONS } from './store.ts';

/**
 * The tables of the embedded store, declared once: DDL, appended columns, the reference page and migrations derive from
 * it. Times of transactions are nanoseconds since 1970; times of everything else milliseconds.
 */
export type ColumnType = 'UTINYINT' | 'USMALLINT' | 'UINTEGER' | 'UBIGINT' | 'BIGINT' | 'DOUBLE' | 'VARCHAR' | 'BLOB';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** One line, lower case, no full stop. */
  readonly title: string;
  /** The first schema version that has it; 1 unless told. */
  readonly since?: number;
  /** May be NULL (`title` says when). */
  readonly nullable?: boolean;
}

/** What this program writes. Older stores are migrated when they are opened, newer ones refused. */
export const SCHEMA_VERSION = 4;

/**
 * A transaction, a row of a part (`transactions_1`, `transactions_2` …, or a Parquet file). Numbers of lists are indices
 * into OUTCOMES, ANSWER_KINDS, ROLES, LEGS of `core/transactions.ts`.
 */
export const TRANSACTION_COLUMNS = [
  { name: 'time', type: 'BIGINT', title: 'first query copy (orphan: response), ns since 1970' },
  { name: 'last_delay', type: 'BIGINT', title: 'from the first to the last query copy, ns' },
  { name: 'latency', type: 'BIGINT', title: 'from the first query copy to the response, ns', nullable: true },
  { name: 'setup', type: 'BIGINT', title: 'TCP set-up, ns', nullable: true },
  { name: 'transaction', type: 'UBIGINT', title: 'stable id' },
  { name: 'client', type: 'BLOB', title: 'address, 4 or 16 octets' },
  { name: 'server', type: 'BLOB', title: 'address, 4 or 16 octets' },
  { name: 'client_port', type: 'USMALLINT', title: 'port of the client' },
  { name: 'server_port', type: 'USMALLINT', title: 'port of the server' },
  { name: 'transport', type: 'UTINYINT', title: 'IP protocol number: 17 UDP, 6 TCP' },
  { name: 'protocol', type: 'UTINYINT', title: '0 DNS, 1 mDNS, 2 LLMNR, 3 NBNS' },
  { name: 'interface', type: 'VARCHAR', title: 'name of the interface; empty without' },
  { name: 'sensor', type: 'VARCHAR', title: 'name of the sensor; empty without' },
  { name: 'vlan', type: 'USMALLINT', title: '802.1Q id; 65535 = untagged' },
  { name: 'id', type: 'USMALLINT', title: 'DNS message id' },
  {
    name: 'name',
    type: 'VARCHAR',
    title: 'name asked, folded, escaped, no trailing dot; root ".", empty without question',
  },
  { name: 'name_case', type: 'BLOB', title: 'which octets of the wire name are upper case, a bit each; empty = none' },
  {
    name: 'domain_length',
    type: 'USMALLINT',
    title: 'characters at the end of name that are the registrable domain; 0 = none',
  },
  { name: 'type', type: 'USMALLINT', title: 'type asked; 0 without question' },
  { name: 'class', type: 'USMALLINT', title: 'class asked; 0 without question' },
  { name: 'opcode', type: 'UTINYINT', title: 'of the response, else of the query' },
  { name: 'rcode', type: 'USMALLINT', title: 'with EDNS bits; 65535 without response' },
  { name: 'query_flags', type: 'USMALLINT', title: 'the 16 flag bits of the query; 0 without' },
  { name: 'response_flags', type: 'USMALLINT', title: 'the 16 flag bits of the response; 0 without' },
  { name: 'outcome', type: 'UTINYINT', title: 'OUTCOMES' },
  { name: 'answer_kind', type: 'UTINYINT', title: 'ANSWER_KINDS; 255 = none' },
  { name: 'role', type: 'UTINYINT', title: 'ROLES' },
  { name: 'leg', type: 'UTINYINT', title: 'LEGS' },
  { name: 'queries', type: 'UINTEGER', title: 'query copies' },
  { name: 'responses', type: 'UINTEGER', title: 'responses' },
  { name: 'duplicates', type: 'UINTEGER', title: 'mirror copies' },
  { name: 'late', type: 'UINTEGER', title: 'late responses' },
  { name: 'query_bytes', type: 'UINTEGER', title: 'octets of the query on the wire; 0 without' },
  { name: 'response_bytes', type: 'UINTEGER', title: 'octets of the response on the wire; 0 without' },
  { name: 'answers', type: 'USMALLINT', title: "answer records found; the header's count where fault = 0" },
  { name: 'authority', type: 'USMALLINT', title: 'authority records found' },
  { name: 'additional', type: 'USMALLINT', title: 'additional records found, OPT included' },
  { name: 'ttl_min', type: 'UINTEGER', title: 'smallest TTL of the answers, s', nullable: true },
  { name: 'query', type: 'BLOB', title: 'query, lean form (message-form.ts); empty without' },
  { name: 'response', type: 'BLOB', title: 'response, lean form; empty without' },
  { name: 'ttls', type: 'BLOB', title: "TTLs of the response's records: one where all are equal, else each" },
  { name: 'query_frame', type: 'BIGINT', title: 'frame of the first query copy; 0 without' },
  { name: 'response_after', type: 'BIGINT', title: 'frame of the response, less query_frame; 0 without response' },
  {
    name: 'more_frames',
    type: 'BLOB',
    title: 'all frame numbers where there are more: count of queries, then doubles',
  },
  { name: 'retry', type: 'UBIGINT', title: 'transaction over TCP that followed a truncated answer; 0 = none' },
  { name: 'parent', type: 'UBIGINT', title: 'transaction of the client that caused this one; 0 = none' },
  { name: 'fault', type: 'UTINYINT', title: 'FAULT number; 0 = none' },
  { name: 'fault_in', type: 'UTINYINT', title: 'index into FAULT_PLACES' },
  { name: 'fault_side', type: 'UTINYINT', title: '0 query, 1 response' },
  { name: 'fault_at', type: 'UINTEGER', title: 'offset of the fault in its message' },
  {
    name: 'irregular',
    type: 'UTINYINT',
    title: '1 = filters have to look at its messages, the columns do not tell (isIrregular in filter/row.ts)',
  },
  { name: 'suspicious', type: 'UTINYINT', title: '1 = a rule marked it', since: 2 },
  { name: 'rules', type: 'VARCHAR', title: 'names of the rules that marked it; empty without', since: 3 },
] as const satisfies readonly Column[];
export type TransactionColumnName = (typeof TRANSACTION_COLUMNS)[number]['name'];

/** What was seen of (name, type, rdata), a row per write; `compact` merges rows of a key. Sorted by the reversed name. */
export const PASSIVE_COLUMNS = [
  { name: 'reversed', type: 'VARCHAR', title: 'labels of the owner, folded, in reverse order, a dot behind each' },
  { name: 'type', type: 'USMALLINT', title: 'type number' },
  { name: 'data', type: 'VARCHAR', title: 'rdata, presentation text, names folded; empty where it is an address' },
  { name: 'prefix', type: 'UBIGINT', title: 'A: the address; AAAA: its first 64 bits; else 0' },
  { name: 'suffix', type: 'UBIGINT', title: 'AAAA: the last 64 bits of the address; else 0' },
  {
    name: 'cnames',
    type: 'VARCHAR',
    title: "aliases from name to the record's owner, blanks between; empty = its own",
  },
  { name: 'sensor', type: 'VARCHAR', title: 'sensor that saw it first; empty without' },
  { name: 'first', type: 'BIGINT', title: 'first seen, ms' },
  { name: 'last', type: 'BIGINT', title: 'last seen, ms' },
  { name: 'count', type: 'BIGINT', title: 'times seen' },
] as const satisfies readonly Column[];

/** Names that had no answer: a row per write, merged like passive DNS. */
export const MISSING_COLUMNS = [
  { name: 'name', type: 'VARCHAR', title: 'name asked, folded' },
  { name: 'type', type: 'USMALLINT', title: 'type asked' },
  { name: 'kind', type: 'UTINYINT', title: 'index into MISSING_KINDS' },
  { name: 'first', type: 'BIGINT', title: 'first time, ms' },
  { name: 'last', type: 'BIGINT', title: 'last time, ms' },
  { name: 'count', type: 'BIGINT', title: 'how often' },
] as const satisfies readonly Column[];
export const MISSING_KINDS = ['unanswered', 'nxdomain', 'nodata', 'servfail', 'refused', 'error'] as const;

/** How many different clients, names, domains, servers: sketches by bucket of time, merged when they are read. */
export const DISTINCT_COLUMNS = [
  { name: 'time', type: 'BIGINT', title: 'begin of the bucket, ms' },
  { name: 'step', type: 'UINTEGER', title: '60 or 3600, s' },
  { name: 'what', type: 'UTINYINT', title: 'index into DISTINCTS' },
  { name: 'sketch', type: 'BLOB', title: 'octet 0: hashes, four octets each; octet 1: 4096 registers' },
] as const satisfies readonly Column[];

/** Which names and addresses are in rows that came one after the other: who looks for one reads only where it may be. */
export const STRETCH_COLUMNS = [
  { name: 'first', type: 'BIGINT', title: 'earliest time of a row, ms' },
  { name: 'last', type: 'BIGINT', title: 'latest time of a row, ms' },
  { name: 'held', type: 'BLOB', title: 'Bloom filter of names asked and addresses in records; empty: any' },
] as const satisfies readonly Column[];

/** Small JSON values of other parts. */
export const RECORD_COLUMNS = [
  { name: 'kind', type: 'VARCHAR', title: 'RECORD_KINDS' },
  { name: 'id', type: 'VARCHAR', title: 'unique within its kind' },
  { name: 'time', type: 'BIGINT', title: 'ms' },
  { name: 'value', type: 'VARCHAR', title: 'JSON' },
] as const satisfies readonly Column[];

/** Where transactions are: tables, and Parquet files in the folder `parts`. */
export const PART_COLUMNS = [
  {
    name: 'part',
    type: 'UINTEGER',
    title: 'number; the table is transactions_N, the file parts/transactions-N.parquet',
  },
  { name: 'kind', type: 'VARCHAR', title: 'open (rows are added), table or parquet' },
  { name: 'first', type: 'BIGINT', title: 'earliest time of a row, ms' },
  { name: 'last', type: 'BIGINT', title: 'latest time of a row, ms' },
  { name: 'rows', type: 'BIGINT', title: 'rows; of an open part not kept up to date' },
  { name: 'bytes', type: 'BIGINT', title: 'size of the file; 0 of a table' },
  { name: 'added', type: 'BIGINT', title: 'when the last row came in, ms' },
  { name: 'version', type: 'UINTEGER', title: 'schema version its columns are of' },
] as const satisfies readonly Column[];

/** One value each: `schema`, `aggregated` (rows of the open part that rollups and passive DNS hold). */
export const META_COLUMNS = [
  { name: 'key', type: 'VARCHAR', title: 'which' },
  { name: 'value', type: 'VARCHAR', title: 'its value' },
] as const satisfies readonly Column[];

/** A rollup has a row per bucket and key, and write; `kind` 0: the cube, else 1 + index into KEYED (see `rollupTable`). */
const ROLLUP_COLUMNS: readonly { name: string; type: string }[] = [
  { name: 'time', type: 'BIGINT' },
  { name: 'kind', type: 'UTINYINT' },
  { name: 'key', type: 'BLOB' },
  ...Object.entries(CUBE).map(([name, type]) => ({ name, type })),
  ...MEASURE_COLUMNS.map(({ name, type }) => ({ name, type })),
  ...DISTRIBUTIONS.map((name) => ({ name: `${name}_histogram`, type: HISTOGRAM_TYPE })),
];
export const ROLLUP_NAMES: readonly string[] = ROLLUP_COLUMNS.map(({ name }) => name);
/** Tables of rollups, and the length of their buckets in ms. */
export const ROLLUPS = { minutes: 60_000, hours: 3_600_000 } as const;

/** Where rows of a kind are: the few of the cube apart from the many by key, which would be read with them. */
export function rollupTable(table: keyof typeof ROLLUPS, kind: number): string {
  return kind === 0 ? table : `${table}_by_key`;
}

/** Tables for people who read them with other tools. */
export const STORED_TABLES: readonly { name: string; title: string; columns: readonly Column[] }[] = [
  { name: 'transactions_N', title: 'Queries joined with their responses.', columns: TRANSACTION_COLUMNS },
  { name: 'parts', title: 'Where the transactions are.', columns: PART_COLUMNS },
  { name: 'passive, passive_new', title: 'Passive DNS.', columns: PASSIVE_COLUMNS },
  { name: 'missing, missing_new', title: 'Names that had no answer.', columns: MISSING_COLUMNS },
  { name: 'distinct_counts', title: 'Sketches of how many different ones there were.', columns: DISTINCT_COLUMNS },
  { name: 'stretches', title: 'Where a name or an address may be.', columns: STRETCH_COLUMNS },
  { name: 'records', title: 'Alerts, probe results, views, users, audit log.', columns: RECORD_COLUMNS },
  { name: 'meta', title: 'How far the store has come.', columns: META_COLUMNS },
];

/** `CREATE TABLE` of a declaration. */
export function createTable(table: string, columns: readonly { name: string; type: string }[]): string {
  return `CREATE TABLE ${table} (${columns.map(({ name, type }) => `${name} ${type}`).join(', ')})`;
}

/** Tables of a new store, besides its parts. */
export const TABLES: readonly string[] = [
  createTable('meta', META_COLUMNS),
  createTable('parts', PART_COLUMNS),
  ...rollupTables([0, 1]),
  createTable('distinct_counts', DISTINCT_COLUMNS),
  createTable('stretches', STRETCH_COLUMNS),
  createTable('passive', PASSIVE_COLUMNS),
  createTable('passive_new', PASSIVE_COLUMNS),
  createTable('missing', MISSING_COLUMNS),
  createTable('missing_new', MISSING_COLUMNS),
  createTable('records', RECORD_COLUMNS),
];

/** The tables of both rollups, for these kinds. */
function rollupTables(kinds: readonly number[]): string[] {
  return (['minutes', 'hours'] as const).flatMap((table) =>
    kinds.map((kind) => createTable(rollupTable(table, kind), ROLLUP_COLUMNS)),
  );
}

/** Version 3 had both kinds of rows in one table. */
function splitRollup(table: keyof typeof ROLLUPS): string[] {
  return [
    `INSERT INTO ${rollupTable(table, 1)} SELECT * FROM ${table} WHERE kind > 0`,
    `CREATE TABLE kept AS SELECT * FROM ${table} WHERE kind = 0`,
    `DROP TABLE ${table}`,
    `CREATE TABLE ${table} AS SELECT * FROM kept`,
    'DROP TABLE kept',
  ];
}

/** Statements that lead from the version before to this one; parts keep the version they were made with. */
const MIGRATIONS: Readonly<Record<number, readonly string[]>> = {
  4: [
    createTable('stretches', STRETCH_COLUMNS),
    ...rollupTables([1]),
    ...splitRollup('minutes'),
    ...splitRollup('hours'),
  ],
};

/** Statements that lead from a version to today's. */
export function migrationsSince(version: number): readonly string[] {
  return Object.entries(MIGRATIONS).flatMap(([to, statements]) => (Number(to) > version ? statements : []));
}

/** Since this version stretches of rows are kept. */
export const STRETCHES_SINCE = 4;

/** Columns that a transaction of a version does not have yet. */
export function columnsSince(version: number): readonly Column[] {
  return TRANSACTION_COLUMNS.filter((column) => 'since' in column && column.since > version);
}

/** What a column says of rows that were written before there was one. */
export function before(type: ColumnType): string {
  return type === 'VARCHAR' ? "''" : '0';
}

/** Columns of a part in today's order: what its version did not have yet is filled in. */
export function partColumns(version: number): string {
  const missing = new Set(columnsSince(version).map(({ name }) => name));
  return TRANSACTION_COLUMNS.map(({ name, type }) =>
    missing.has(name) ? `${before(type)}::${type} AS ${name}` : name,
  ).join(', ');
}
