import { type ClickHouseOptions, type Retention } from '../store.ts';
import { BOUNDED_RECORDS, type Table, tables } from './schema.ts';
import { views } from './views.ts';

/** Windows in which a token is known: blocks that came last. Servers forget older ones. */
const TOKENS = 10_000;

/** TTL of a table; empty where it is kept for ever. */
function ttlOf({ ttl, name }: Table, retention: Retention, options?: ClickHouseOptions): string {
  if (name === 'matches') return 'made + INTERVAL 1 HOUR';
  if (ttl === undefined) return '';
  const days = retention[ttl.keep];
  const clauses: string[] = [];
  const { coldVolume, coldDays = 0 } = options ?? {};
  if (name === 'transactions' && coldVolume !== undefined && coldDays > 0) {
    clauses.push(`${ttl.from} + INTERVAL ${Math.ceil(coldDays)} DAY TO VOLUME ${quoted(coldVolume)}`);
  }
  if (typeof days === 'number' && days > 0 && Number.isFinite(days)) {
    const where = name === 'records' ? ` DELETE WHERE kind IN (${BOUNDED_RECORDS.map(quoted).join(', ')})` : '';
    clauses.push(`${ttl.from} + INTERVAL ${Math.ceil(days)} DAY${where}`);
  }
  return clauses.join(', ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A name of the configuration as an identifier. */
export function identifier(text: string): string {
  return `\`${text.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

function engineOf({ name, engine, shard }: Table, { cluster, database }: ClickHouseOptions): string {
  if (cluster === undefined || engine === 'Null') return engine;
  const [kind, args] = /^(\w+)(?:\((.*)\))?$/.exec(engine)?.slice(1) ?? [];
  // Tables that every server has whole are one group of replicas, over all shards.
  const path = `/clickhouse/tables/${shard === undefined ? 'all' : '{shard}'}/${database}/${name}`;
  const replica = shard === undefined ? '{shard}-{replica}' : '{replica}';
  return `Replicated${kind}(${[quoted(path), quoted(replica), ...(args === undefined ? [] : [args])].join(', ')})`;
}

function settingsOf({ name, settings }: Table, { cluster, policy }: ClickHouseOptions): string[] {
  return [
    `${cluster === undefined ? 'non_' : ''}replicated_deduplication_window = ${TOKENS}`,
    ...(settings === undefined ? [] : [settings]),
    ...(name === 'transactions' && policy !== undefined ? [`storage_policy = ${quoted(policy)}`] : []),
  ];
}

function createTable(table: Table, options: ClickHouseOptions, retention: Retention): string[] {
  const { cluster } = options;
  const on = cluster === undefined ? '' : ` ON CLUSTER ${identifier(cluster)}`;
  const name = localName(table.name, options);
  const ttl = ttlOf(table, retention, options);
  const clauses = [
    `ENGINE = ${engineOf(table, options)}`,
    ...(table.partition === undefined ? [] : [`PARTITION BY ${table.partition}`]),
    ...(table.order === undefined ? [] : [`ORDER BY ${table.order}`]),
    ...(ttl === '' ? [] : [`TTL ${ttl}`]),
    ...(table.engine === 'Null' ? [] : [`SETTINGS ${settingsOf(table, options).join(', ')}`]),
  ];
  const statements = [`CREATE TABLE IF NOT EXISTS ${name}${on} (${table.columns.join(', ')}) ${clauses.join(' ')}`];
  if (cluster !== undefined && table.shard !== undefined) {
    statements.push(
      `CREATE TABLE IF NOT EXISTS ${table.name}${on} AS ${name} ENGINE = Distributed(${quoted(cluster)}, currentDatabase(), ${name}, ${table.shard})`,
    );
  }
  return statements;
}

/** Where rows of a table are on a server of its own kind: of a cluster, its part. */
export function localName(table: string, { cluster }: ClickHouseOptions): string {
  const isWhole = ['records', 'matches', 'meta'].includes(table);
  return cluster === undefined || isWhole ? table : `${table}_local`;
}

/** Statements that make a store: tables in the order in which they need each other. */
export function statementsOf(options: ClickHouseOptions, retention: Retention = {}): string[] {
  const { cluster, detailDays = 0 } = options;
  const on = cluster === undefined ? '' : ` ON CLUSTER ${identifier(cluster)}`;
  const local = (table: string) => localName(table, options);
  return [
    ...tables(Math.ceil(detailDays)).flatMap((table) => createTable(table, options, retention)),
    ...views(local).map(
      ({ to, select }) => `CREATE MATERIALIZED VIEW IF NOT EXISTS ${to}_view${on} TO ${local(to)} AS ${select}`,
    ),
  ];
}

/** Statements that change how long things are kept. `isBounded`: a table drops rows now; what keeps all cannot keep more. */
export function retentionStatements(
  options: ClickHouseOptions,
  retention: Retention,
  isBounded: (table: string) => boolean,
): string[] {
  const on = options.cluster === undefined ? '' : ` ON CLUSTER ${identifier(options.cluster)}`;
  return tables(0).flatMap((table) => {
    if (table.ttl === undefined) return [];
    const name = localName(table.name, options);
    const ttl = ttlOf(table, retention, options);
    if (ttl !== '') return [`ALTER TABLE ${name}${on} MODIFY TTL ${ttl}`];
    return isBounded(name) ? [`ALTER TABLE ${name}${on} REMOVE TTL`] : [];
  });
}

/** Tables of rows, for counting them. */
export const TABLE_NAMES: readonly string[] = tables(0).flatMap(({ name, engine }) =>
  engine === 'Null' ? [] : [name],
);
