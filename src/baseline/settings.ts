import { group, span, type ValueOf, whole } from '../core/settings.ts';

/** Key `detect.baseline`. */
export const baselineSettings = group('What is usual: how it is learnt, and how much of it is kept.', {
  warm_up: span('What is learnt of a key counts after this time …', { default: '1d', least: 0 }),
  samples: whole('… and after so many samples.', { default: 500, least: 1 }),
  fast: span('Half-life of what was lately: half of it is forgotten in this time.', { default: '1d', least: 60_000 }),
  slow: span('Half-life of what is usual.', { default: '14d', least: 3_600_000 }),
  votes: whole(
    'Transactions of one client in an hour that count whole; of more only ever fewer, so that no client alone says what is usual.',
    { default: 256, least: 1, most: 1_000_000 },
  ),
  servers: whole('Resolvers and authorities that are kept apart.', { default: 2000, least: 16, most: 200_000 }),
  clients: whole('Clients that are kept apart.', { default: 5000, least: 16, most: 1_000_000 }),
  domains: whole('Registrable domains that are kept apart.', { default: 20_000, least: 16, most: 2_000_000 }),
  mute: span('After an alarm about a key nothing is learnt of it for this time.', { default: '30m', least: 0 }),
});
export type BaselineConfig = ValueOf<typeof baselineSettings>;

export const BASELINE_DEFAULTS: BaselineConfig = {
  warm_up: 86_400_000,
  samples: 500,
  fast: 86_400_000,
  slow: 14 * 86_400_000,
  votes: 256,
  servers: 2000,
  clients: 5000,
  domains: 20_000,
  mute: 1_800_000,
};
