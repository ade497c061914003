import * as L from './cursor.ts';
import { ethernet, llc, mpls, vlan } from './ethernet.ts';
import { authentication, ip, ipProtocol, ipv4, ipv6 } from './ip.ts';

/** Layer functions by their number; the dissector's own ones are never looked up here. */
export const LAYERS: L.Layer[] = [];
LAYERS[L.ETHERNET_LAYER] = ethernet;
LAYERS[L.VLAN_LAYER] = vlan;
LAYERS[L.MPLS_LAYER] = mpls;
LAYERS[L.LLC_LAYER] = llc;
LAYERS[L.IP_LAYER] = ip;
LAYERS[L.IPV4_LAYER] = ipv4;
LAYERS[L.IPV6_LAYER] = ipv6;
LAYERS[L.AH_LAYER] = authentication;
LAYERS[L.PROTOCOL_LAYER] = ipProtocol;
