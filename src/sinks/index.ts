import { cof } from './cof.ts';
import { csv } from './csv.ts';
import { ecs } from './ecs.ts';
import { ek } from './ek.ts';
import { eve } from './eve.ts';
import { fields } from './fields.ts';
import { flat } from './flat.ts';
import { json } from './json.ts';
import { ndjson } from './ndjson.ts';
import type { OutputFormat } from './output.ts';
import { text } from './text.ts';
import { tree } from './tree.ts';
import { zeek } from './zeek.ts';

/** The output formats, in the order of the manual. */
export const OUTPUTS: readonly OutputFormat[] = [text, fields, ek, json, ndjson, csv, tree, zeek, eve, ecs, cof, flat];
