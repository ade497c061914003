/** Makes a tun interface (name and address given) and keeps it until it is killed: packets without a link header. */
import { execFileSync } from 'node:child_process';
import { openSync } from 'node:fs';
import koffi from 'koffi';

const [name, address] = process.argv.slice(2);
const fd = openSync('/dev/net/tun', 'r+');
const ioctl = koffi.load(null).func('int ioctl(int, unsigned long, void *)');
const request = Buffer.alloc(40);
request.write(name);
// IFF_TUN | IFF_NO_PI.
request.writeUInt16LE(0x1001, 16);
if (ioctl(fd, 0x400454ca, request) !== 0) throw new Error(`TUNSETIFF: ${koffi.errno()}`);
execFileSync('ip', ['address', 'add', address, 'dev', name]);
execFileSync('ip', ['link', 'set', name, 'up']);
process.stdout.write('up\n');
setInterval(() => undefined, 60_000);
