/** An address, or a network of them, as plain data. */
export interface Network {
  family: 4 | 6;
  /** Four words in network order; IPv4 in the last. */
  words: readonly [number, number, number, number];
  /** Leading bits that count, of the family's own 32 or 128. */
  bits: number;
}

/** True when an address of this family, as four words, lies in a network. */
export function isInNetwork(network: Network, family: number, address: readonly number[]): boolean {
  if (network.family !== family) return false;
  let left = network.bits + (family === 4 ? 96 : 0);
  for (let i = 0; i < 4 && left > 0; i++, left -= 32) {
    const mask = left >= 32 ? -1 : ~(0xffffffff >>> left);
    if (((network.words[i] ^ address[i]) & mask) !== 0) return false;
  }
  return true;
}

/** True when the address lies in any of the networks. */
export function isInAny(networks: readonly Network[], family: number, address: readonly number[]): boolean {
  return networks.some((network) => isInNetwork(network, family, address));
}

/** The four words of an address text that is sound (`isIP`), without a zone. */
export function addressWords(family: 4 | 6, text: string): [number, number, number, number] {
  const dotted = (part: string) => part.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  if (family === 4) return [0, 0, 0, dotted(text)];
  const [plain] = text.split('%');
  const tail = /[\d.]+\.\d+$/.exec(plain)?.[0];
  const last = tail === undefined ? 0 : dotted(tail);
  const hex =
    tail === undefined
      ? plain
      : `${plain.slice(0, -tail.length)}${(last >>> 16).toString(16)}:${(last & 0xffff).toString(16)}`;
  const [head = '', rest] = hex.split('::');
  const groups = (half: string | undefined) => (half ? half.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const before = groups(head);
  const behind = groups(rest);
  const zeros: number[] = new Array(8 - before.length - behind.length).fill(0);
  const all = [...before, ...zeros, ...behind];
  return [0, 2, 4, 6].map((i) => all[i] * 65_536 + all[i + 1]) as [number, number, number, number];
}
