import { execFile } from 'node:child_process';
import type { Echo, EchoRequest, IcmpWay } from './icmp-way.ts';
import type { Failure } from './probe.ts';

/** The program fping, which has the right that we have not. Throws `Error` where it is not there. */
export async function fping(): Promise<IcmpWay> {
  const { code, out } = await run(['-v'], 5000, undefined);
  const version = /Version (\d[\w.]*)/.exec(out)?.[1];
  if (code !== 0 || version === undefined) throw new Error('fping is not installed');
  return { text: `fping ${version}`, echo: inTurn, close: () => undefined };
}

/** Programs at a time: thousands of targets make a queue, no flood of processes. */
const MOST_RUNNING = 32;
let running = 0;
const waiting: (() => void)[] = [];

async function inTurn(request: EchoRequest): Promise<Echo | Failure | null> {
  const began = performance.now();
  while (running >= MOST_RUNNING) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    const left = request.timeoutMs - (performance.now() - began);
    if (left > 1) return await echo({ ...request, timeoutMs: left });
    return {
      outcome: 'not_sent',
      text: `too many pings at a time for fping, which is run ${MOST_RUNNING} times at most`,
    };
  } finally {
    running--;
    waiting.shift()?.();
  }
}

async function echo({ address, family, size, timeoutMs, signal }: EchoRequest): Promise<Echo | Failure | null> {
  const most = Math.max(1, Math.round(timeoutMs));
  const words = [`-${family}`, '-C', '1', '-q', '-t', String(most), '-b', String(size), '--', address];
  const { out } = await run(words, most + 5000, signal);
  // `192.0.2.1 : 12.3`, or `-` where nothing came back.
  const value = / : ([\d.]+|-)\s*$/m.exec(out)?.[1];
  if (value === undefined) {
    const reason = out.trim().split('\n')[0].slice(0, 200) || 'fping says nothing';
    return /unreachable/i.test(reason)
      ? { outcome: 'unreachable', text: reason }
      : { outcome: 'not_sent', text: reason };
  }
  return value === '-' ? null : { ms: Number(value) };
}

function run(
  words: readonly string[],
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    execFile('fping', words, { timeout, maxBuffer: 65_536, signal }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, out: `${stdout}${stderr}` });
    });
  });
}
