import * as B from '../net/build.ts';
import { pcap, type Record } from '../sources/containers.ts';

const PREFIXED = (message: readonly number[]) => [message.length >> 8, message.length & 255, ...message];

/**
 * A capture of so many clients: each asks two resolvers by UDP, the first by TCP as well; every fifth gets an answer in
 * two fragments.
 */
export function exchanges(clients: number): Uint8Array {
  const records: Record[] = [];
  const add = (payload: number[]) => {
    const number = records.length;
    const data = Uint8Array.from(B.ethernet(0x0800, payload));
    records.push({ seconds: 1_700_000_000 + Math.floor(number / 100_000), fraction: (number * 10) % 1_000_000, data });
  };
  for (let i = 0; i < clients; i++) {
    const client = [10, 77, 128 + (i >> 8), i & 255];
    const port = 20_000 + (i % 40_000);
    for (const server of [
      [198, 51, 100, 53],
      [198, 51, 100, 54],
    ]) {
      add(B.ipv4(17, B.udp(B.QUERY, port, 53), { from: client, to: server }));
      const answer = B.udp(B.RESPONSE, 53, port);
      if (i % 5 !== 0) add(B.ipv4(17, answer, { from: server, to: client }));
      else {
        add(B.ipv4(17, answer.slice(0, 24), { from: server, to: client, fragment: 0x2000 }));
        add(B.ipv4(17, answer.slice(24), { from: server, to: client, fragment: 3 }));
      }
      if (server[3] === 54) continue;
      add(B.ipv4(6, B.tcp(PREFIXED(B.QUERY), 1000, 0x18, port, 53), { from: client, to: server }));
      add(B.ipv4(6, B.tcp(PREFIXED(B.RESPONSE), 2000, 0x18, 53, port), { from: server, to: client }));
    }
  }
  return pcap(records);
}
