import { DNS, LLMNR, MDNS, NBNS } from '../core/carrier.ts';
import * as L from './cursor.ts';

/** What a port number says about a datagram or segment: nothing, a protocol (plus 1), encrypted DNS, or a tunnel. */
export const NO_KIND = 0;
export const DNS_KIND = DNS + 1;
export const NBNS_KIND = NBNS + 1;
/** DNS in TLS or QUIC, by its port alone. */
export const ENCRYPTED_KIND = 8;
/** TLS or QUIC on the web's port: DNS only where the payload or the peer says so. */
export const WEB_KIND = 9;
/** Kinds from here on are layers (plus this). */
export const TUNNEL_KIND = 32;

/** Kind by UDP port. */
export function udpPortKinds(extra: readonly number[]): Uint8Array {
  const kinds = new Uint8Array(65536);
  kinds[443] = WEB_KIND;
  kinds[853] = kinds[784] = kinds[8853] = ENCRYPTED_KIND;
  kinds[4789] = kinds[8472] = TUNNEL_KIND + L.VXLAN_LAYER;
  kinds[4790] = TUNNEL_KIND + L.VXLAN_GPE_LAYER;
  kinds[6081] = TUNNEL_KIND + L.GENEVE_LAYER;
  kinds[2152] = TUNNEL_KIND + L.GTP_LAYER;
  kinds[3544] = TUNNEL_KIND + L.TEREDO_LAYER;
  kinds[4754] = TUNNEL_KIND + L.GRE_LAYER;
  kinds[1701] = TUNNEL_KIND + L.L2TP_LAYER;
  kinds[6635] = TUNNEL_KIND + L.MPLS_LAYER;
  kinds[37008] = TUNNEL_KIND + L.TZSP_LAYER;
  kinds[53] = DNS_KIND;
  kinds[5353] = MDNS + 1;
  kinds[5355] = LLMNR + 1;
  kinds[137] = NBNS_KIND;
  for (const port of extra) kinds[port & 0xffff] = DNS_KIND;
  return kinds;
}

/** Kind by TCP port. */
export function tcpPortKinds(extra: readonly number[]): Uint8Array {
  const kinds = new Uint8Array(65536);
  kinds[443] = WEB_KIND;
  kinds[853] = ENCRYPTED_KIND;
  kinds[53] = DNS_KIND;
  kinds[5353] = MDNS + 1;
  kinds[5355] = LLMNR + 1;
  for (const port of extra) kinds[port & 0xffff] = DNS_KIND;
  return kinds;
}

/** Kind of a pair of ports: the lower port that says something decides. */
export function kindOf(kinds: Uint8Array, a: number, b: number): number {
  return a < b ? kinds[a] || kinds[b] : kinds[b] || kinds[a];
}
