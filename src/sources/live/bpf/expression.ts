/** A capture filter as a tree. `tags` counts the `vlan` before a test, each of which moves later headers on. */
export type Expression =
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'not'; inner: Expression }
  | { kind: 'network'; etherType: number; tags: number }
  | { kind: 'protocol'; protocol: number; families: readonly (4 | 6)[]; tags: number }
  | { kind: 'port'; protocols: readonly number[]; direction: Direction; from: number; to: number; tags: number }
  | {
      kind: 'address';
      etherTypes: readonly number[];
      direction: Direction;
      /** One word (IPv4) or four. */
      words: readonly number[];
      masks: readonly number[];
      tags: number;
    }
  | { kind: 'vlan'; id: number | undefined; tags: number };

export type Direction = 'src' | 'dst' | 'either' | 'both';

/** What the own compiler leaves to libpcap: why, and where. */
export class NotSupported extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** What is wrong in any case. */
export class WrongExpression extends NotSupported {}

export const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd, arp: 0x0806, rarp: 0x8035 } as const;
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58, sctp: 132 } as const;

interface Token {
  text: string;
  at: number;
}

/** Qualifiers that an identifier without keyword takes over from the one before: `port 53 or 5353`. */
interface Qualifiers {
  protocol?: string;
  direction: Direction;
  type: 'host' | 'net' | 'port' | 'portrange';
}

const PORT_PROTOCOLS: Record<string, readonly number[]> = {
  tcp: [PROTOCOL.tcp],
  udp: [PROTOCOL.udp],
  sctp: [PROTOCOL.sctp],
};
const ADDRESS_TYPES: Record<string, readonly number[]> = {
  ip: [ETHERTYPE.ipv4],
  arp: [ETHERTYPE.arp],
  rarp: [ETHERTYPE.rarp],
  ip6: [ETHERTYPE.ipv6],
};
const TYPES = ['host', 'net', 'port', 'portrange'] as const;

/**
 * Parses the part of tcpdump's filter language (pcap-filter(7)) that is compiled here. As there, `and` and `or` bind
 * alike, from the left. Throws NotSupported with the position of what it does not know.
 */
export function parseExpression(text: string): Expression | null {
  const parser = new Parser(tokens(text), text.length);
  return parser.whole();
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  const pattern = /\s+|(&&|\|\||[()!]|[\w.:/-]+)|([^])/gy;
  for (const match of text.matchAll(pattern)) {
    if (match[2] !== undefined) throw new NotSupported(`'${match[2]}' is not understood here`, match.index);
    if (match[1] !== undefined) found.push({ text: SYNONYMS[match[1]] ?? match[1], at: match.index });
  }
  return found;
}
const SYNONYMS: Record<string, string> = { '&&': 'and', '||': 'or', '!': 'not' };

class Parser {
  readonly #tokens: Token[];
  readonly #end: number;
  #next = 0;
  #tags = 0;
  #qualifiers: Qualifiers | undefined;

