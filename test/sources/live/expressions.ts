/** Capture filters made by chance, always the same ones for a seed: every construct of the own compiler. */
export function generator(seed: number): () => string {
  let state = seed >>> 0;
  const below = (n: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const one = <T>(...of: readonly T[]): T => of[below(of.length)];
  const address = () => one('127.0.0.1', '10.0.0.1', '192.168.1.1', '8.8.8.8', '1.1.1.1', '224.0.0.251');
  const address6 = () => one('::1', 'ff02::fb', '2001:db8::1', 'fe80::1');
  const direction = () => one('', '', 'src ', 'dst ', 'src or dst ', 'src and dst ');
  const test = (): string => {
    switch (below(9)) {
      case 0:
      case 1:
        return `${one('', 'udp ', 'tcp ')}${direction()}port ${one(53, 80, 443, 5353, 1024)}`;
      case 2:
        return `${one('', 'udp ', 'tcp ')}${direction()}portrange ${one('50-60', '1024-5000', '60-50')}`;
      case 3:
        return `${direction()}host ${below(3) === 0 ? address6() : address()}`;
      case 4:
        return `${direction()}net ${one('10.0.0.0/8', '192.168', '127', '0.0.0.0/0', 'fe80::/10', '2001:db8::/32', '8.8.8.0/23')}`;
      case 5:
        return `${one('ip', 'arp')} ${one('', 'src ', 'dst ')}host ${address()}`;
      case 6:
        return `vlan${one('', ' 100', ' 7', ' 101')}`;
      default:
        return one('ip', 'ip6', 'arp', 'udp', 'tcp', 'icmp', 'icmp6');
    }
  };
  const expression = (depth: number): string => {
    if (depth === 0 || below(4) === 0) return test();
    switch (below(4)) {
      case 0:
        return `not ${one('', '')}${test()}`;
      case 1:
        return `(${expression(depth - 1)})`;
      default:
        return `${expression(depth - 1)} ${one('and', 'or', '&&', '||')} ${one('', '', 'not ', '!')}${expression(depth - 1)}`;
    }
  };
  return () => expression(3);
}
