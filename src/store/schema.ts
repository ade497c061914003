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
export const SCHEMA_VERSION = 2;

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
  { name: 'suspicious', type: 'UTINYINT', title: '1 = a detector marked it', since: 2 },
] as const satisfies readonly Column[];
export type TransactionColumnName = (typeof TRANSACTION_COLUMNS)[number]['name'];

/** Text of the registrable domain of a row, as SQL. NULL without. */
export const DOMAIN_SQL = 'CASE WHEN domain_length > 0 THEN right(name, domain_length) END';

/** `CREATE TABLE` of a declaration. */
export function createTable(table: string, columns: readonly Column[]): string {
  return `CREATE TABLE ${table} (${columns.map((column) => `${column.name} ${column.type}`).join(', ')})`;
}
