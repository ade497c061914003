import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FrameInput } from '../../src/app/input.ts';
import { runRows } from '../../src/app/run.ts';
import type { Ledger, LedgerValue } from '../../src/core/ledger.ts';
import type { PacketRingPlan } from '../../src/sinks/packet-ring.ts';
import { rowText } from './live-rows.ts';
import type { Network } from './network.ts';

const RUN = fileURLToPath(new URL('live-run.ts', import.meta.url));

export interface Outcome {
  rows: string[];
  ledger: LedgerValue;
  imbalance: string[];
  interfaces: { name: string }[];
}
export interface Opened {
  became?: string;
  uid: number;
}

/** Starts a program in the server's namespace that says one line, runs until SIGINT, and says another. */
export async function begin<Ended>(network: Network, command: readonly string[]) {
  const child = network.start(network.server, command);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<unknown> => {
    const next = await lines.next();
    assert.ok(!next.done, said);
    return JSON.parse(next.value);
  };
  const begun = (await line()) as Opened;
  const end = async (): Promise<Ended> => {
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    const outcome = await line();
    const [code] = (await ended) as [number];
    assert.equal(code, 0, said);
    return outcome as Ended;
  };
  return { pid: child.pid as number, begun, end };
}

export interface CaptureHow {
  threads?: number;
  user?: string;
  env?: Record<string, string>;
  packets?: PacketRingPlan;
  sampleWhenFull?: boolean;
}

/** Captures in the server's namespace while `traffic` runs; both equations of the ledger hold then. */
export async function capture(
  network: Network,
  input: Partial<Extract<FrameInput, { kind: 'live' }>>,
  traffic: (pid: number) => void,
  { threads = 0, user, env = {}, packets, sampleWhenFull }: CaptureHow = {},
): Promise<Outcome & { opened: Opened }> {
  const plan = { input: { kind: 'live', interfaces: [network.link], ...input }, threads, packets, sampleWhenFull };
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const command = ['env', ...words, process.execPath, RUN, JSON.stringify([plan, user])];
  const { pid, begun, end } = await begin<Outcome>(network, command);
  traffic(pid);
  const outcome = await end();
  assert.deepEqual(outcome.imbalance, []);
  return { ...outcome, opened: begun };
}

/** The rows that files give. */
export async function readFiles(paths: string[]): Promise<{ rows: string[]; ledger: Ledger }> {
  const rows: string[] = [];
  const plan = { input: { kind: 'files', paths } as const, threads: 0 };
  const { ledger } = await runRows(plan, { signal: AbortSignal.timeout(30_000) }, (batch, from, to) => {
    for (let i = from; i < to; i++) rows.push(rowText(batch, i));
  });
  return { rows, ledger };
}
