/** Addresses as four 32-bit words in network order; IPv4 uses the last one only. */

/** Dotted text of an IPv4 address given as one 32-bit word. */
export function ipv4Text(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** RFC 5952 text of an IPv6 address given as four 32-bit words. */
export function ipv6Text(w0: number, w1: number, w2: number, w3: number): string {
  const groups = [w0 >>> 16, w0 & 0xffff, w1 >>> 16, w1 & 0xffff, w2 >>> 16, w2 & 0xffff, w3 >>> 16, w3 & 0xffff];
  // IPv4-mapped addresses end in dotted form (RFC 5952 §5).
  if (w0 === 0 && w1 === 0 && w2 >>> 0 === 0xffff) return `::ffff:${ipv4Text(w3)}`;
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; ) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > bestLength) {
      best = i;
      bestLength = j - i;
    }
    i = j === i ? i + 1 : j;
  }
  if (best < 0) return groups.map((g) => g.toString(16)).join(':');
  const head = groups.slice(0, best).map((g) => g.toString(16));
  const tail = groups.slice(best + bestLength).map((g) => g.toString(16));
  return `${head.join(':')}::${tail.join(':')}`;
}

/** Text of an address of either family (4 or 6). */
export function addressText(family: number, w0: number, w1: number, w2: number, w3: number): string {
  return family === 4 ? ipv4Text(w3) : ipv6Text(w0, w1, w2, w3);
}

/** 32-bit word at `at`, network order, signed as bit operations give it. */
export function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}
