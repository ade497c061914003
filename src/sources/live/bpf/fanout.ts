import { Assembler, type Instruction, KERNEL, type Label, OP } from './assembler.ts';
import { VLAN_TYPES } from './dns.ts';

/** Tags that may be left in a frame behind the one that the kernel takes out. */
const MAX_TAGS = 2;
/** Scratch memory that holds the exclusive or so far. */
const PAIR = 0;

/**
 * Program for PACKET_FANOUT_CBPF: the number that, modulo the size of the group, names the socket of a packet. It is
 * `shardOf` of net/shard.ts (whose factor is `factor`) before the modulo: by the unordered pair of the outermost
 * addresses, of those that an ICMP error quotes.
 *
 * Received packets start at their network header here and sent ones at their link header, so every offset counts from
 * the network header.
 */
export function fanoutProgram(factor: number): Instruction[] {
  const asm = new Assembler();
  // Last in the program: to the kernel's check, what follows a return has run it, and not stored what we read.
  const zero = asm.accept(0);
  const hash = asm.op(OP.loadMemory, PAIR, asm.op(OP.multiply, factor, asm.op(OP.shiftRight, 16, asm.returnA())));
  const quoted4 = pair(asm, [12, 16], hash);
  const quoted6 = pair(asm, [8, 12, 16, 20, 24, 28, 32, 36], hash);
  const ipv4 = pair(asm, [12, 16], ipv4Error(asm, quoted4, hash));
  const ipv6 = pair(asm, [8, 12, 16, 20, 24, 28, 32, 36], ipv6Error(asm, quoted6, hash));
  let tagged = zero;
  let types = zero;
  for (let tags = MAX_TAGS; tags >= 0; tags--) {
    const at = KERNEL.network + 4 * tags;
    const notIpv4 = asm.test(OP.jumpEqual, 0x86dd, asm.op(OP.setX, at, ipv6), asm.oneOf(VLAN_TYPES, tagged, zero));
    types = asm.test(OP.jumpEqual, 0x0800, asm.op(OP.setX, at, ipv4), notIpv4);
    if (tags > 0) tagged = asm.op(OP.loadHalf, at - 2, types);
  }
  return asm.program(asm.op(OP.loadWord, KERNEL.protocol, types));
}

/** Memory = exclusive or of the words at these offsets from X. */
function pair(asm: Assembler, offsets: readonly number[], next: Label): Label {
  // X has to stay the header's offset, and exclusive or works on A and X only: so X goes to memory and back.
  const HEADER = 1;
  let label = asm.op(OP.loadMemoryX, HEADER, next);
  for (let i = offsets.length - 1; i > 0; i--) {
    const combined = asm.op(OP.loadMemoryX, PAIR, asm.op(OP.xorX, 0, asm.op(OP.store, PAIR, label)));
    label = asm.op(OP.loadMemoryX, HEADER, asm.op(OP.loadWordX, offsets[i], combined));
  }
  return asm.op(OP.storeX, HEADER, asm.op(OP.loadWordX, offsets[0], asm.op(OP.store, PAIR, label)));
}

/** Sets X to the packet that an ICMP error (RFC 792) quotes. */
function ipv4Error(asm: Assembler, quoted: Label, no: Label): Label {
  const inner = add(asm, 8, quoted);
  const type = asm.op(OP.loadByteX, 0, asm.oneOf([3, 4, 5, 11, 12], inner, no));
  const length = asm.op(OP.and, 15, asm.op(OP.shiftLeft, 2, asm.op(OP.addX, 0, asm.op(OP.moveToX, 0, type))));
  const whole = asm.op(OP.loadHalfX, 6, asm.test(OP.jumpSet, 0x1fff, no, asm.op(OP.loadByteX, 0, length)));
  return asm.equal(OP.loadByteX, 9, 1, whole, no);
}

/** Sets X to the packet that an ICMPv6 error (RFC 4443 §3) quotes. */
function ipv6Error(asm: Assembler, quoted: Label, no: Label): Label {
  const type = asm.op(OP.loadByteX, 40, asm.oneOf([1, 2, 3, 4], add(asm, 48, quoted), no));
  return asm.equal(OP.loadByteX, 6, 58, type, no);
}

function add(asm: Assembler, bytes: number, next: Label): Label {
  return asm.op(OP.set, bytes, asm.op(OP.addX, 0, asm.op(OP.moveToX, 0, next)));
}
