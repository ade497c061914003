import * as L from './cursor.ts';

/** The layer of an EtherType (IEEE 802 numbers); values below 0x600 are lengths and mean LLC. */
export function etherType(type: number): L.Next {
  switch (type) {
    case 0x0800:
      return L.IPV4_LAYER;
    case 0x86dd:
      return L.IPV6_LAYER;
    case 0x8100:
    case 0x88a8:
    case 0x9100:
    case 0x9200:
      return L.VLAN_LAYER;
    case 0x8847:
    case 0x8848:
      return L.MPLS_LAYER;
    case 0x8864:
      return L.PPPOE_LAYER;
    case 0x6558:
      return L.ETHERNET_LAYER;
    case 0x880b:
      return L.PPP_LAYER;
    case 0x894f:
      return L.NSH_LAYER;
    default:
      return type < 0x600 ? L.LLC_LAYER : L.NOT_IP;
  }
}
