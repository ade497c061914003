import { EXIT, UserError } from '../../core/errors.ts';
import { Assembler, type Instruction, KERNEL, type Label, OP } from './bpf/assembler.ts';
import { dnsPorts, dnsTests, type EncryptedPorts, ethernetToIp, rawToIp } from './bpf/dns.ts';
import { type Expression, NotSupported, parseExpression, WrongExpression } from './bpf/expression.ts';
import { generate } from './bpf/generate.ts';
import { hardwareOfLink, LINK, LOOPBACK_HARDWARE } from './interfaces.ts';

/** What to capture. */
export interface CaptureRule {
  snaplen: number;
  /** tcpdump's language; replaces the default. */
  filter?: string;
  defaultFilter: 'dns' | 'none';
  extraUdpPorts?: readonly number[];
  extraTcpPorts?: readonly number[];
  /** Encrypted DNS that the default filter lets through; `off` unless told. */
  encrypted?: EncryptedPorts;
  family?: 4 | 6;
}

/** Which frames a socket gets. */
export interface SocketShape {
  /** Numbers of the interfaces, where the socket gets frames of others too. */
  interfaces?: readonly number[];
  /** Hardware type of its one interface; undefined when frames of several kinds arrive. */
  hardwareType?: number;
}

/** Compiles an expression with libpcap for a link type. Throws with libpcap's message. */
export type ForeignCompiler = (expression: string, link: number, snaplen: number) => Instruction[];

const OUTGOING = 4;

/**
 * The program that the kernel runs on every frame of a socket: its interfaces, each packet of the loopback interface
 * once, then by the kind of link the filter. `foreign` compiles what the own compiler does not know, where libpcap is
 * installed. Throws UserError with exit code 4.
 */
export function captureProgram(rule: CaptureRule, shape: SocketShape, foreign?: ForeignCompiler): Instruction[] {
  const asm = new Assembler();
  const drop = asm.accept(0);
  const program = new LinkPrograms(asm, drop, { rule, foreign });
  let entry: Label;
  if (shape.hardwareType !== undefined) {
    entry = program.ofHardware(shape.hardwareType);
    if (shape.hardwareType === LOOPBACK_HARDWARE) entry = received(asm, entry, drop);
  } else {
    const raw = asm.oneOf(hardwareOfLink(LINK.raw), program.raw(), program.otherHardware());
    const ethernet = program.ethernet();
    const loopback = asm.test(OP.jumpEqual, LOOPBACK_HARDWARE, received(asm, ethernet, drop), raw);
    entry = asm.op(OP.loadWord, KERNEL.hardwareType, asm.test(OP.jumpEqual, 1, ethernet, loopback));
  }
  if (shape.interfaces !== undefined) {
    entry = asm.op(OP.loadWord, KERNEL.interface, asm.oneOf(shape.interfaces, entry, drop));
  }
  return asm.program(entry);
}

/** A program for the frames of a link type as they are in a file: every tag in the frame. */
export function fileProgram(rule: CaptureRule, link: number, foreign?: ForeignCompiler): Instruction[] {
  const asm = new Assembler();
  const program = new LinkPrograms(asm, asm.accept(0), { rule, foreign });
  return asm.program(program.ofLink(link, false));
}

/** Drops what this machine sends on the loopback interface: it arrives there too. */
function received(asm: Assembler, next: Label, drop: Label): Label {
  return asm.equal(OP.loadWord, KERNEL.packetType, OUTGOING, drop, next);
}

/** A parsed filter, or one that only libpcap understands. */
type Filter = { own: Expression | null } | { foreign: string; why: NotSupported };

/** The part of the program behind the kind of link. */
class LinkPrograms {
  readonly #asm: Assembler;
  readonly #keep: Label;
  readonly #drop: Label;
  readonly #rule: CaptureRule;
  readonly #foreign: ForeignCompiler | undefined;
  readonly #filter: Filter;

  constructor(asm: Assembler, drop: Label, parts: { rule: CaptureRule; foreign?: ForeignCompiler }) {
    this.#asm = asm;
    this.#drop = drop;
    this.#keep = asm.accept(parts.rule.snaplen);
    this.#rule = parts.rule;
    this.#foreign = parts.foreign;
    this.#filter = parseFilter(parts.rule.filter, parts.foreign !== undefined);
  }

  ofHardware(hardwareType: number): Label {
    if (hardwareOfLink(LINK.ethernet).includes(hardwareType)) return this.ethernet();
    return hardwareOfLink(LINK.raw).includes(hardwareType) ? this.raw() : this.otherHardware();
  }

