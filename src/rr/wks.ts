import { UserError } from '../core/errors.ts';
import { Field, ipv4, u8 } from '../wire/field.ts';
import { rrType } from './define.ts';

const MAX_OCTETS = 8192;

/** One bit per port (RFC 1035 §3.4.2). */
const ports = new Field<readonly number[]>('uint', {
  read: (r) => {
    const list: number[] = [];
    if (r.left > MAX_OCTETS) r.fail();
    for (let port = 0; r.left > 0; port += 8) {
      const octet = r.u8();
      for (let bit = 0; bit < 8; bit++) if ((octet & (0x80 >> bit)) !== 0) list.push(port + bit);
    }
    return list;
  },
  write: (w, value) => {
    const bits = new Uint8Array(MAX_OCTETS);
    for (const port of value) {
      if (!(Number.isInteger(port) && port >= 0 && port <= 0xffff)) throw new UserError(`${port} is not a port.`);
      bits[port >> 3] |= 0x80 >> (port & 7);
    }
    w.put(bits.subarray(0, bits.findLastIndex((octet) => octet !== 0) + 1));
  },
  show: (value) => value.join(' '),
  parse: (words) => {
    const list: number[] = [];
    while (words.more) list.push(Number(words.next('a port')));
    return list;
  },
});

export const WKS = rrType(11, 'WKS', 'RFC 1035', 'Services of the host (obsolete: SRV).', {
  address: ipv4.as('dns.wks.address', 'Address of the host'),
  protocol: u8.as('dns.wks.protocol', '6 TCP, 17 UDP'),
  ports: ports.as('dns.wks.bits', 'Ports served'),
});
