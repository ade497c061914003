import * as L from './cursor.ts';
import { ethernet, llc, mpls, vlan } from './ethernet.ts';
import { erspan2, erspan3, etherIp, gre } from './gre.ts';
import { authentication, ip, ipProtocol, ipv4, ipv6 } from './ip.ts';
import { geneve, gtp, nsh, teredo, tzsp, vxlan, vxlanGpe } from './overlay.ts';
import { l2tp, ppp, pppoe } from './ppp.ts';
import { wlan } from './wlan.ts';

/** Layer functions by their number; undefined for the dissector's own ones. */
export const LAYERS: readonly (L.Layer | undefined)[] = table();

function table(): (L.Layer | undefined)[] {
  const layers: (L.Layer | undefined)[] = Array.from({ length: L.PROTOCOL_LAYER + 1 }, () => undefined);
  layers[L.ETHERNET_LAYER] = ethernet;
  layers[L.VLAN_LAYER] = vlan;
  layers[L.MPLS_LAYER] = mpls;
  layers[L.LLC_LAYER] = llc;
  layers[L.PPPOE_LAYER] = pppoe;
  layers[L.PPP_LAYER] = ppp;
  layers[L.IP_LAYER] = ip;
  layers[L.IPV4_LAYER] = ipv4;
  layers[L.IPV6_LAYER] = ipv6;
  layers[L.PROTOCOL_LAYER] = ipProtocol;
  layers[L.AH_LAYER] = authentication;
  layers[L.ETHERIP_LAYER] = etherIp;
  layers[L.GRE_LAYER] = gre;
  layers[L.ERSPAN2_LAYER] = erspan2;
  layers[L.ERSPAN3_LAYER] = erspan3;
  layers[L.VXLAN_LAYER] = vxlan;
  layers[L.VXLAN_GPE_LAYER] = vxlanGpe;
  layers[L.GENEVE_LAYER] = geneve;
  layers[L.NSH_LAYER] = nsh;
  layers[L.GTP_LAYER] = gtp;
  layers[L.TEREDO_LAYER] = teredo;
  layers[L.L2TP_LAYER] = l2tp;
  layers[L.TZSP_LAYER] = tzsp;
  layers[L.WLAN_LAYER] = wlan;
  return layers;
}
