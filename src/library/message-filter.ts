import { word } from '../core/address.ts';
import { Carrier, PROTOCOL_NAMES, TCP, UDP } from '../core/carrier.ts';
import { MessageJoin } from '../core/join.ts';
import { type Compat, compileFilter } from '../filter/compile.ts';
import { parseIpv4, parseIpv6 } from '../wire/field.ts';
import { MessageView } from '../wire/message.ts';

/** Where a message was seen. What is left out is absent for the filter: `ip.src == …` is then false. */
export interface Seen {
  /** IPv4 or IPv6 text. */
  source?: string;
  destination?: string;
  sourcePort?: number;
  destinationPort?: number;
  transport?: 'udp' | 'tcp';
  protocol?: (typeof PROTOCOL_NAMES)[number];
}

/**
 * A display filter as a function on the bytes of a message. Fields that other messages decide (`dns.time`,
 * `dns.response_in` …) and those of the frame are absent. Throws `FilterError` at once when the text is no filter, `UserError` when
 * an address is none; the bytes never make it throw.
 *
 * @example
 * import { messageFilter } from 'nametap/filter';
 * import { encodeMessage } from 'nametap/wire';
 *
 * const passes = messageFilter('dns.qry.name contains "malware" and ip.src == 10.0.0.0/8');
 * const query = encodeMessage({ id: 1, questions: [{ name: 'www.MaLwArE.example', type: 'A' }] });
 * console.log(passes(query, { source: '10.1.2.3', destination: '10.0.0.53' })); // → true
 * console.log(passes(query, { source: '192.0.2.1', destination: '10.0.0.53' })); // → false
 */
export function messageFilter(
  text: string,
  options: { compat?: Compat } = {},
): (bytes: Uint8Array, seen?: Seen) => boolean {
  const filter = compileFilter(text, options);
  const carrier = new Carrier();
  const view = new MessageView();
  const join = new MessageJoin();
  return (bytes, seen = {}) => {
    fill(carrier, bytes, seen);
    view.read(bytes, 0, bytes.length);
    return filter.matches(carrier, view, join);
  };
}

function fill(carrier: Carrier, bytes: Uint8Array, seen: Seen): void {
  const { source, destination, sourcePort = 0, destinationPort = 0, transport = 'udp', protocol = 'dns' } = seen;
  carrier.bytes = bytes;
  carrier.length = carrier.claimedLength = bytes.length;
  carrier.transport = transport === 'tcp' ? TCP : UDP;
  carrier.protocol = PROTOCOL_NAMES.indexOf(protocol);
  carrier.sourcePort = sourcePort;
  carrier.destinationPort = destinationPort;
  const from = source === undefined ? NOBODY : addressOf(source);
  const to = destination === undefined ? NOBODY : addressOf(destination);
  carrier.family = from.family || to.family;
  [carrier.source0, carrier.source1, carrier.source2, carrier.source3] = from.words;
  [carrier.destination0, carrier.destination1, carrier.destination2, carrier.destination3] = to.words;
}

interface Address {
  family: number;
  words: readonly number[];
}
/** 0.0.0.0 or ::, where only the other end is known; no family where neither is. */
const NOBODY: Address = { family: 0, words: [0, 0, 0, 0] };

function addressOf(text: string): Address {
  if (text.includes(':')) {
    const octets = parseIpv6(text);
    return { family: 6, words: [word(octets, 0), word(octets, 4), word(octets, 8), word(octets, 12)] };
  }
  return { family: 4, words: [0, 0, 0, word(parseIpv4(text), 0)] };
}
