/**
 * Writes a capture in which every query asks for another name: what a random-subdomain attack does to a table of names.
 *
 *   node bench/make-unique.ts FILE NAMES
 *
 * Query and NXDOMAIN response for each of NAMES names under 1000 domains, from 1000 clients, 100,000 queries a second.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

const PACKETS_A_SECOND = 200_000;
const ETHERNET = 14;
const IP = 20;
const UDP = 8;

/** Writes the capture and returns the number of packets in it. */
export function writeUnique(path: string, names: number): number {
  const file = openSync(path, 'w');
  const chunk = Buffer.alloc(4 << 20);
  let at = fileHeader(chunk);
  for (let n = 0; n < names; n++) {
    if (at + 1024 > chunk.length) {
      writeSync(file, chunk, 0, at);
      at = 0;
    }
    at = packet(chunk, at, 2 * n, n, false);
    at = packet(chunk, at, 2 * n + 1, n, true);
  }
  writeSync(file, chunk, 0, at);
  closeSync(file);
  return 2 * names;
}

function fileHeader(to: Buffer): number {
  to.writeUInt32LE(0xa1b2c3d4, 0);
  to.writeUInt16LE(2, 4);
  to.writeUInt16LE(4, 6);
  to.writeUInt32LE(65535, 16);
  to.writeUInt32LE(1, 20);
  return 24;
}

function packet(to: Buffer, start: number, index: number, n: number, isResponse: boolean): number {
  // Spread like random labels, yet the same on every run: an odd factor permutes the 32-bit numbers.
  const label = (Math.imul(n, 2654435761) >>> 0).toString(36).padStart(7, '0');
  const domain = `d${n % 1000}`;
  const name = `${String.fromCharCode(label.length)}${label}${String.fromCharCode(domain.length)}${domain}\x07example\0`;
  const length = ETHERNET + IP + UDP + 12 + name.length + 4;
  to.writeUInt32LE(1_700_000_000 + Math.floor(index / PACKETS_A_SECOND), start);
  to.writeUInt32LE(Math.floor(((index % PACKETS_A_SECOND) * 1e6) / PACKETS_A_SECOND), start + 4);
  to.writeUInt32LE(length, start + 8);
  to.writeUInt32LE(length, start + 12);
  let at = start + 16;
  to.fill(0, at, at + length);
  to.writeUInt16BE(0x0800, at + 12);
  at += ETHERNET;
  const client = 0x0a000001 + (n % 1000);
  const server = 0x0a010035;
  to.writeUInt16BE(0x4500, at);
  to.writeUInt16BE(length - ETHERNET, at + 2);
  to.writeUInt16BE(0x4011, at + 8);
  to.writeUInt32BE(isResponse ? server : client, at + 12);
  to.writeUInt32BE(isResponse ? client : server, at + 16);
  at += IP;
  const port = 1024 + (n % 60_000);
  to.writeUInt16BE(isResponse ? 53 : port, at);
  to.writeUInt16BE(isResponse ? port : 53, at + 2);
  to.writeUInt16BE(length - ETHERNET - IP, at + 4);
  at += UDP;
  to.writeUInt16BE(n & 0xffff, at);
  to.writeUInt16BE(isResponse ? 0x8183 : 0x0100, at + 2);
  to.writeUInt16BE(1, at + 4);
  at += 12 + to.write(name, at + 12, 'latin1');
  to.writeUInt32BE(0x00010001, at);
  return at + 4;
}

if (process.argv[1] === import.meta.filename) {
  const [path, names] = process.argv.slice(2);
  if (path === undefined || !/^[0-9]+$/.test(names ?? '')) throw new Error('usage: make-unique.ts FILE NAMES');
  process.stdout.write(`${writeUnique(path, Number(names))} packets\n`);
}
