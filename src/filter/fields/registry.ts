import { nearest } from '../nearest.ts';
import { EDNS_FIELDS } from './edns.ts';
import type { FilterField } from './field.ts';
import { FLOW_FIELDS } from './flow.ts';
import { HEADER_FIELDS } from './headers.ts';
import { LAYER_FIELDS } from './layers.ts';
import { MESSAGE_FIELDS } from './message.ts';
import { NETBIOS_FIELDS } from './netbios.ts';
import { RDATA_FIELDS } from './rdata.ts';
import { RELATION_FIELDS } from './relations.ts';

/** Every field of the filter language. */
export const FIELDS: readonly FilterField[] = [
  ...LAYER_FIELDS,
  ...HEADER_FIELDS,
  ...FLOW_FIELDS,
  ...MESSAGE_FIELDS,
  ...RELATION_FIELDS,
  ...EDNS_FIELDS,
  ...RDATA_FIELDS,
  ...NETBIOS_FIELDS,
];

const byName = new Map(FIELDS.map((field) => [field.name, field]));

/** The field of a name, undefined without. */
export function findField(name: string): FilterField | undefined {
  return byName.get(name);
}

/** The field whose name is nearest to a mistyped one; undefined when none is near. */
export function nearestField(name: string): string | undefined {
  return nearest(name, byName.keys());
}
