import { EXIT, UserError } from '../../core/errors.ts';
import type { PostgresOptions } from './options.ts';
import { Pool } from './pool.ts';
import type { PostgresSession } from './session.ts';

/** Statements that are explained, the costliest of all first. */
const MOST_STATEMENTS = 20;
/** Proposals below this are not worth an index that every insert pays for. */
const LEAST_GAIN = 3;
/** Cost of finding the first row by an index, and of each further one, in the planner's units (random_page_cost). */
const DESCENT = 10;
const BY_INDEX = 4;

/** A statement as pg_stat_statements counts it. */
export interface Statement {
  sql: string;
  calls: number;
  /** Milliseconds: on average, in all. */
  mean: number;
  total: number;
}

/** An index that is missing. */
export interface Proposal {
  statement: Statement;
  /** `CREATE INDEX …`. */
  ddl: string;
  table: string;
  columns: string[];
  /** What the planner expects now and with the index; how many times less. */
  cost: number;
  costAfter: number;
  gain: number;
  plan: string;
}

export interface Advice {
  /** Since when statements are counted, ms. */
  since: number;
  statements: Statement[];
  proposals: Proposal[];
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Total Cost': number;
  'Plan Rows': number;
  Filter?: string;
  'Recheck Cond'?: string;
  'Index Cond'?: string;
  'Sort Key'?: string[];
  Plans?: PlanNode[];
}

/**
 * Ranks what was asked by the time it took, explains the slowest statements, and says which index would help them. Nothing is
 * changed. Throws UserError where pg_stat_statements is not there.
 */
export async function advise(options: PostgresOptions): Promise<Advice> {
  const pool = new Pool(options.url, options);
  try {
    return await pool.use(async (session) => {
      const statements = await slowest(session);
      const proposals: Proposal[] = [];
      for (const statement of statements) {
        const proposal = await proposalFor(session, statement);
        const isKnown = proposals.some(({ ddl }) => ddl === proposal?.ddl);
        if (proposal !== undefined && !isKnown) proposals.push(proposal);
      }
      const since = await session.one<{ ms: number }>(
        'SELECT extract(epoch FROM stats_reset)::float8 * 1000 AS ms FROM pg_stat_statements_info',
      );
      return { since: since?.ms ?? 0, statements, proposals: proposals.sort((a, b) => weight(b) - weight(a)) };
    });
  } finally {
    await pool.end();
  }
}

/** Time that an index would save. */
function weight({ statement, gain }: Proposal): number {
  return statement.total * (1 - 1 / gain);
}

async function slowest(session: PostgresSession): Promise<Statement[]> {
  const known = await session.one(`SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'`);
  if (known === undefined) {
    throw new UserError(
      "PostgreSQL does not count statements: set shared_preload_libraries = 'pg_stat_statements', restart it, and run CREATE EXTENSION pg_stat_statements.",
      EXIT.file,
    );
  }
  return session.all<Statement>(
    `SELECT query AS sql, sum(calls)::bigint AS calls, (sum(total_exec_time) / sum(calls))::float8 AS mean, sum(total_exec_time)::float8 AS total
     FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND query ~* '^\\s*(DECLARE|SELECT|WITH|UPDATE|DELETE)' AND query ~* '\\m(transactions|minutes|hours|passive|missing|records|distinct_counts)'
     GROUP BY query ORDER BY total DESC LIMIT ${MOST_STATEMENTS}`,
  );
}

/** The statement's plan, whatever its values; undefined where it cannot be explained. */
async function planOf(session: PostgresSession, sql: string): Promise<PlanNode | undefined> {
  // A cursor's own statement.
  const statement = sql.replace(/^\s*DECLARE\s+\S+\s+(?:NO SCROLL\s+)?CURSOR\s+FOR\s+/i, '');
  const count = Math.max(0, ...[...statement.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n)));
  const values = count === 0 ? '' : `(${Array.from({ length: count }, () => 'NULL').join(', ')})`;
  await session.run('BEGIN READ ONLY');
  try {
    await session.run('SET LOCAL plan_cache_mode = force_generic_plan');
    // The values are unknown: no day is left out because of them.
    await session.run('SET LOCAL enable_partition_pruning = off');
    await session.run(`PREPARE explained AS ${statement}`);
    const [row] = await session.all<{ 'QUERY PLAN': string }>(`EXPLAIN (FORMAT json) EXECUTE explained${values}`);
    return (JSON.parse(row['QUERY PLAN']) as { Plan: PlanNode }[])[0].Plan;
  } catch {
    // Cut off by track_activity_query_size, or with types that nothing tells.
    return undefined;
  } finally {
    await session.run('ROLLBACK');
    await session.run('DEALLOCATE ALL');
  }
}

