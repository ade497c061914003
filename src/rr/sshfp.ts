import { restHexSome } from '../wire/bytes-field.ts';
import { u8 } from '../wire/field.ts';
import { rrType } from './define.ts';

export const SSHFP = rrType(44, 'SSHFP', 'RFC 4255', 'Fingerprint of an SSH host key.', {
  algorithm: u8.as('dns.sshfp.algorithm', '1 RSA, 2 DSA, 3 ECDSA, 4 Ed25519, 6 Ed448'),
  fingerprintType: u8.as('dns.sshfp.fingerprint.type', '1 SHA-1, 2 SHA-256'),
  fingerprint: restHexSome.as('dns.sshfp.fingerprint', 'Fingerprint'),
});
