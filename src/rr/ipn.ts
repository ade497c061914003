import { Field } from '../wire/field.ts';
import { UserError } from '../core/errors.ts';
import { rrType } from './define.ts';

const node = new Field<bigint>('uint', {
  read: (r) => (BigInt(r.u32()) << 32n) | BigInt(r.u32()),
  write: (w, value) => {
    if (value < 0n || value >= 1n << 64n) throw new UserError(`${value} does not fit 64 bits.`);
    w.u32(Number(value >> 32n));
    w.u32(Number(value & 0xffffffffn));
  },
  show: String,
  parse: (words) => {
    const text = words.next('a number');
    if (!/^[0-9]{1,20}$/.test(text)) throw words.wrong('a node number', text);
    return BigInt(text);
  },
});

export const IPN = rrType(264, 'IPN', 'draft-johnson-dns-ipn-cla', 'Node number of the bundle protocol.', {
  node: node.as('', 'Node number, 64 bits'),
});
