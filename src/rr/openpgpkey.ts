import { restBase64Some } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

export const OPENPGPKEY = rrType(61, 'OPENPGPKEY', 'RFC 7929', 'OpenPGP key of a mailbox.', {
  publicKey: restBase64Some.as('dns.openpgpkey', 'Transferable public key'),
});
