import { EXIT, UserError } from '../../core/errors.ts';
import { serveThread } from '../serve-thread.ts';
import type { StoreOptions } from '../store.ts';
import { PostgresBackend } from './backend.ts';
import type { PostgresOptions } from './options.ts';
import { postgresFailure } from './setup.ts';

function optionsOf({ postgres }: StoreOptions): PostgresOptions {
  if (postgres !== undefined) return postgres;
  throw new UserError('Where PostgreSQL is has to be told: store.postgres.url.', EXIT.usage);
}

await serveThread({
  open: (options, journal) => PostgresBackend.open(options, optionsOf(options), journal),
  failure: (options, error) => postgresFailure(optionsOf(options), error),
});
