/**
 * A cable with delay and loss between two network namespaces, where the kernel has no netem: two tun interfaces, and
 * this process between them. What comes from the second is held back and partly lost, as netem at that end would do.
 *
 *   node bench/relay.ts NAMESPACE NAMESPACE DELAY_MS LOSS_PERCENT      (root; runs until it is killed)
 */
import { execFileSync } from 'node:child_process';
import { constants, openSync, readSync, writeSync } from 'node:fs';
import koffi from 'koffi';

const [here, there, delay, loss] = process.argv.slice(2);
const delayMs = Number(delay);
const lossShare = Number(loss) / 100;
const ioctl: (fd: number, request: number, value: Uint8Array) => number = koffi
  .load(null)
  .func('int ioctl(int, unsigned long, void *)');

/** A tun interface that belongs to a namespace from now on; its descriptor stays ours. */
function openTun(space: string, name: string, last: number, peer: number): number {
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  const request = Buffer.alloc(40);
  request.write(name);
  // IFF_TUN | IFF_NO_PI; TUNSETIFF.
  request.writeUInt16LE(0x1001, 16);
  if (ioctl(fd, 0x400454ca, request) !== 0) throw new Error(`TUNSETIFF: ${koffi.errno()}`);
  const ip = (...words: string[]) => execFileSync('ip', words);
  ip('link', 'set', name, 'netns', space);
  ip('-n', space, 'address', 'add', `10.78.0.${last}`, 'peer', `10.78.0.${peer}`, 'dev', name);
  ip('-n', space, 'link', 'set', name, 'up');
  return fd;
}

const bytes = Buffer.alloc(65_536);
const held: { due: number; packet: Buffer }[] = [];

function next(fd: number): Buffer | null {
  try {
    return bytes.subarray(0, readSync(fd, bytes));
  } catch (error) {
    // Else its namespace is gone, and the interface with it.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') process.exit(0);
    return null;
  }
}

const first = openTun(here, 'ntbrelay0', 1, 2);
const second = openTun(there, 'ntbrelay1', 2, 1);
process.stdout.write('up\n');

/** A timer is too coarse for what is measured: the last milliseconds are waited for awake. */
const AWAKE_MS = 1.5;
let isTurning = false;

function turn(): void {
  isTurning = false;
  for (let packet = next(first); packet !== null; packet = next(first)) writeSync(second, packet);
  for (let packet = next(second); packet !== null; packet = next(second)) {
    if (Math.random() >= lossShare) held.push({ due: performance.now() + delayMs, packet: Buffer.from(packet) });
  }
  while (held.length > 0 && held[0].due <= performance.now()) writeSync(first, held.shift()?.packet ?? bytes);
  if (held.length === 0) return;
  const left = held[0].due - performance.now() - AWAKE_MS;
  if (left > 1) setTimeout(wake, left);
  else wake();
}

function wake(): void {
  if (isTurning) return;
  isTurning = true;
  setImmediate(turn);
}

const handles = [first, second].map((fd) => koffi.node.poll(fd, { readable: true }, wake));
for (const handle of handles) handle.ref();
setInterval(() => handles.length, 60_000);
