import { Carrier, TCP, UDP } from '../../src/core/carrier.ts';
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

/** Ethernet, 802.1Q tag 7, IPv4 10.0.0.1 → 192.0.2.53, UDP 40000 → 53 (a response: the other way), the message. */
export function sample(message: MessageInput | Uint8Array, change: (sample: Sample) => void = () => {}): Sample {
  const bytes = message instanceof Uint8Array ? message : encodeMessage(message);
  const view = new MessageView();
  view.read(bytes, 0, bytes.length);
  const frame = new Uint8Array(18 + 20 + 8 + bytes.length);
  const put = (at: number, ...octets: number[]) => frame.set(octets, at);
  put(0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0x60, 7, 8, 0);
  put(18, 0x45, 0x28, 0, 0, 0x12, 0x34, 0x40, 0, 64, 17, 0xab, 0xcd);
  const length = 28 + bytes.length;
  put(20, length >> 8, length & 255);
  put(38, 0x9c, 0x40, 0, 53, (length - 20) >> 8, (length - 20) & 255, 0x55, 0xaa);
  frame.set(bytes, 46);
  view.read(frame, 46, bytes.length);
  const carrier = new Carrier();
  Object.assign(carrier, {
    number: 10,
    seconds: 1_700_000_000,
    nanos: 123_456_789,
    frame,
    capturedLength: frame.length,
    wireLength: frame.length + 4,
    link: 1,
    interfaces: [{ name: 'eth0', description: 'uplink', link: 1, snaplen: 0 }],
    ethernetAt: 0,
    vlanAt: 14,
    vlan: 7,
    ipAt: 18,
    transportAt: 38,
    source3: 0x0a000001,
    destination3: 0xc0000235 | 0,
    sourcePort: 40_000,
    destinationPort: 53,
    stream: 3,
    bytes: frame,
    at: 46,
    length: bytes.length,
    claimedLength: bytes.length,
  });
  const made = { carrier, view, join: new MessageJoin() };
  change(made);
  return made;
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

export { TCP, UDP };
