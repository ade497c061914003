import { isIP } from 'node:net';
import { addressText } from '../core/address.ts';
import { UserError } from '../core/errors.ts';
import { addressWords, type Network } from '../core/network.ts';

/** A network as it is written: `192.0.2.0/24`, or one address. Throws UserError. */
export function networkOf(written: string): Network {
  const [, address = '', digits] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(written) ?? [];
  const family = isIP(address);
  const width = family === 4 ? 32 : 128;
  const bits = digits === undefined ? width : Number(digits);
  if ((family !== 4 && family !== 6) || bits > width) throw new UserError(`"${written}" is no network.`);
  return { family, words: addressWords(family, address), bits };
}

/** The address of a network that is only one; undefined for a wider one. */
export function onlyAddress({ family, words: [w0, w1, w2, w3], bits }: Network): string | undefined {
  return bits === (family === 4 ? 32 : 128) ? addressText(family, w0, w1, w2, w3) : undefined;
}

/** Where to listen: `127.0.0.1:5391`, `[::1]:5391`; port 0 is any free one. Throws UserError. */
export function listenOf(written: string): { address: string; port: number } {
  const [, six, four, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([\d.]+)):(\d{1,5})$/.exec(written) ?? [];
  const address = six ?? four ?? '';
  if (isIP(address) === 0 || Number(port) > 65_535) throw new UserError(`"${written}" is no place to listen on.`);
  return { address, port: Number(port) };
}
