import { csv } from './csv.ts';
import { ecs } from './ecs.ts';
import { flat } from './flat.ts';
import { ndjson } from './ndjson.ts';
import type { OutputFormat } from './output.ts';
import { zeek } from './zeek.ts';

/** Formats of one line per transaction, for files that are written on and on. */
export const LINE_FORMATS: readonly OutputFormat[] = [ndjson, csv, zeek, ecs, flat];
/** Those without a header line: each line says all. */
export const MESSAGE_FORMATS: readonly OutputFormat[] = [ndjson, ecs, flat];
