import { parseBase64, parseHex, showBase64, showHex } from '../wire/bytes-field.ts';
import { Field, listOf, plainName, u8 } from '../wire/field.ts';
import type { RdataReader } from '../wire/rdata.ts';
import { rrType } from './define.ts';
import { UserError } from '../core/errors.ts';

// Both lengths stand before both values, so the fields cannot read themselves one after another.
const octets = new Field<Uint8Array>('bytes', {
  read: (r: RdataReader) => r.take(),
  write: (w, value) => w.put(value),
  show: showHex,
  parse: () => new Uint8Array(0),
});
const servers = listOf('name', plainName);

export const HIP = rrType(
  55,
  'HIP',
  'RFC 8005',
  'Host identity: tag, key and rendezvous servers.',
  {
    algorithm: u8.as('dns.hip.hit.pk.algo', '1 DSA, 2 RSA, 3 ECDSA'),
    hit: octets.as('dns.hip.hit', 'Host identity tag'),
    publicKey: octets.as('dns.hip.pk', 'Public key'),
    servers: servers.as('dns.hip.rendezvous_server', 'Rendezvous servers'),
  },
  {
    decode(r) {
      const hitLength = r.u8();
      const algorithm = r.u8();
      const keyLength = r.u16();
      return { algorithm, hit: r.take(hitLength), publicKey: r.take(keyLength), servers: servers.read(r, {}) };
    },
    write(value, w) {
      if (value.hit.length > 255) throw new UserError(`A host identity tag of ${value.hit.length} octets; 255 fit.`);
      w.u8(value.hit.length);
      w.u8(value.algorithm);
      w.u16(value.publicKey.length);
      w.put(value.hit);
      w.put(value.publicKey);
      servers.write(w, value.servers, {});
    },
    show(value, dots) {
      const parts = [value.algorithm, showHex(value.hit) || '-', showBase64(value.publicKey) || '-'];
      const names = servers.show(value.servers, dots, {});
      return names === '' ? parts.join(' ') : `${parts.join(' ')} ${names}`;
    },
    parse(words) {
      const algorithm = u8.parse(words, {});
      const hit = parseHex(words.next('a tag').replace(/^-$/, ''));
      const publicKey = parseBase64(words.next('a key').replace(/^-$/, ''));
      if (hit === undefined || publicKey === undefined)
        throw new UserError('HIP takes: algorithm, hexadecimal tag, base64 key, servers.');
      return { algorithm, hit, publicKey, servers: servers.parse(words, {}) };
    },
  },
);
