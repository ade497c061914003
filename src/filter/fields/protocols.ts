import { LLMNR, MDNS, NBNS, TCP } from '../../core/carrier.ts';
import * as L from '../../core/layers.ts';
import type { Subject } from '../value.ts';
import { frameEnd, u16, u8 } from './layer.ts';

/** What stands before the layers of a link type that is not Ethernet. */
const LINK_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'null'],
  [7, 'arcnet'],
  [10, 'fddi'],
  [12, 'raw'],
  [14, 'raw'],
  [101, 'raw'],
  [108, 'null'],
  [113, 'sll:ethertype'],
  [129, 'arcnet'],
  [149, 'user_dlt:pktap:pcap_pktdata'],
  [127, 'radiotap:wlan_radio:wlan'],
  [192, 'ppi:wlan_radio'],
  [228, ''],
  [229, ''],
  [239, 'nflog'],
  [258, 'pktap:pcap_pktdata'],
  [276, 'sll:ethertype'],
]);

/** Layers as tshark names them; a link's own layer is named by what it is. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [L.UDP_LAYER, 'udp'],
  [L.TCP_LAYER, 'tcp'],
  [L.ETHERNET_LAYER, 'eth'],
  [L.VLAN_LAYER, 'vlan:ethertype'],
  [L.MPLS_LAYER, 'mpls'],
  [L.LLC_LAYER, 'llc'],
  [L.PPPOE_LAYER, 'pppoes'],
  [L.PPP_LAYER, 'ppp'],
  [L.IPV4_LAYER, 'ip'],
  [L.IPV6_LAYER, 'ipv6'],
  [L.GRE_LAYER, 'gre'],
  [L.ERSPAN2_LAYER, 'erspan'],
  [L.ERSPAN3_LAYER, 'erspan'],
  [L.VXLAN_LAYER, 'vxlan'],
  [L.VXLAN_GPE_LAYER, 'vxlan_gpe'],
  [L.GENEVE_LAYER, 'geneve'],
  [L.GTP_LAYER, 'gtp'],
  [L.TEREDO_LAYER, 'teredo'],
  [L.AH_LAYER, 'ah'],
  [L.ETHERIP_LAYER, 'etherip'],
  [L.NSH_LAYER, 'nsh'],
  [L.TZSP_LAYER, 'tzsp'],
  [L.WLAN_LAYER, 'wlan'],
  [L.L2TP_LAYER, 'l2tp'],
]);
/** Layers that begin a frame by themselves. */
const FIRST = new Set([L.ETHERNET_LAYER, L.PPP_LAYER, L.PPPOE_LAYER, L.WLAN_LAYER, L.MPLS_LAYER]);

/** Names of the layers of a message, the outermost first: `eth:ethertype:ip:udp:dns`. */
export function protocols(s: Subject): string {
  const { carrier } = s;
  const names = carrier.trailLength === 0 ? plain(s) : trail(s);
  const { protocol } = carrier;
  names.push(protocol === MDNS ? 'mdns' : protocol === LLMNR ? 'llmnr' : protocol === NBNS ? 'nbns' : 'dns');
  return names.join(':');
}

/** Of a frame that was read without a walk, and of messages without one. */
function plain(s: Subject): string[] {
  const { carrier } = s;
  const { vlanAt, ethernetAt } = carrier;
  const isSnap = ethernetAt >= 0 && vlanAt < 0 && u16(s, ethernetAt + 12) < 0x600;
  const link = isSnap ? 'eth:llc' : carrier.link === 1 ? 'eth:ethertype' : (LINK_NAMES.get(carrier.link) ?? 'link');
  const names = link === '' ? [] : [link];
  if (vlanAt >= 0) names.push('vlan:ethertype');
  names.push(carrier.family === 4 ? 'ip' : 'ipv6');
  if (fragmentHeader(s) >= 0) names.push('ipv6.fraghdr');
  names.push(carrier.transport === TCP ? 'tcp' : 'udp');
  return names;
}

function trail(s: Subject): string[] {
  const { trail: walked, trailLength, link, frameAt, transport } = s.carrier;
  const first = LINK_NAMES.get(link) ?? (FIRST.has(walked[0]) ? '' : 'link');
  const names = first === '' ? [] : [first];
  let last = '';
  for (let i = 0; i < trailLength; i++) {
    const kind = walked[3 * i];
    const at = frameAt + walked[3 * i + 1];
    // What was taken for the other version of IP is named by the layer that read it.
    if (kind === L.IPV4_LAYER && u8(s, at) >> 4 !== 4) continue;
    if (kind === L.IPV6_LAYER && u8(s, at) >> 4 !== 6) continue;
    const name = NAMES.get(kind);
    if (name === undefined) continue;
    last = name;
    names.push(name);
    if (kind === L.ETHERNET_LAYER && at + 14 <= frameEnd(s) && u16(s, at + 12) >= 0x600) names.push('ethertype');
    if (kind === L.IPV6_LAYER) names.push(...extensionNames(s, at));
  }
  if (last !== 'udp' && last !== 'tcp') names.push(transport === TCP ? 'tcp' : 'udp');
  return names;
}

/** Extension headers before the transport, by number. */
const EXTENSIONS: ReadonlyMap<number, string> = new Map([
  [0, 'ipv6.hopopts'],
  [43, 'ipv6.routing'],
  [44, 'ipv6.fraghdr'],
  [60, 'ipv6.dstopts'],
]);
const FRAGMENT = 44;

function extensionNames(s: Subject, ipAt: number): string[] {
  const names: string[] = [];
  eachExtension(s, ipAt, (kind) => {
    names.push(EXTENSIONS.get(kind) ?? '');
    return true;
  });
  return names;
}

/** Looks at the extension headers of an IPv6 packet until `look` has seen enough. */
function eachExtension(s: Subject, ipAt: number, look: (kind: number, at: number) => boolean): void {
  const end = frameEnd(s);
  if (ipAt + 40 > end) return;
  let next = u8(s, ipAt + 6);
  for (let at = ipAt + 40; at + 8 <= end && EXTENSIONS.has(next); ) {
    if (!look(next, at)) return;
    const isFragment = next === FRAGMENT;
    next = u8(s, at);
    // Behind the header of a later fragment there are no more.
    if (isFragment && u16(s, at + 2) >> 3 !== 0) return;
    at += isFragment ? 8 : 8 + 8 * u8(s, at + 1);
  }
}

/** Where the fragment header of the innermost IPv6 packet lies; −1 without. */
export function fragmentHeader(s: Subject): number {
  const { family, ipAt } = s.carrier;
  let found = -1;
  if (family !== 6 || ipAt < 0) return found;
  eachExtension(s, ipAt, (kind, at) => {
    if (kind === FRAGMENT) found = at;
    return found < 0;
  });
  return found;
}
