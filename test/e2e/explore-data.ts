/** A capture file with everything in it that the log has to show: many rows, hostile names, copies, a resolver's path. */
import { encodeMessage } from '../../src/library/wire.ts';
import { type CapturedFrame, readFrames, writeFrames } from '../../src/library/pcap.ts';
import { ethernet, ipv4, udp } from '../net/build.ts';
import { fileURLToPath } from 'node:url';

export const ORDINARY = 3000;
const HOSTILE = '<img src=x onerror=document.title=1>.evil.example';
const HOSTILE_TEXT = '"=1+1" "<script>document.title=1</script>"';
/** Sent three times, never answered. */
export const LOST = 'lost.example.net';
export const CLIENT = '192.0.2.10';
const SERVER = '198.51.100.53';
const captures = fileURLToPath(new URL('../captures/', import.meta.url));

interface Sent {
  /** Milliseconds since 1970. */
  time: number;
  from: string;
  to: string;
  ports: [from: number, to: number];
  message: Uint8Array;
}

/** Writes the file; its last packet is from `now`. */
export async function writeCapture(path: string, now: number): Promise<void> {
  const sent = [...ordinary(now), ...hostile(now), ...lost(now)].sort((a, b) => a.time - b.time);
  const frames = sent.map(frameOf);
  // Real packets of a whole resolution, and of a truncated answer with its TCP retry, as of now.
  for (const name of ['resolution.pcap', 'truncated-then-tcp.pcap'])
    frames.push(...(await moved(captures + name, now - 60_000)));
  frames.sort((a, b) => timeOf(a) - timeOf(b));
  await writeFrames(path, frames, { format: 'pcap' });
}

function* ordinary(now: number): Generator<Sent> {
  for (let i = 0; i < ORDINARY; i++) {
    const name = `host${i % 50}.zone${i % 7}.example`;
    const type = i % 3 === 0 ? 'AAAA' : 'A';
    const gone = i % 10 === 0;
    const data = type === 'A' ? `203.0.113.${i % 250}` : `2001:db8::${(i % 9999).toString(16)}`;
    yield* exchange(now - 1_500_000 + i * 400, i, name, type, {
      ...(gone ? { rcode: 'NXDOMAIN' as const } : { answers: [{ name, type, ttl: 60 + (i % 300), data }] }),
      client: `192.0.2.${10 + (i % 8)}`,
      latency: 1 + (i % 40),
    });
  }
}

function* hostile(now: number): Generator<Sent> {
  const name = HOSTILE;
  yield* exchange(now - 1000, 7001, name, 'TXT', {
    answers: [{ name, type: 'TXT', ttl: 1, data: HOSTILE_TEXT }],
    client: CLIENT,
    latency: 3,
  });
}

function* lost(now: number): Generator<Sent> {
  const message = encodeMessage({ id: 7002, flags: ['rd'], questions: [{ name: LOST, type: 'A' }] });
  for (const after of [0, 1000, 3000]) {
    yield { time: now - 20_000 + after, from: CLIENT, to: SERVER, ports: [50_000, 53], message };
  }
}

interface Answered {
  rcode?: 'NXDOMAIN';
  answers?: { name: string; type: string; ttl: number; data: string }[];
  client: string;
  latency: number;
}

function* exchange(time: number, id: number, name: string, type: string, answer: Answered): Generator<Sent> {
  const { client, latency, rcode, answers = [] } = answer;
  const questions = [{ name: name.replaceAll(' ', '\\032'), type }];
  const port = 20_000 + (id % 30_000);
  const query = encodeMessage({ id, flags: ['rd'], questions });
  const response = encodeMessage({
    id,
    flags: ['qr', 'rd', 'ra'],
    ...(rcode !== undefined && { rcode }),
    questions,
    answers: answers.map((one) => ({ ...one, name: one.name.replaceAll(' ', '\\032') })),
  });
  yield { time, from: client, to: SERVER, ports: [port, 53], message: query };
  yield { time: time + latency, from: SERVER, to: client, ports: [53, port], message: response };
}

const INTERFACE = { link: 1, snaplen: 262_144 };
const octets = (address: string): number[] => address.split('.').map(Number);

function frameOf({ time, from, to, ports, message }: Sent): CapturedFrame {
  const datagram = udp([...message], ports[0], ports[1]);
  const bytes = Uint8Array.from(ethernet(0x0800, ipv4(17, datagram, { from: octets(from), to: octets(to) })));
  const seconds = Math.floor(time / 1000);
  const nanos = Math.round((time % 1000) * 1e6);
  return { number: 0, time: { seconds, nanos }, interface: INTERFACE, link: 1, bytes, wireLength: bytes.length };
}

function timeOf({ time }: CapturedFrame): number {
  return time === undefined ? 0 : time.seconds * 1000 + time.nanos / 1e6;
}

/** The frames of a file, the first of them at `start`. */
async function moved(path: string, start: number): Promise<CapturedFrame[]> {
  const frames: CapturedFrame[] = [];
  for await (const frame of readFrames(path)) frames.push(frame);
  const first = timeOf(frames[0]);
  return frames.map((frame) => {
    const time = start + timeOf(frame) - first;
    return {
      ...frame,
      interface: INTERFACE,
      time: { seconds: Math.floor(time / 1000), nanos: Math.round((time % 1000) * 1e6) },
    };
  });
}