  ofLink(link: number, live: boolean): Label {
    if (link === LINK.ethernet) return live ? this.ethernet() : this.#ofShape({ link: 'ethernet', tagAside: false });
    return link === LINK.raw ? this.raw() : this.otherHardware();
  }

  /** Live, the outermost tag may be beside the frame. */
  ethernet(): Label {
    const inFrame = this.#ofShape({ link: 'ethernet', tagAside: false });
    const filter = this.#filter;
    if (!('own' in filter) || !hasVlan(filter.own)) return inFrame;
    const aside = this.#ofShape({ link: 'ethernet', tagAside: true });
    return this.#asm.equal(OP.loadWord, KERNEL.vlanTagPresent, 0, inFrame, aside);
  }

  raw(): Label {
    return this.#ofShape({ link: 'raw', tagAside: false });
  }

  /** Wireless frames in monitor mode: only the dissector finds their packets. */
  otherHardware(): Label {
    const filter = this.#filter;
    return 'own' in filter && filter.own === null ? this.#keep : this.#drop;
  }

  #ofShape(shape: { link: 'ethernet' | 'raw'; tagAside: boolean }): Label {
    const filter = this.#filter;
    const rule = this.#rule;
    const asm = this.#asm;
    const ends = { yes: this.#keep, no: this.#drop };
    const toIp = shape.link === 'raw' ? rawToIp : ethernetToIp;
    if ('foreign' in filter) return this.#ofFamily(toIp, asm.embed(this.#compileForeign(filter, shape.link)));
    if (filter.own !== null) return this.#ofFamily(toIp, generate(asm, filter.own, { ...ends, shape }));
    // An empty filter takes everything, as in tcpdump.
    if (rule.defaultFilter === 'none' || rule.filter !== undefined) return this.#ofFamily(toIp, this.#keep);
    const { extraUdpPorts = [], extraTcpPorts = [], encrypted = 'off' } = rule;
    const labels = dnsTests(asm, ends, dnsPorts(extraUdpPorts, extraTcpPorts, encrypted));
    if (rule.family === 4) labels.ipv6 = this.#drop;
    if (rule.family === 6) labels.ipv4 = this.#drop;
    return toIp(asm, labels);
  }

  #compileForeign({ foreign, why }: Extract<Filter, { foreign: string }>, link: 'ethernet' | 'raw'): Instruction[] {
    try {
      return this.#foreign?.(foreign, link === 'raw' ? LINK.raw : LINK.ethernet, this.#rule.snaplen) ?? [];
    } catch (error) {
      throw wrongFilter(foreign, why, ` (libpcap: ${(error as Error).message})`);
    }
  }

  /** Only packets of the family asked for go on. */
  #ofFamily(toIp: typeof rawToIp, next: Label): Label {
    const { family } = this.#rule;
    if (family === undefined) return next;
    const no = this.#drop;
    return toIp(this.#asm, { ipv4: family === 4 ? next : no, ipv6: family === 6 ? next : no, no });
  }
}

function hasVlan(e: Expression | null): boolean {
  if (e === null) return false;
  if (e.kind === 'and' || e.kind === 'or') return hasVlan(e.left) || hasVlan(e.right);
  return e.kind === 'not' ? hasVlan(e.inner) : e.kind === 'vlan';
}

function parseFilter(text: string | undefined, hasLibpcap: boolean): Filter {
  if (text === undefined) return { own: null };
  try {
    return { own: parseExpression(text) };
  } catch (error) {
    if (!(error instanceof NotSupported)) throw error;
    if (hasLibpcap && !(error instanceof WrongExpression)) return { foreign: text, why: error };
    const advice =
      error instanceof WrongExpression
        ? ''
        : '\nWithout libpcap, -f knows host, net, port, portrange, src, dst, ip, ip6, arp, udp, tcp, sctp, icmp, icmp6, ' +
          'vlan, and, or, not and parentheses. Install libpcap (Debian: libpcap0.8) for the rest, or use -Y.';
    throw wrongFilter(text, error, '', advice);
  }
}

/** Points at what is wrong. */
function wrongFilter(text: string, { message, at }: NotSupported, judge: string, advice = ''): UserError {
  return new UserError(`Capture filter: ${message}${judge}.\n  ${text}\n  ${' '.repeat(at)}^${advice}`, EXIT.filter);
}
