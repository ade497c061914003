import { restHex } from '../wire/bytes-field.ts';
import { characterString, Field, parseOctets, quoted } from '../wire/field.ts';
import { rrType } from './define.ts';

const NAME_BYTES = 16;

/** Names of a node: 15 characters, a suffix and flags each, behind their count. */
const names = new Field<readonly string[]>('strings', {
  read: (r) => {
    const count = r.u8();
    const list: string[] = [];
    for (let i = 0; i < count && r.sound; i++) {
      const name = r.text(NAME_BYTES - 1).replace(/(?: |\\000)+$/, '');
      const suffix = r.u8();
      list.push(`${name}<${hex(suffix, 2)}>/${hex(r.u16(), 4)}`);
    }
    return list;
  },
  write: (w, value) => {
    w.u8(value.length);
    for (const text of value) {
      const parts = /^(.*)<([0-9a-f]{2})>\/([0-9a-f]{4})$/s.exec(text) ?? ['', text, '00', '0000'];
      w.put(padded(parts[1]));
      w.u8(Number.parseInt(parts[2], 16));
      w.u16(Number.parseInt(parts[3], 16));
    }
  },
  show: (value) => `${value.length}${value.map((name) => ` ${quoted(name)}`).join('')}`,
  parse: (words) => {
    const count = Number(words.next('a count'));
    const list: string[] = [];
    while (list.length < count) list.push(characterString.parse(words, {}));
    return list;
  },
});

function padded(name: string): Uint8Array {
  const octets = new Uint8Array(NAME_BYTES - 1).fill(0x20);
  octets.set(parseOctets(name).subarray(0, NAME_BYTES - 1));
  return octets;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** Type 33 on NetBIOS only; in DNS it is SRV. */
export const NBSTAT = rrType(33, 'NBSTAT', 'RFC 1002', 'NetBIOS node status: its names, then statistics.', {
  names: names.as('', 'Name, suffix and flags (8000 group)'),
  statistics: restHex.as('', 'Unit id and counters'),
});
