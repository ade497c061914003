import { restHexSome } from '../wire/bytes-field.ts';
import { u32, u8 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const ZONEMD = rrType(63, 'ZONEMD', 'RFC 8976', 'Digest of the whole zone.', {
  serial: u32.as('dns.zonemd.serial', 'SOA serial it holds for'),
  scheme: u8.as('dns.zonemd.scheme', '1 simple'),
  hashAlgorithm: u8.as('dns.zonemd.hash_algo', '1 SHA-384, 2 SHA-512'),
  digest: restHexSome.as('dns.zonemd.digest', 'Digest'),
});
