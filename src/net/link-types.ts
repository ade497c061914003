import { FATE } from '../core/ledger.ts';
import * as L from './cursor.ts';

/** First layer of a frame by its LINKTYPE_ value (www.tcpdump.org/linktypes.html); may read a link header. */
export function linkLayer(cursor: L.Cursor, link: number): L.Next {
  const layer = LINK_LAYERS[link];
  return layer === undefined ? ~FATE.unsupported_link : layer(cursor);
}

const LINK_LAYERS: (L.Layer | undefined)[] = [];
LINK_LAYERS[1] = () => L.ETHERNET_LAYER;
for (const raw of [12, 14, 101, 228, 229]) LINK_LAYERS[raw] = () => L.IP_LAYER;
