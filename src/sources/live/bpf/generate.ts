import { type Assembler, KERNEL, type Label, OP } from './assembler.ts';
import { type Direction, ETHERTYPE, type Expression } from './expression.ts';

/** What the frames look like that a program is made for. */
export interface FrameShape {
  /** Ethernet, or the IP header first. */
  link: 'ethernet' | 'raw';
  /** The kernel has taken the outermost VLAN tag out of the frame and keeps it beside. */
  tagAside: boolean;
}

type Test<K> = Extract<Expression, { kind: K }>;

/** Emits the tests of an expression: `yes` and `no` are where they lead. Returns the entry. */
export function generate(
  asm: Assembler,
  expression: Expression,
  to: { yes: Label; no: Label; shape: FrameShape },
): Label {
  return new Generator(asm, to.shape).emit(expression, to.yes, to.no);
}

class Generator {
  readonly #asm: Assembler;
  readonly #shape: FrameShape;

  constructor(asm: Assembler, shape: FrameShape) {
    this.#asm = asm;
    this.#shape = shape;
  }

  emit(e: Expression, yes: Label, no: Label): Label {
    switch (e.kind) {
      case 'and':
        return this.emit(e.left, this.emit(e.right, yes, no), no);
      case 'or':
        return this.emit(e.left, yes, this.emit(e.right, yes, no));
      case 'not':
        return this.emit(e.inner, no, yes);
      case 'network':
        return this.#network(e.etherType, e.tags, yes, no);
      case 'protocol':
        return this.#protocol(e, yes, no);
      case 'port':
        return this.#port(e, yes, no);
      case 'address':
        return this.#address(e, yes, no);
      case 'vlan':
      default:
        return this.#vlan(e, yes, no);
    }
  }

  /** Bytes that the tags before a test take in the frame. */
  #shift(tags: number): number {
    return 4 * (this.#shape.tagAside ? Math.max(0, tags - 1) : tags);
  }

  /** Offset of the network header. */
  #ip(tags: number): number {
    return this.#shape.link === 'raw' ? 0 : 14 + this.#shift(tags);
  }

  #network(etherType: number, tags: number, yes: Label, no: Label): Label {
    if (this.#shape.link === 'ethernet') {
      return this.#asm.equal(OP.loadHalf, 12 + this.#shift(tags), etherType, yes, no);
    }
    const version = etherType === ETHERTYPE.ipv4 ? 0x40 : etherType === ETHERTYPE.ipv6 ? 0x60 : undefined;
    if (version === undefined) return no;
    const test = this.#asm.test(OP.jumpEqual, version, yes, no);
    return this.#asm.op(OP.loadByte, 0, this.#asm.op(OP.and, 0xf0, test));
  }

  #protocol(e: Test<'protocol'>, yes: Label, no: Label): Label {
    const asm = this.#asm;
    const ip = this.#ip(e.tags);
    let otherwise = no;
    if (e.families.includes(6)) {
      // Also behind a fragment header, as tcpdump looks for it.
      const behind = asm.equal(OP.loadByte, ip + 40, e.protocol, yes, no);
      const next = asm.test(OP.jumpEqual, e.protocol, yes, asm.test(OP.jumpEqual, 44, behind, no));
      otherwise = this.#network(ETHERTYPE.ipv6, e.tags, asm.op(OP.loadByte, ip + 6, next), no);
    }
    if (!e.families.includes(4)) return otherwise;
    return this.#network(ETHERTYPE.ipv4, e.tags, asm.equal(OP.loadByte, ip + 9, e.protocol, yes, no), otherwise);
  }

  #port(e: Test<'port'>, yes: Label, no: Label): Label {
    const asm = this.#asm;
    const ip = this.#ip(e.tags);
    const inRange = (yes: Label, no: Label): Label =>
      e.from === e.to
        ? asm.test(OP.jumpEqual, e.from, yes, no)
        : asm.test(OP.jumpAtLeast, e.from, asm.test(OP.jumpAbove, e.to, no, yes), no);
    const ports = (load: number, at: number): Label =>
      this.#ends(e.direction, yes, no, (end, yes, no) => asm.op(load, at + (end === 'src' ? 0 : 2), inRange(yes, no)));
    const ipv6 = asm.op(OP.loadByte, ip + 6, asm.oneOf(e.protocols, ports(OP.loadHalf, ip + 40), no));
    const first = asm.op(OP.headerLengthX, ip, ports(OP.loadHalfX, ip));
    const whole = asm.op(OP.loadHalf, ip + 6, asm.test(OP.jumpSet, 0x1fff, no, first));
    const ipv4 = asm.op(OP.loadByte, ip + 9, asm.oneOf(e.protocols, whole, no));
    const notIpv4 = this.#network(ETHERTYPE.ipv6, e.tags, ipv6, no);
    return this.#network(ETHERTYPE.ipv4, e.tags, ipv4, notIpv4);
  }

  #address(e: Test<'address'>, yes: Label, no: Label): Label {
    let otherwise = no;
    for (const etherType of e.etherTypes.toReversed()) {
      const [source, destination] = ADDRESS_OFFSETS[etherType];
      const test = this.#ends(e.direction, yes, no, (end, yes, no) =>
        this.#words(e, this.#ip(e.tags) + (end === 'src' ? source : destination), yes, no),
      );
      otherwise = this.#network(etherType, e.tags, test, otherwise);
    }
    return otherwise;
  }

  /** Compares the words that the mask leaves. */
  #words(e: Test<'address'>, at: number, yes: Label, no: Label): Label {
    const asm = this.#asm;
    let next = yes;
    for (let i = e.words.length - 1; i >= 0; i--) {
      if (e.masks[i] === 0) continue;
      const test = asm.test(OP.jumpEqual, e.words[i], next, no);
      next = asm.op(OP.loadWord, at + 4 * i, e.masks[i] === 0xffffffff ? test : asm.op(OP.and, e.masks[i], test));
    }
    return next;
  }

  #ends(
    direction: Direction,
    yes: Label,
    no: Label,
    test: (end: 'src' | 'dst', yes: Label, no: Label) => Label,
  ): Label {
    if (direction === 'src' || direction === 'dst') return test(direction, yes, no);
    const second = test('dst', yes, no);
    return direction === 'either' ? test('src', yes, second) : test('src', second, no);
  }

  #vlan(e: Test<'vlan'>, yes: Label, no: Label): Label {
    const asm = this.#asm;
    if (this.#shape.link === 'raw') return no;
    const isId = (load: number, at: number): Label => {
      if (e.id === undefined) return yes;
      return asm.op(load, at, asm.op(OP.and, 0x0fff, asm.test(OP.jumpEqual, e.id, yes, no)));
    };
    if (this.#shape.tagAside && e.tags === 0) return isId(OP.loadWord, KERNEL.vlanTag);
    const at = this.#ip(e.tags);
    return asm.op(OP.loadHalf, at - 2, asm.oneOf([0x8100, 0x88a8, 0x9100], isId(OP.loadHalf, at), no));
  }
}

/** Where the addresses are from the network header on. */
const ADDRESS_OFFSETS: Record<number, readonly [number, number]> = {
  [ETHERTYPE.ipv4]: [12, 16],
  [ETHERTYPE.arp]: [14, 24],
  [ETHERTYPE.rarp]: [14, 24],
  [ETHERTYPE.ipv6]: [8, 24],
};
