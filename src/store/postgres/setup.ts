import { EXIT, reasonOf, UserError } from '../../core/errors.ts';
import { databaseReason } from '../failures.ts';
import type { Cluster } from './cluster.ts';
import type { PostgresOptions } from './options.ts';
import { stateOf } from './pool.ts';
import { MIGRATIONS, POSTGRES_SCHEMA } from './schema.ts';
import { inTransaction, type PostgresSession } from './session.ts';

const LOCK = 0x6e_74_03;
/** Oldest server: BRIN with Bloom filters and several ranges. */
const OLDEST = 140_000;

/** Makes or migrates the tables; several may try at once. The server's version. Throws UserError. */
export async function prepare(
  cluster: Cluster,
  { schema = 'nametap' }: PostgresOptions,
  readOnly: boolean,
): Promise<string> {
  return cluster.primary.use(async (session) => {
    const server = await session.one<{ number: number; text: string }>(
      `SELECT current_setting('server_version_num')::integer AS number, current_setting('server_version') AS text`,
    );
    if (server === undefined || server.number < OLDEST) {
      throw new UserError(`PostgreSQL ${server?.text ?? ''} is too old: nametap needs 14 or newer.`, EXIT.file);
    }
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
      throw new UserError(
        `'${schema}' is no name of a schema: small letters, digits and _ (store.postgres.schema).`,
        EXIT.file,
      );
    }
    const version = await versionOf(session);
    if (version > POSTGRES_SCHEMA) {
      throw new UserError(
        `The store in PostgreSQL has schema ${version}, this nametap knows ${POSTGRES_SCHEMA}. Install a newer nametap, or give another schema (store.postgres.schema).`,
        EXIT.file,
      );
    }
    if (version === 0 && readOnly) {
      throw new UserError(
        `There is no store in the schema ${schema} of PostgreSQL. Run 'nametap serve' first.`,
        EXIT.file,
      );
    }
    if (version < POSTGRES_SCHEMA && !readOnly) await migrate(session, schema);
    return server.text;
  });
}

/** 0: there is nothing yet. */
async function versionOf(session: PostgresSession): Promise<number> {
  const known = await session.one<{ known: boolean }>(
    `SELECT to_regclass(quote_ident(current_schema()) || '.meta') IS NOT NULL AS known`,
  );
  if (known?.known !== true) return 0;
  const row = await session.one<{ value: string }>(`SELECT value FROM meta WHERE key = 'schema'`);
  return Number(row?.value ?? 0);
}

async function migrate(session: PostgresSession, schema: string): Promise<void> {
  await inTransaction(session, async () => {
    await session.run(`SELECT pg_advisory_xact_lock(${LOCK})`);
    await session.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    // Another one may have been first.
    const version = await versionOf(session);
    for (let next = version + 1; next <= POSTGRES_SCHEMA; next++) {
      for (const statement of MIGRATIONS[next] ?? []) await session.run(statement);
    }
    await session.run(`INSERT INTO meta VALUES ('schema', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, [
      String(POSTGRES_SCHEMA),
    ]);
  });
}

/** Why the store cannot be opened, in one or two sentences. */
export function postgresFailure({ url }: PostgresOptions, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const { host, pathname, username } = new URL(url);
  const cause = { cause: error };
  const say = (sentence: string) => new UserError(sentence, EXIT.file, cause);
  const state = stateOf(error);
  if (state === '28P01' || state === '28000') {
    return say(`PostgreSQL at ${host} refuses the user ${username}: ${databaseReason(error)}. Check store.postgres.`);
  }
  if (state === '3D000')
    return say(`PostgreSQL at ${host} has no database ${pathname.slice(1)}. Make it: createdb ${pathname.slice(1)}`);
  if (state === '42501') {
    return say(
      `The user ${username} may not make tables in ${pathname.slice(1)} at ${host}: ${databaseReason(error)}. GRANT CREATE ON DATABASE.`,
    );
  }
  const reason = state === undefined ? reasonOf(error) : databaseReason(error);
  return say(`PostgreSQL at ${host} cannot be used: ${reason}. Start it, or check store.postgres.url.`);
}
