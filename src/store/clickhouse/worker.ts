import { serveThread } from '../serve-thread.ts';
import { ClickHouseBackend } from './backend.ts';
import { openFailure } from './setup.ts';

await serveThread({
  open: (options, journal) => ClickHouseBackend.open(options, journal),
  failure: ({ clickhouse }, error) => openFailure(clickhouse ?? { url: 'nowhere', user: '', database: '' }, error),
});
