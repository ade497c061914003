import { Carrier, TCP, UDP } from '../core/carrier.ts';
import { type CapturedInterface, NO_PACKET } from '../core/frames.ts';

/** Senders kept apart by their identity; further ones share the last place. */
const MAX_IDENTITIES = 1024;
/** How the protocols of dnstap and PowerDNS travel: 1 UDP, 2 TCP, 3 DoT, 4 DoH, 5 and 6 DNSCrypt, 7 DoQ. */
const TRANSPORTS = [UDP, UDP, TCP, TCP, TCP, UDP, TCP, UDP];

/** Who asked whom, and how, as offsets into what a name server sent; −1 where absent. */
export interface TapEnds {
  protocol: number;
  queryAddressAt: number;
  queryAddressLength: number;
  responseAddressAt: number;
  responseAddressLength: number;
  queryPort: number;
  responsePort: number;
}

/** Delivers what name servers tell of, without packets: between whom, when, and which server (an interface each) told. */
export class TapCarrier {
  readonly carrier = new Carrier();
  readonly interfaces: CapturedInterface[] = [];
  readonly #deliver: (carrier: Carrier) => void;
  readonly #identities = new Map<string, number>();

  constructor(deliver: (carrier: Carrier) => void) {
    this.#deliver = deliver;
    this.carrier.interfaces = this.interfaces;
  }

  /** Whoever asked is the source of a query, and the destination of a response. */
  address(bytes: Uint8Array, f: TapEnds, isResponse: boolean): void {
    const c = this.carrier;
    c.transport = TRANSPORTS[f.protocol] ?? UDP;
    c.tapProtocol = f.protocol;
    const longest = Math.max(f.queryAddressLength, f.responseAddressLength);
    c.family = longest > 4 ? 6 : 4;
    const [fromAt, fromLength, toAt, toLength] = isResponse
      ? [f.responseAddressAt, f.responseAddressLength, f.queryAddressAt, f.queryAddressLength]
      : [f.queryAddressAt, f.queryAddressLength, f.responseAddressAt, f.responseAddressLength];
    c.source0 = word(bytes, fromAt, fromLength, 0);
    c.source1 = word(bytes, fromAt, fromLength, 1);
    c.source2 = word(bytes, fromAt, fromLength, 2);
    c.source3 = word(bytes, fromAt, fromLength, 3);
    c.destination0 = word(bytes, toAt, toLength, 0);
    c.destination1 = word(bytes, toAt, toLength, 1);
    c.destination2 = word(bytes, toAt, toLength, 2);
    c.destination3 = word(bytes, toAt, toLength, 3);
    c.sourcePort = isResponse ? f.responsePort : f.queryPort;
    c.destinationPort = isResponse ? f.queryPort : f.responsePort;
  }

  /** Delivers the message `bytes[at, at + length)`; its time is unknown where `seconds` is below 0. */
  send(bytes: Uint8Array, at: number, length: number, seconds: number, nanos: number): void {
    const c = this.carrier;
    c.number++;
    if (seconds >= 0) {
      c.seconds = seconds + Math.floor(nanos / 1e9);
      c.nanos = nanos % 1e9;
    } // Else the time of the message before is the best that is known.
    c.link = NO_PACKET;
    c.bytes = bytes;
    c.at = at;
    c.length = length;
    c.claimedLength = length;
    this.#deliver(c);
  }

  /** Index of the interface that stands for a sender; either may be empty. */
  interfaceOf(name: string, description: string): number {
    const key = `${name}\n${description}`;
    const known = this.#identities.get(key);
    if (known !== undefined) return known;
    if (this.interfaces.length === MAX_IDENTITIES) return MAX_IDENTITIES - 1;
    const entry: CapturedInterface = { link: NO_PACKET, snaplen: 0 };
    if (name !== '') entry.name = name;
    if (description !== '') entry.description = description;
    const index = this.interfaces.push(entry) - 1;
    this.#identities.set(key, index);
    return index;
  }
}

/** 32-bit word `i` of an address in the run's form: IPv4 in the last word. Addresses of other lengths are zero. */
function word(bytes: Uint8Array, at: number, length: number, i: number): number {
  if (length === 4 ? i < 3 : length !== 16) return 0;
  const from = length === 4 ? at : at + i * 4;
  return ((bytes[from] << 24) | (bytes[from + 1] << 16) | (bytes[from + 2] << 8) | bytes[from + 3]) >>> 0;
}
