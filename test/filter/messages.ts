import { Carrier, DNS, LLMNR, MDNS, NBNS, TCP, UDP } from '../../src/core/carrier.ts';
import { MessageJoin } from '../../src/core/join.ts';
import { type Compat, compileFilter } from '../../src/filter/compile.ts';
import { outputField } from '../../src/filter/output.ts';
import { encodeMessage, type MessageInput } from '../../src/rr/encode.ts';
import { MessageView } from '../../src/wire/message.ts';

/** A message under test with what carried it and what the matcher knows of it. */
export interface Sample {
  carrier: Carrier;
  view: MessageView;
  join: MessageJoin;
}

/** How a message travels: on Ethernet with 802.1Q tag 7 unless said otherwise. */
export interface Way {
  link?: 'ethernet' | 'snap' | 'sll' | 'sll2';
  family?: 4 | 6;
  transport?: 'udp' | 'tcp';
  protocol?: 'dns' | 'mdns' | 'llmnr' | 'nbns';
  /** Octets of the message that were not captured. */
  missing?: number;
  /** Behind an IPv6 fragment header that stands alone (RFC 6946). */
  isAtomic?: boolean;
  /** What the dissector knows beyond. */
  carrier?: Partial<Carrier>;
}

const PORTS = { dns: 53, mdns: 5353, llmnr: 5355, nbns: 137 } as const;
const PROTOCOLS = { dns: DNS, mdns: MDNS, llmnr: LLMNR, nbns: NBNS } as const;
const LINKS = { ethernet: 1, snap: 1, sll: 113, sll2: 276 } as const;
const pair = (n: number): number[] => [n >> 8, n & 255];

function linkHeader(link: keyof typeof LINKS, etherType: number, payload: number): number[] {
  const mac = [2, 0, 0, 0, 0, 2];
  if (link === 'snap')
    return [2, 0, 0, 0, 0, 1, ...mac, ...pair(payload + 8), 0xaa, 0xaa, 3, 0, 0, 0, ...pair(etherType)];
  if (link === 'sll') return [0, 4, 0, 1, 0, 6, ...mac, 0, 0, ...pair(etherType)];
  if (link === 'sll2') return [...pair(etherType), 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, ...mac, 0, 0];
  return [2, 0, 0, 0, 0, 1, ...mac, 0x81, 0, 0x60, 7, ...pair(etherType)];
}

const V6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

function ipHeader(family: 4 | 6, next: number, payload: number): number[] {
  if (family === 6) return [0x6b, 0x81, 0x23, 0x45, ...pair(payload), next, 61, ...V6, 1, ...V6, 0x35];
  return [0x45, 0x28, ...pair(20 + payload), 0x12, 0x34, 0x40, 0, 64, next, 0xab, 0xcd, 10, 0, 0, 1, 192, 0, 2, 53];
}

function transportHeader(tcp: boolean, port: number, length: number): number[] {
  const ports = [...pair(40_000), ...pair(port)];
  if (!tcp) return [...ports, ...pair(8 + length), 0x55, 0xaa];
  return [...ports, 0, 0, 0, 9, 0, 0, 0, 8, 0x50, 0x18, 4, 0, 0xbe, 0xef, 0, 0, ...pair(length)];
}

/** A message in frame 10 from 10.0.0.1 (2001:db8::1), port 40000, to 192.0.2.53 (2001:db8::35), the protocol's port. */
export function sample(message: MessageInput | Uint8Array, way: Way = {}, join: Partial<MessageJoin> = {}): Sample {
  const { link = 'ethernet', family = 4, transport = 'udp', protocol = 'dns', missing = 0, isAtomic = false } = way;
  const bytes = message instanceof Uint8Array ? message : encodeMessage(message);
  const tcp = transport === 'tcp';
  const layer4 = transportHeader(tcp, PORTS[protocol], bytes.length);
  const next = tcp ? TCP : UDP;
  const atomic = isAtomic ? [next, 0, 0, 0, 0x12, 0x34, 0x56, 0x78] : [];
  const payload = atomic.length + layer4.length + bytes.length;
  const layer3 = [...ipHeader(family, isAtomic ? 44 : next, payload), ...atomic];
  const layer2 = linkHeader(link, family === 4 ? 0x0800 : 0x86dd, layer3.length + layer4.length + bytes.length);
  const headers = [...layer2, ...layer3, ...layer4];
  const whole = Uint8Array.from([...headers, ...bytes]);
  const frame = whole.subarray(0, whole.length - missing);
  const at = headers.length;
  const v6 = 0x20010db8;
  const carrier = Object.assign(new Carrier(), {
    number: 10,
    seconds: 1_700_000_000,
    nanos: 123_456_789,
    frame,
    capturedLength: frame.length,
    wireLength: whole.length,
    link: LINKS[link],
    rules: 'slow A lookup',
    interfaces: [{ name: 'eth0', sensor: 'roof', description: 'uplink', link: LINKS[link], snaplen: 0 }],
    ethernetAt: link === 'ethernet' || link === 'snap' ? 0 : -1,
    vlanAt: link === 'ethernet' ? 14 : -1,
    vlan: link === 'ethernet' ? 7 : -1,
    ipAt: layer2.length,
    transportAt: layer2.length + layer3.length,
    family,
    source0: family === 6 ? v6 : 0,
    source3: family === 6 ? 1 : 0x0a000001,
    destination0: family === 6 ? v6 : 0,
    destination3: family === 6 ? 0x35 : 0xc0000235 | 0,
    sourcePort: 40_000,
    destinationPort: PORTS[protocol],
    transport: tcp ? TCP : UDP,
    protocol: PROTOCOLS[protocol],
    stream: 0,
    bytes: frame,
    at,
    length: bytes.length - missing,
    claimedLength: bytes.length,
    ...way.carrier,
  });
  const view = new MessageView();
  view.read(frame, at, bytes.length - missing, bytes.length);
  return { carrier, view, join: Object.assign(new MessageJoin(), join) };
}

/** A query for a name. */
export function query(name = 'www.example.com', type = 'A', more: Partial<MessageInput> = {}): MessageInput {
  return { id: 0x1234, flags: ['rd'], questions: [{ name, type }], ...more };
}

/** A response with answers given as `name type ttl data`. */
export function response(answers: readonly string[], more: Partial<MessageInput> = {}): MessageInput {
  const records = answers.map((line) => {
    const [name, type, ttl, ...data] = line.split(' ');
    return { name, type, ttl: Number(ttl), data: data.join(' ') };
  });
  return { ...query(), flags: ['qr', 'rd', 'ra'], answers: records, ...more };
}

/** Whether a message passes a filter. */
export function passes(filter: string, { carrier, view, join }: Sample, compat: Compat = 'nametap'): boolean {
  return compileFilter(filter, { compat }).matches(carrier, view, join);
}

/** What `-e` prints of a message. */
export function printed(name: string, { carrier, view, join }: Sample, compat: Compat = 'nametap'): readonly string[] {
  return outputField(name, { compat }).values(carrier, view, join);
}