async function proposalFor(session: PostgresSession, statement: Statement): Promise<Proposal | undefined> {
  const plan = await planOf(session, statement.sql);
  if (plan === undefined) return undefined;
  const nodes = [...nodesOf(plan)];
  const scan = nodes
    .filter(
      (node) => /^(?:Parallel )?(?:Seq Scan|Bitmap Heap Scan)$/.test(node['Node Type']) && node.Filter !== undefined,
    )
    .sort((a, b) => b['Total Cost'] - a['Total Cost'])[0];
  const relation = scan?.['Relation Name'];
  if (scan?.Filter === undefined || relation === undefined) return undefined;
  const table = await tableOf(session, relation);
  const known = new Set(table.columns);
  const equal = [...scan.Filter.matchAll(/\(?\b"?(\w+)"? = (?!ANY|ALL|\w+\b\.)/g)]
    .map(([, name]) => name)
    .filter((name) => known.has(name));
  if (equal.length === 0 || / OR /.test(scan.Filter)) return undefined;
  const columns = [...new Set(equal)];
  const sorted = nodes.flatMap((node) => node['Sort Key'] ?? []).map((key) => /(?:\w+\.)?"?(\w+)"?( DESC)?/.exec(key));
  const conditions = [scan.Filter, scan['Recheck Cond'] ?? ''].join(' ');
  const range = /\(?\b"?(\w+)"? (?:>=|<=|>|<) /.exec(conditions)?.[1];
  const [, last, down] = sorted.find((match) => match !== null && known.has(match[1])) ?? [];
  const then = last ?? range;
  const list =
    then === undefined || columns.includes(then) || !known.has(then)
      ? columns
      : [...columns, `${then}${last === undefined ? ' DESC' : (down ?? '')}`];
  if (table.indexes.some((index) => startsWith(index, list))) return undefined;
  const cost = plan['Total Cost'];
  const costAfter = Math.min(cost, DESCENT + scan['Plan Rows'] * BY_INDEX);
  const gain = cost / costAfter;
  if (gain < LEAST_GAIN) return undefined;
  const name = `${table.name}_${columns.join('_')}`.slice(0, 55);
  const ddl = `CREATE INDEX ${name}_advised ON ${table.name} (${list.join(', ')})`;
  return { statement, ddl, table: table.name, columns: list, cost, costAfter, gain, plan: textOf(plan) };
}

function* nodesOf(root: PlanNode): Generator<PlanNode> {
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node;
    waiting.push(...(node.Plans ?? []));
  }
}

function textOf(plan: PlanNode): string {
  return [...nodesOf(plan)]
    .map((node) => {
      const on = node['Relation Name'] === undefined ? '' : ` on ${node['Relation Name']}`;
      return `${node['Node Type']}${on}${node.Filter === undefined ? '' : `: ${node.Filter}`}`;
    })
    .join('\n');
}

/** The table that a partition belongs to, with its columns, and those of its indexes. */
async function tableOf(
  session: PostgresSession,
  relation: string,
): Promise<{ name: string; columns: string[]; indexes: string[][] }> {
  const parent = await session.one<{ name: string }>(
    `SELECT coalesce((SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = ?::regclass), ?) AS name`,
    [relation, relation],
  );
  const name = parent?.name ?? relation;
  const columns = await session.all<{ name: string }>(
    'SELECT attname::text AS name FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped',
    [name],
  );
  const indexes = await session.all<{ columns: string }>(
    `SELECT (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, true), ',' ORDER BY k) FROM generate_series(1, i.indnkeyatts) AS k) AS columns
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam WHERE i.indrelid = ?::regclass AND a.amname = 'btree'`,
    [name],
  );
  return {
    name,
    columns: columns.map((column) => column.name),
    indexes: indexes.map((index) => index.columns.replaceAll('"', '').split(',')),
  };
}

/** An index that begins with these columns does already what is proposed. */
function startsWith(index: readonly string[], columns: readonly string[]): boolean {
  return columns.every((column, k) => index[k] === column.replace(/ DESC$/, ''));
}
