import { optionalGroup, secret, span, text } from '../../core/settings.ts';

/** Layer `store.clickhouse`: where the server is, and how its tables are made. */
export const clickHouseSettings = optionalGroup('The server of the engine clickhouse.', {
  url: text('Address of its HTTP interface.', { required: true, example: 'https://clickhouse.example.net:8443' }),
  user: text('Who asks and writes.', { default: 'default' }),
  password: secret("The user's password.", { example: { file: '/run/secrets/clickhouse' } }),
  database: text('The database; made where it is not there.', { default: 'nametap' }),
  cluster: text(
    'Name of a cluster in the configuration of the servers: tables are replicated and distributed over it.',
    {
      example: 'nametap',
    },
  ),
  policy: text('Storage policy of the table of transactions.', { example: 'tiered' }),
  cold_volume: text('Volume of that policy that older transactions move to.', { example: 'cold' }),
  cold_after: span('Transactions move there once they are this old.', { default: '7d' }),
  details: span('Ports, ids, frame numbers and messages of transactions are emptied once they are this old.', {
    default: 'forever',
    words: { forever: Number.POSITIVE_INFINITY },
  }),
});
