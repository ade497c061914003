import { Field } from '../wire/field.ts';
import { restHexSome } from '../wire/bytes-field.ts';
import { rrType } from './define.ts';

const hex = new Field<Uint8Array>('bytes', {
  read: restHexSome.read,
  write: restHexSome.write,
  show: (value, dots, siblings) => `0x${restHexSome.show(value, dots, siblings)}`,
  parse: (words) => {
    const text = words.next('an address');
    const digits = /^0x((?:[0-9a-f]{2}|\.)+)$/i.exec(text)?.[1].replaceAll('.', '');
    if (digits === undefined || digits.length % 2 === 1) throw words.wrong('an NSAP address such as 0x47.0005', text);
    return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
      Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
    );
  },
});

export const NSAP = rrType(22, 'NSAP', 'RFC 1706', 'OSI address (obsolete).', {
  address: hex.as('dns.nsap.rdata', 'Address'),
});
