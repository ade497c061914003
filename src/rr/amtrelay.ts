import { u8 } from '../wire/field.ts';
import { rrType } from './define.ts';
import { gateway, lowBits, topBit } from './gateway.ts';

export const AMTRELAY = rrType(260, 'AMTRELAY', 'RFC 8777', 'Relay for multicast through unicast networks.', {
  precedence: u8.as('', 'Lower is tried first'),
  discovery: topBit.as('', '1 when discovery is optional'),
  relayType: lowBits('discovery').as('', '0 none, 1 IPv4, 2 IPv6, 3 name'),
  relay: gateway('relayType').as('', 'Relay'),
});
