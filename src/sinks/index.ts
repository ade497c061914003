import { json } from './json.ts';
import { ndjson } from './ndjson.ts';
import type { OutputFormat } from './output.ts';

/** The output formats, in the order of the manual. */
export const OUTPUTS: readonly OutputFormat[] = [json, ndjson];
