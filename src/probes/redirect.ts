import { isIP } from 'node:net';
import { type AddressKind, addressKind } from '../core/address-kind.ts';
import { addressWords } from '../core/network.ts';
import { isPublic } from './public-address.ts';

/** How far out an address lies: 0 is this machine. */
const DISTANCE: Readonly<Record<AddressKind, number>> = {
  loopback: 0,
  unspecified: 0,
  link_local: 1,
  multicast: 1,
  private: 2,
  shared: 2,
  reserved: 2,
  documentation: 2,
  public: 3,
};

/**
 * Whether a redirect from one address to another leads further in: from the Internet to a private network, from there to
 * this machine or to what answers on the link only (169.254.169.254). Whoever owns the first may choose the second.
 */
export function leadsInside(from: string, to: string): boolean {
  return distanceOf(to) < distanceOf(from);
}

function distanceOf(address: string): number {
  const family = isIP(address);
  if (family === 0) return 0;
  const distance = DISTANCE[addressKind(family, ...addressWords(family as 4 | 6, address))];
  // NAT64 of one's own, Teredo, 6to4: what is behind them nobody can say.
  return isPublic(address) ? distance : Math.min(2, distance);
}
