/** What an address may be used for (IANA special-purpose registries, RFC 6890); `public` is all the rest. */
export type AddressKind =
  | 'public'
  | 'private'
  | 'shared'
  | 'loopback'
  | 'link_local'
  | 'unspecified'
  | 'multicast'
  | 'documentation'
  | 'reserved';

/** The kind of an address of either family (4 or 6), as four words in network order; IPv4 in the last. */
export function addressKind(family: number, w0: number, w1: number, w2: number, w3: number): AddressKind {
  if (family === 4) return ipv4Kind(w3);
  if (w0 === 0 && w1 === 0) {
    // ::ffff:0:0/96 (IPv4-mapped) says what its IPv4 address says.
    if (w2 >>> 0 === 0xffff) return ipv4Kind(w3);
    if (w2 === 0 && w3 === 0) return 'unspecified';
    if (w2 === 0 && w3 === 1) return 'loopback';
  }
  // 64:ff9b::/96 (RFC 6052) too.
  if (w0 >>> 0 === 0x0064ff9b && w1 === 0 && w2 === 0) return ipv4Kind(w3);
  const top = w0 >>> 16;
  if ((top & 0xff00) === 0xff00) return 'multicast';
  if ((top & 0xffc0) === 0xfe80) return 'link_local';
  if ((top & 0xfe00) === 0xfc00 || (top & 0xffc0) === 0xfec0) return 'private';
  if (w0 >>> 0 === 0x20010db8 || w0 >>> 20 === 0x3ff) return 'documentation';
  if (w0 >>> 0 === 0x01000000 && w1 === 0) return 'reserved';
  return 'public';
}

function ipv4Kind(address: number): AddressKind {
  const a = address >>> 24;
  const b = (address >>> 16) & 255;
  if (a === 10 || (a === 172 && b >> 4 === 1) || (a === 192 && b === 168)) return 'private';
  if (a === 127) return 'loopback';
  if (a === 169 && b === 254) return 'link_local';
  if (a === 100 && b >> 6 === 1) return 'shared';
  if (a === 0) return 'unspecified';
  if (a >> 4 === 14) return 'multicast';
  if (a >> 4 === 15) return 'reserved';
  const top = address >>> 8;
  if (top === 0xc00002 || top === 0xc63364 || top === 0xcb0071) return 'documentation';
  // Benchmarks (RFC 2544), protocol assignments (RFC 6890 §2.1).
  if (a === 198 && b >> 1 === 9) return 'reserved';
  return top === 0xc00000 ? 'reserved' : 'public';
}
