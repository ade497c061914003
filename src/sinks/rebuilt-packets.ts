import { TCP, UDP } from '../core/carrier.ts';
import type { TransactionBatch } from '../core/transactions.ts';

/** Most bytes of a TCP segment: an IP packet has 65535 with its headers. */
const SEGMENT_BYTES = 65_000;
const HOP_LIMIT = 64;
const PUSH_ACK = 0x18;

/** A message as an IP packet. */
export interface RebuiltPacket {
  seconds: number;
  nanos: number;
  bytes: Uint8Array;
}

/**
 * The query and the response of a row as IP packets (RFC 791, 8200, 768, 9293): addresses, ports and bytes are those that
 * were seen; all else of the headers was not kept. Over TCP they are segments of a connection that is open.
 */
export function rebuiltPackets(batch: TransactionBatch, i: number): RebuiltPacket[] {
  const c = batch.col;
  const packets: RebuiltPacket[] = [];
  const client = { words: [c.client0[i], c.client1[i], c.client2[i], c.client3[i]], port: c.clientPort[i] };
  const server = { words: [c.server0[i], c.server1[i], c.server2[i], c.server3[i]], port: c.serverPort[i] };
  const asked = c.queryLength[i];
  const isTcp = c.transport[i] === TCP;
  const add = (at: number, length: number, [from, to]: End[], [seconds, nanos]: number[], [sent, heard]: number[]) => {
    const message = batch.arena.subarray(at, at + length);
    const payload = isTcp ? prefixed(message) : message;
    for (let done = 0; done < payload.length; done += SEGMENT_BYTES) {
      const part = payload.subarray(done, done + SEGMENT_BYTES);
      const segment = { from, to, sequence: 1 + sent + done, acknowledged: 1 + heard, part };
      packets.push({ seconds, nanos, bytes: packet(c.family[i], isTcp, segment) });
    }
  };
  const askedBytes = asked > 0 ? asked + 2 : 0;
  if (asked > 0) add(c.queryAt[i], asked, [client, server], [c.openSeconds[i], c.openNanos[i]], [0, 0]);
  const answered = c.responseLength[i];
  if (answered > 0) {
    add(c.responseAt[i], answered, [server, client], [c.answerSeconds[i], c.answerNanos[i]], [0, askedBytes]);
  }
  return packets;
}

interface End {
  words: number[];
  port: number;
}

interface Segment {
  from: End;
  to: End;
  sequence: number;
  acknowledged: number;
  part: Uint8Array;
}

/** A message with its length in front (RFC 1035 §4.2.2). */
function prefixed(message: Uint8Array): Uint8Array {
  const payload = new Uint8Array(2 + message.length);
  payload[0] = message.length >>> 8;
  payload[1] = message.length;
  payload.set(message, 2);
  return payload;
}

function packet(family: number, isTcp: boolean, { from, to, sequence, acknowledged, part }: Segment): Uint8Array {
  const ipBytes = family === 4 ? 20 : 40;
  const headerBytes = isTcp ? 20 : 8;
  const bytes = new Uint8Array(ipBytes + headerBytes + part.length);
  const view = new DataView(bytes.buffer);
  const below = headerBytes + part.length;
  const protocol = isTcp ? TCP : UDP;
  const words = family === 4 ? [from.words[3], to.words[3]] : [...from.words, ...to.words];
  const addressesAt = family === 4 ? 12 : 8;
  words.forEach((word, k) => view.setUint32(addressesAt + 4 * k, word));
  if (family === 4) {
    view.setUint16(0, 0x4500);
    view.setUint16(2, ipBytes + below);
    bytes[8] = HOP_LIMIT;
    bytes[9] = protocol;
    view.setUint16(10, folded(sum(view, 0, ipBytes)));
  } else {
    view.setUint32(0, 0x60000000);
    view.setUint16(4, below);
    bytes[6] = protocol;
    bytes[7] = HOP_LIMIT;
  }
  view.setUint16(ipBytes, from.port);
  view.setUint16(ipBytes + 2, to.port);
  bytes.set(part, ipBytes + headerBytes);
  if (isTcp) {
    view.setUint32(ipBytes + 4, sequence);
    view.setUint32(ipBytes + 8, acknowledged);
    bytes[ipBytes + 12] = 5 << 4;
    bytes[ipBytes + 13] = PUSH_ACK;
    view.setUint16(ipBytes + 14, 65_535);
  } else view.setUint16(ipBytes + 4, below);
  // Over the addresses, protocol and length besides the segment itself (RFC 1071).
  const total =
    sum(view, addressesAt, addressesAt + 4 * words.length) + protocol + below + sum(view, ipBytes, bytes.length);
  const checksum = folded(total);
  view.setUint16(ipBytes + (isTcp ? 16 : 6), checksum === 0 && !isTcp ? 0xffff : checksum);
  return bytes;
}

/** Sum of the 16-bit words of [from, to); an odd octet at the end counts as the upper half. */
function sum(view: DataView, from: number, to: number): number {
  let total = 0;
  for (let at = from; at + 1 < to; at += 2) total += view.getUint16(at);
  if (((to - from) & 1) === 1) total += view.getUint8(to - 1) << 8;
  return total;
}

function folded(total: number): number {
  let left = total;
  while (left > 0xffff) left = (left & 0xffff) + Math.floor(left / 65_536);
  return ~left & 0xffff;
}
