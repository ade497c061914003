import { ChunkWriter } from './chunk-writer.ts';
import type { Connection } from './duckdb.ts';
import type { PassiveSightings } from './passive-delta.ts';
import { PASSIVE_COLUMNS } from './schema.ts';
import { writeSightings } from './sighting-rows.ts';

/** What was seen of names, as rows of `passive_new`. */
export function appendSightings(connection: Connection, sightings: PassiveSightings): void {
  const to = new ChunkWriter(PASSIVE_COLUMNS);
  const appender = connection.appender('passive_new');
  try {
    writeSightings(sightings, to, () => {
      if (to.full) to.flush(appender);
    });
    to.flush(appender);
  } finally {
    appender.close();
  }
}
