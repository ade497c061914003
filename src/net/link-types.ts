import { FATE } from '../core/ledger.ts';
import { cooked, cooked2 } from './cooked.ts';
import * as L from './cursor.ts';
import { enc, loopback, pflog } from './loopback.ts';
import { nflog, pktapLink, ppiLink } from './metadata.ts';
import { frameRelay, hdlc, pppd, pppDirected } from './ppp.ts';
import { arcnet, arcnetLinux, fddi, tokenRing } from './rings.ts';
import { prism, radiotap } from './wlan.ts';

export const ETHERNET_LINK = 1;
const UNSUPPORTED: L.Next = ~FATE.unsupported_link;
const USER2 = 149;
const PPI = 192;
const PKTAP = 258;

/** Where a frame of a LINKTYPE_ value begins (www.tcpdump.org/linktypes.html): a layer, or a header of its own. */
export function linkLayer(cursor: L.Cursor, link: number): L.Next {
  if (link === PPI) return inner(cursor, ppiLink(cursor));
  if (link === PKTAP || link === USER2) return inner(cursor, pktapLink(cursor));
  const layer = LAYER_OF_LINK.get(link);
  if (layer !== undefined) return layer;
  const header = HEADER_OF_LINK.get(link);
  return header === undefined ? UNSUPPORTED : header(cursor);
}

/** The link type that a header of meta data names: not another such header, so that this ends. */
function inner(cursor: L.Cursor, link: number): L.Next {
  if (link < 0) return UNSUPPORTED;
  const layer = LAYER_OF_LINK.get(link);
  if (layer !== undefined) return layer;
  const header = HEADER_OF_LINK.get(link);
  return header === undefined ? UNSUPPORTED : header(cursor);
}

const LAYER_OF_LINK: ReadonlyMap<number, number> = new Map([
  [ETHERNET_LINK, L.ETHERNET_LAYER],
  [9, L.PPP_LAYER],
  [11, L.LLC_LAYER], // ATM (RFC 2684) as BSD and Linux number it
  [100, L.LLC_LAYER],
  [12, L.IP_LAYER], // raw IP, as several systems number it
  [14, L.IP_LAYER],
  [101, L.IP_LAYER],
  [228, L.IP_LAYER],
  [229, L.IP_LAYER],
  [51, L.PPPOE_LAYER],
  [105, L.WLAN_LAYER],
  [219, L.MPLS_LAYER],
]);

const HEADER_OF_LINK: ReadonlyMap<number, L.Layer> = new Map([
  [0, loopback],
  [108, loopback],
  [109, enc],
  [117, pflog],
  [6, tokenRing],
  [7, arcnet],
  [129, arcnetLinux],
  [10, fddi],
  [50, hdlc],
  [104, hdlc],
  [107, frameRelay],
  [113, cooked],
  [276, cooked2],
  [119, prism],
  [163, prism],
  [127, radiotap],
  [166, pppd],
  [204, pppDirected],
  [239, nflog],
]);