  constructor(tokens: Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  whole(): Expression | null {
    if (this.#tokens.length === 0) return null;
    const expression = this.#expression();
    if (this.#next < this.#tokens.length) throw this.#unknown();
    return expression;
  }

  #expression(): Expression {
    let left = this.#term();
    for (let word = this.#peek(); word === 'and' || word === 'or'; word = this.#peek()) {
      this.#next++;
      left = { kind: word, left, right: this.#term() };
    }
    return left;
  }

  #term(): Expression {
    let negated = false;
    while (this.#take('not')) negated = !negated;
    const term = this.#test();
    return negated ? { kind: 'not', inner: term } : term;
  }

  #test(): Expression {
    if (this.#take('(')) return this.#inParentheses();
    const word = this.#peek();
    if (word === 'vlan') return this.#vlan();
    const start = this.#next;
    const protocol = this.#takeProtocol();
    const direction = this.#takeDirection();
    const type = this.#takeType();
    if (direction !== undefined || type !== undefined) {
      this.#qualifiers = { protocol, direction: direction ?? 'either', type: type ?? 'host' };
      return this.#take('(') ? this.#inParentheses() : this.#identifier(this.#qualifiers);
    }
    if (protocol !== undefined) {
      this.#qualifiers = undefined;
      return this.#protocol(protocol, start);
    }
    if (word !== undefined && /^[\d.:a-f/]*[\d:][\d.:a-f/-]*$/i.test(word)) {
      // An address or a number alone: with the qualifiers before it, else a host.
      return this.#identifier(this.#qualifiers ?? { direction: 'either', type: 'host' });
    }
    throw this.#unknown();
  }

  #inParentheses(): Expression {
    const inner = this.#expression();
    if (!this.#take(')')) throw this.#unknown("')' is missing");
    return inner;
  }

  #takeProtocol(): string | undefined {
    const word = this.#peek();
    if (word === undefined || !/^(ip|ip6|arp|rarp|tcp|udp|sctp|icmp|icmp6)$/.test(word)) return undefined;
    this.#next++;
    return word;
  }

  #takeDirection(): Direction | undefined {
    const first = this.#peek();
    if (first !== 'src' && first !== 'dst') return undefined;
    this.#next++;
    const joint = this.#peek();
    const second = this.#tokens[this.#next + 1]?.text;
    if ((joint !== 'or' && joint !== 'and') || second !== (first === 'src' ? 'dst' : 'src')) return first;
    this.#next += 2;
    return joint === 'or' ? 'either' : 'both';
  }

  #takeType(): Qualifiers['type'] | undefined {
    const type = TYPES.find((name) => name === this.#peek());
    if (type !== undefined) this.#next++;
    return type;
  }

  #protocol(name: string, token: number): Expression {
    const tags = this.#tags;
    if (this.#peek() === 'proto' || this.#peek() === 'protochain') throw this.#unknown();
    if (name in ADDRESS_TYPES) return { kind: 'network', etherType: ADDRESS_TYPES[name][0], tags };
    const families = name === 'icmp' ? ([4] as const) : name === 'icmp6' ? ([6] as const) : ([4, 6] as const);
    const protocol = PROTOCOL[name as keyof typeof PROTOCOL];
    if (protocol === undefined) throw this.#unknown(undefined, token);
    return { kind: 'protocol', protocol, families, tags };
  }

  #vlan(): Expression {
    this.#next++;
    this.#qualifiers = undefined;
    const tags = this.#tags++;
    const word = this.#peek();
    if (word === undefined || !/^\d|^0x/.test(word)) return { kind: 'vlan', id: undefined, tags };
    const id = this.#number(4095, 'a VLAN id');
    return { kind: 'vlan', id, tags };
  }

  #identifier(qualifiers: Qualifiers): Expression {
    const { protocol, direction, type } = qualifiers;
    const tags = this.#tags;
    if (type === 'host' || type === 'net') return this.#address(qualifiers);
    const protocols = protocol === undefined ? [6, 17, 132] : PORT_PROTOCOLS[protocol];
    if (protocols === undefined) throw this.#unknown(`'${protocol}' has no ports`, this.#next - 1);
    if (type === 'port') {
      const port = this.#number(65535, 'a port number');
      return { kind: 'port', protocols, direction, from: port, to: port, tags };
    }
    const range = /^(\d+)-(\d+)$/.exec(this.#peek() ?? '');
    if (range === null) throw this.#unknown("'portrange' wants two port numbers, such as 5300-5399");
    const [low, high] = [Number(range[1]), Number(range[2])];
    if (low > 65535 || high > 65535) throw this.#wrong('a port number is at most 65535');
    this.#next++;
    return { kind: 'port', protocols, direction, from: Math.min(low, high), to: Math.max(low, high), tags };
  }

