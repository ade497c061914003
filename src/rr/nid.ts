import { groups } from '../wire/bytes-field.ts';
import { u16 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const NID = rrType(104, 'NID', 'RFC 6742', 'Node identifier (ILNP).', {
  preference: u16.as('dns.ilnp.nid.preference', 'Lower is preferred'),
  nodeId: groups(8, 2, ':').as('dns.ilnp.nid', 'Identifier'),
});
