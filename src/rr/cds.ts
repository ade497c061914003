import { restHexSome } from '../wire/bytes-field.ts';
import { u16, u8 } from '../wire/field.ts';
import { algorithm } from '../wire/type-field.ts';
import { rrType } from './define.ts';

export const CDS = rrType(59, 'CDS', 'RFC 7344', 'DS the child wants at its parent; 0 0 0 00 asks for removal.', {
  keyTag: u16.as('dns.ds.key_id', 'Tag of the key'),
  algorithm: algorithm.as('dns.ds.algorithm', 'DNSSEC algorithm of the key'),
  digestType: u8.as('dns.ds.digest_type', '1 SHA-1, 2 SHA-256, 4 SHA-384'),
  digest: restHexSome.as('dns.ds.digest', 'Digest of the key'),
});
