import { type Cursor, LLC_LAYER, NOT_IP, type Next } from './cursor.ts';
import { etherType } from './ethertype.ts';

/** ARPHRD_NETLINK: messages to and from the kernel, no packets. */
const NETLINK = 824;

/** Linux cooked capture (LINKTYPE_LINUX_SLL): 16 bytes, the protocol last. */
export function cooked(c: Cursor): Next {
  if (c.at + 16 > c.end) return c.short(16);
  const hardware = c.u16(2);
  const type = c.u16(14);
  c.at += 16;
  return hardware === NETLINK ? NOT_IP : cookedType(type);
}

/** Linux cooked capture v2 (LINKTYPE_LINUX_SLL2): 20 bytes, the protocol first. */
export function cooked2(c: Cursor): Next {
  if (c.at + 20 > c.end) return c.short(20);
  const hardware = c.u16(8);
  const type = c.u16(0);
  c.at += 20;
  return hardware === NETLINK ? NOT_IP : cookedType(type);
}

/** Below 0x600 stand Linux's own numbers: 4 is an LLC frame. */
function cookedType(type: number): Next {
  if (type >= 0x600) return etherType(type);
  return type === 4 ? LLC_LAYER : NOT_IP;
}
