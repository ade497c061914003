import { addressText } from '../core/address.ts';
import { type Carrier, PROTOCOL_NAMES, TCP } from '../core/carrier.ts';
import { millisText, timeText } from '../core/clock.ts';
import type { MessageJoin } from '../core/join.ts';
import { type Message, messageValue } from '../rr/value.ts';
import type { MessageView } from '../wire/message.ts';
import { type OutputOptions, shownInterface } from './output.ts';

export const sourceText = (c: Carrier): string => addressText(c.family, c.source0, c.source1, c.source2, c.source3);
export const destinationText = (c: Carrier): string =>
  addressText(c.family, c.destination0, c.destination1, c.destination2, c.destination3);

/** dnstap's SocketProtocol: how a message travelled where more than the IP protocol is known. */
const TAP_TRANSPORTS = ['', 'udp', 'tcp', 'dot', 'doh', 'dnscrypt-udp', 'dnscrypt-tcp', 'doq'];

/** `udp`, `tcp`, or what dnstap says: `dot doh doq …`. */
export function transportName(c: Carrier): string {
  return TAP_TRANSPORTS[c.tapProtocol] || (c.transport === TCP ? 'tcp' : 'udp');
}

/** One message with where and when it was seen: native JSON of the unit message. Absent keys are left out. */
export interface CapturedMessage extends Message {
  /** RFC 3339, 9 digits. */
  time: string;
  frame: number;
  source: string;
  source_port: number;
  destination: string;
  destination_port: number;
  transport: string;
  protocol?: string;
  interface?: string;
  sensor?: string;
  vlan?: number;
  /** Octets of the message on the wire. */
  bytes: number;
  /** Responses: frame of the query, milliseconds since its first and last copy. */
  response_to?: number;
  latency_ms?: number;
  latency_last_ms?: number;
  retransmission?: true;
  unsolicited?: true;
}

export function capturedMessage(
  carrier: Carrier,
  view: MessageView,
  join: MessageJoin,
  options: OutputOptions,
): CapturedMessage {
  const { vlan, protocol } = carrier;
  const name = shownInterface(options, carrier.interfaceId);
  return {
    time: timeText(carrier.seconds, carrier.nanos),
    frame: carrier.number,
    source: sourceText(carrier),
    source_port: carrier.sourcePort,
    destination: destinationText(carrier),
    destination_port: carrier.destinationPort,
    transport: transportName(carrier),
    ...(protocol !== 0 && { protocol: PROTOCOL_NAMES[protocol] }),
    ...(name !== undefined && { interface: name }),
    ...(options.sensor !== undefined && { sensor: options.sensor }),
    ...(vlan >= 0 && { vlan }),
    bytes: carrier.claimedLength,
    ...(join.responseTo > 0 && { response_to: join.responseTo }),
    ...(!Number.isNaN(join.latencyNanos) && { latency_ms: Number(millisText(join.latencyNanos)) }),
    ...(!Number.isNaN(join.latencyLastNanos) && { latency_last_ms: Number(millisText(join.latencyLastNanos)) }),
    ...(join.retransmission && { retransmission: true as const }),
    ...(join.unsolicited && { unsolicited: true as const }),
    ...messageValue(view, protocol),
  };
}
