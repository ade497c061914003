import { type Cursor, LLC_LAYER, NOT_IP, type Next, WLAN_LAYER } from './cursor.ts';

const RADIOTAP_TSFT = 1;
const RADIOTAP_FLAGS = 2;
/** The header is padded to 4 bytes before the payload. */
const FLAG_DATA_PAD = 0x20;

/** IEEE 802.11 data frame in clear: 24 to 36 bytes of header, then LLC. */
export function wlan(c: Cursor): Next {
  return data(c, false);
}

function data(c: Cursor, padded: boolean): Next {
  if (c.at + 24 > c.end) return c.short(24);
  const control = c.bytes[c.at];
  const flags = c.bytes[c.at + 1];
  const subtype = control >> 4;
  // Type 2 is data; subtype bit 2 says there is none in it; bit 6 of the flags: encrypted.
  if ((control & 0x0f) !== 0x08 || (subtype & 4) !== 0 || (flags & 0x40) !== 0) return NOT_IP;
  let header = (flags & 3) === 3 ? 30 : 24;
  let aggregate = false;
  if ((subtype & 8) !== 0) {
    if (c.at + header + 2 > c.end) return c.short(header + 2);
    aggregate = (c.bytes[c.at + header] & 0x80) !== 0;
    header += 2;
    if ((flags & 0x80) !== 0) header += 4;
  }
  if (padded) header = (header + 3) & ~3;
  // The first subframe of an A-MSDU: two addresses and a length.
  if (aggregate) header += 14;
  if (c.at + header > c.end) return c.short(header);
  c.at += header;
  return LLC_LAYER;
}

/** Radiotap (www.radiotap.org), little-endian: its length at 2, a bitmap of fields at 4. */
export function radiotap(c: Cursor): Next {
  const { bytes, at } = c;
  if (at + 8 > c.end) return c.short(8);
  const length = bytes[at + 2] | (bytes[at + 3] << 8);
  if (length < 8) return NOT_IP;
  if (at + length > c.end) return c.short(length);
  const present = bytes[at + 4];
  // Bit 31 of each bitmap says that another one follows.
  let field = at + 8;
  while ((bytes[field - 1] & 0x80) !== 0 && field + 4 <= at + length) field += 4;
  if ((present & RADIOTAP_TSFT) !== 0) field = at + ((field - at + 7) & ~7) + 8;
  const flags = (present & RADIOTAP_FLAGS) !== 0 && field < at + length ? bytes[field] : 0;
  c.at += length;
  return data(c, (flags & FLAG_DATA_PAD) !== 0);
}

/** Prism and AVS headers (LINKTYPE_IEEE802_11_PRISM, …_AVS): AVS says its length, Prism's is 144. */
export function prism(c: Cursor): Next {
  const { bytes, at } = c;
  if (at + 8 > c.end) return c.short(8);
  const avs = bytes[at] === 0x80 && bytes[at + 1] === 0x21;
  const length = avs ? c.u16(6) : 144;
  if (at + length > c.end) return c.short(length);
  c.at += length;
  return WLAN_LAYER;
}
