import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { PacketSocket } from './packet-socket.ts';
import { listInterfaces } from './interfaces.ts';
import { DEFAULTS } from './options.ts';
import { rightsCommand } from './rights.ts';

/** One thing that live capture needs, or is better with. */
export interface Check {
  name: string;
  /** `problem`: capture does not work like this. `note`: it works, with what the text says. */
  state: 'ok' | 'note' | 'problem';
  /** What was found. */
  found: string;
  /** What to do about it. */
  advice?: string;
}

/** Checks all that live capture needs, by doing it. `command` is how the program is called, for advice. */
export async function checkCapture(command: readonly string[]): Promise<Check[]> {
  const checks = [checkNode(), checkPlatform()];
  const koffi = await checkKoffi();
  checks.push(koffi);
  if (koffi.state === 'ok') {
    if (process.platform === 'linux') checks.push(...(await checkKernel(command)));
    checks.push(await checkLibpcap());
  }
  checks.push(...checkInterfaces(), ...(await checkClock(koffi.state === 'ok')));
  return checks;
}

const ok = (name: string, found: string): Check => ({ name, state: 'ok', found });
const note = (name: string, found: string, advice?: string): Check => ({ name, state: 'note', found, advice });
const problem = (name: string, found: string, advice: string): Check => ({ name, state: 'problem', found, advice });

function checkNode(): Check {
  const found = `Node.js ${process.versions.node}`;
  if (Number.parseInt(process.versions.node, 10) >= 24) return ok('node', found);
  return problem(
    'node',
    found,
    'nametap needs Node.js 24 or later: npm ci in the checkout installs it beside nametap.',
  );
}

function checkPlatform(): Check {
  const found = `${process.platform} ${process.arch}, ${availableParallelism()} processors`;
  if (process.platform === 'linux') return ok('platform', found);
  return note(
    'platform',
    found,
    'Packets are captured through libpcap here; rings in shared memory exist on Linux only.',
  );
}

async function checkKoffi(): Promise<Check> {
  try {
    const { default: koffi } = await import('koffi');
    return ok('native calls', `koffi ${koffi.version}`);
  } catch (error) {
    return problem(
      'native calls',
      `koffi does not load: ${(error as Error).message.split('\n')[0]}`,
      'Install again with optional dependencies (npm ci): koffi brings a library for each platform.',
    );
  }
}

/** Opens what a capture opens, step by step. */
async function checkKernel(command: readonly string[]): Promise<Check[]> {
  const { PacketSocket } = await import('./packet-socket.ts');
  let socket: PacketSocket;
  try {
    socket = new PacketSocket();
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code === 'EPERM' || code === 'EACCES') {
      const words = [...command, 'watch'];
      return [problem('right to capture', 'missing: CAP_NET_RAW', `Run: ${rightsCommand(words)}`)];
    }
    return [problem('right to capture', message, 'Load the kernel module af_packet: sudo modprobe af_packet')];
  }
  const checks = [ok('right to capture', process.getuid?.() === 0 ? 'root' : 'CAP_NET_RAW')];
  try {
    checks.push(...(await checkSocket(socket)));
  } finally {
    socket.close();
  }
  return checks;
}

async function checkSocket(socket: PacketSocket): Promise<Check[]> {
  const { captureProgram } = await import('./capture-program.ts');
  const attempt = (name: string, what: string, advice: string, run: () => void): Check => {
    try {
      run();
      return ok(name, what);
    } catch (error) {
      return problem(name, (error as Error).message, advice);
    }
  };
  const wired = listInterfaces().find(({ isUp, isLoopback, link }) => isUp && !isLoopback && link !== undefined);
  const rule = { snaplen: DEFAULTS.snaplen, defaultFilter: 'dns' } as const;
  const program = captureProgram(rule, {});
  const fanout = { group: (process.pid ^ 0x6463) & 0xffff, size: 1 };
  const upgrade = 'Use Linux 4.5 or later.';
  return [
    attempt(
      'ring',
      `${DEFAULTS.ringBytes >> 20} MiB of TPACKET_V3 mapped (${lockLimit()})`,
      'Ask for a smaller ring: -B 16MiB.',
      () => socket.map(DEFAULTS.ringBytes, DEFAULTS.blockTimeoutMs),
    ),
    attempt('kernel filter', `${program.length} instructions accepted`, upgrade, () => socket.filter(program)),
    ...(wired === undefined
      ? []
      : [
          attempt('promiscuous mode', wired.name, 'Capture with -p: only frames for this machine.', () =>
            socket.promiscuous(wired.index),
          ),
        ]),
    attempt('fan-out to workers', 'by address pair', `${upgrade} Until then use --threads 0.`, () => {
      socket.stop();
      socket.bind(0);
      socket.join(fanout, false);
    }),
  ];
}

/** The kernel's memory for a ring is not counted as locked memory of the process, nor in its limit. */
function lockLimit(): string {
  const available = /MemAvailable:\s+(\d+)/.exec(readText('/proc/meminfo'))?.[1];
  const limit = /Max locked memory\s+(\S+)/.exec(readText('/proc/self/limits'))?.[1];
  const memory = available === undefined ? '' : `${Math.floor(Number(available) / 1024)} MiB free; `;
  return `${memory}the limit of locked memory, ${limit === 'unlimited' ? 'none' : `${Number(limit) >> 10} KiB`}, does not apply`;
}

async function checkLibpcap(): Promise<Check> {
  const { loadPcap } = await import('./pcap.ts');
  const pcap = loadPcap();
  if (pcap !== null) return ok('libpcap', pcap.version);
  if (process.platform !== 'linux') {
    const advice = process.platform === 'win32' ? 'Install Npcap (npcap.com).' : 'Install libpcap.';
    return problem('libpcap', 'not found', advice);
  }
  return note(
    'libpcap',
    'not found',
    'Only for -f expressions beyond the built-in language: install libpcap0.8 (Debian).',
  );
}

function checkInterfaces(): Check[] {
  const all = listInterfaces();
  const text = all.map(({ name, state }) => `${name} (${state})`).join(', ');
  const usable = all.filter(({ isUp, link }) => isUp && (link !== undefined || process.platform !== 'linux'));
  if (usable.length === 0) return [problem('interfaces', text || 'none', 'Bring one up: sudo ip link set NAME up')];
  return [ok('interfaces', text)];
}

/** Whether the kernel believes that its clock is right: latencies do not depend on it, times of day do. */
async function checkClock(hasKoffi: boolean): Promise<Check[]> {
  if (!hasKoffi || process.platform !== 'linux') return [];
  const { clockIsSynchronized } = await import('./system.ts');
  const source = readText('/sys/devices/system/clocksource/clocksource0/current_clocksource').trim();
  const found = source === '' ? '' : `, read from ${source}`;
  if (clockIsSynchronized()) return [ok('clock', `synchronised${found}`)];
  const hasTimesyncd = existsSync('/lib/systemd/systemd-timesyncd');
  return [
    note(
      'clock',
      `not known to be synchronised${found}`,
      `Times of day may be off, latencies are right. ${hasTimesyncd ? 'timedatectl set-ntp true' : 'Run an NTP client (chrony)'}.`,
    ),
  ];
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