  #number(most: number, what: string): number {
    const word = this.#peek();
    if (word === undefined || !/^(\d+|0x[\da-f]+)$/i.test(word)) throw this.#unknown(`${what} is expected`);
    const value = /^0\d/.test(word) ? Number.parseInt(word, 8) : Number(word);
    if (value > most) throw this.#wrong(`${what} is at most ${most}`);
    this.#next++;
    return value;
  }

  #address({ protocol, direction, type }: Qualifiers): Expression {
    const tags = this.#tags;
    const word = this.#peek();
    const match = /^([^/]+)(?:\/(\d+))?$/.exec(word ?? '');
    if (word === undefined || match === null) throw this.#unknown('an address is expected');
    const length = match[2] === undefined ? undefined : Number(match[2]);
    if (length !== undefined && type !== 'net') throw this.#unknown("'/' needs 'net' before the address");
    const isIpv6 = match[1].includes(':');
    const { words, masks } = isIpv6 ? this.#ipv6(match[1], length) : this.#ipv4(match[1], length);
    const own: readonly number[] = isIpv6 ? [ETHERTYPE.ipv6] : [ETHERTYPE.ipv4, ETHERTYPE.arp, ETHERTYPE.rarp];
    const etherTypes = protocol === undefined ? own : ADDRESS_TYPES[protocol];
    if (etherTypes === undefined || !own.includes(etherTypes[0])) {
      throw this.#unknown(`'${protocol}' does not go with ${word}`);
    }
    this.#next++;
    if (this.#peek() === 'mask' || this.#peek() === 'netmask') throw this.#unknown();
    if (words.some((value, i) => (value & ~masks[i]) !== 0)) {
      this.#next--;
      throw this.#wrong(`${word} has bits set behind its prefix`);
    }
    return { kind: 'address', etherTypes, direction, words, masks, tags };
  }

  #ipv4(text: string, length: number | undefined): { words: number[]; masks: number[] } {
    const parts = text.split('.');
    if (parts.length > 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) throw this.#unknown();
    if (length !== undefined && length > 32) throw this.#wrong('the prefix of an IPv4 network is at most 32');
    // Missing octets stand for all values, as in `net 10.1`.
    const word = parts.reduce((value, part, i) => value | (Number(part) << (24 - 8 * i)), 0);
    const mask = prefixMask(length ?? parts.length * 8);
    return { words: [word >>> 0], masks: [mask] };
  }

  #ipv6(text: string, length: number | undefined): { words: number[]; masks: number[] } {
    const words = parseIpv6(text);
    if (words === undefined) throw this.#wrong(`${text} is no IPv6 address`);
    if (length !== undefined && length > 128) throw this.#wrong('the prefix of an IPv6 network is at most 128');
    const masks = [0, 1, 2, 3].map((i) => prefixMask(Math.max(0, Math.min(32, (length ?? 128) - 32 * i))));
    return { words, masks };
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next]?.text;
  }

  #take(text: string): boolean {
    if (this.#peek() !== text) return false;
    this.#next++;
    return true;
  }

  #at(token: number): number {
    return this.#tokens[token]?.at ?? this.#end;
  }

  #unknown(message?: string, token = this.#next): NotSupported {
    const text = this.#tokens[token]?.text;
    const what = text === undefined ? 'it ends where a test is expected' : `'${text}' is not understood here`;
    return new NotSupported(message ?? what, this.#at(token));
  }

  #wrong(message: string): WrongExpression {
    return new WrongExpression(message, this.#at(this.#next));
  }
}

function prefixMask(length: number): number {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

/** Words of an IPv6 address (RFC 4291 §2.2), undefined where it is none. */
function parseIpv6(text: string): number[] | undefined {
  if (!URL.canParse(`http://[${text}]/`)) return undefined;
  const [head, tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return [0, 2, 4, 6].map((i) => ((Number.parseInt(groups[i], 16) << 16) | Number.parseInt(groups[i + 1], 16)) >>> 0);
}
