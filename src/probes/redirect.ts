import { isIP } from 'node:net';
import { type AddressKind, addressKind } from '../core/address-kind.ts';
import { addressWords } from '../core/network.ts';

/** How far out an address lies: 0 is this machine. */
const DISTANCE: Readonly<Record<AddressKind, number>> = {
  loopback: 0,
  unspecified: 0,
  link_local: 1,
  multicast: 1,
  private: 2,
  shared: 2,
  reserved: 2,
  documentation: 3,
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
  return DISTANCE[addressKind(family, ...addressWords(family as 4 | 6, address))];
}
