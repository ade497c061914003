import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Sinks } from '../../src/app/sinks.ts';
import { openSinks, type WriterPlan } from './contract-sinks.ts';
import { expected, rows } from './numbered.ts';
import type { MortalReceiver } from './receivers.ts';

export interface ContractPlan {
  /** The receiver is away for so long, under load. */
  awayMs: number;
  /** The process that writes is killed so many times. */
  kills: number;
  /** Rows of a step, and the pause behind it: the load. */
  step?: number;
  pauseMs?: number;
  /** What waits is there at the latest after so long. */
  settleSeconds?: number;
}

/**
 * What every sink with a receiver on the network promises: with a spool nothing is lost, whoever dies; without one rows in =
 * rows out + counted loss. Each row comes at least once, in order but for repeats, and once where the receiver keeps keys.
 */
export function sinkContract(type: string, start: () => Promise<MortalReceiver>, plan: ContractPlan): void {
  const withPeer = async (run: (peer: Peer) => Promise<void>): Promise<void> => {
    const peer = new Peer(type, await start(), plan);
    try {
      await run(peer);
    } finally {
      await peer.close();
    }
  };

  test(`${type}: a receiver that is killed and away for ${plan.awayMs} ms misses nothing`, (t) =>
    withPeer(async (peer) => {
      const count = await peer.writeWhileAway({ spool: { size: '256MiB' } });
      const { written, queue, dropped, refused, circuit, error, failed, repeated, spool } = peer.state();
      assert.deepEqual([written, queue, dropped, refused, circuit, error], [count, 0, 0, 0, 'closed', null]);
      assert.ok(failed >= 3 && peer.sawOpen, `it noticed, and left the receiver alone: ${failed}`);
      assert.equal(spool?.oldest, null);
      assert.deepEqual(await peer.arrived(count), expected(0, count));
      t.diagnostic(`${count} rows, ${repeated} handed over again, ${failed} attempts failed`);
    }));

  test(`${type}: without a spool, what finds no room is counted, and nothing else is missing`, (t) =>
    withPeer(async (peer) => {
      const count = await peer.writeWhileAway({ queue: '64KiB' });
      const { written, dropped, causes, queue } = peer.state();
      assert.ok(dropped > 0, 'the queue was too small for so long');
      assert.deepEqual([written + dropped, causes.queue_full, queue], [count, dropped, 0]);
      const got = await peer.arrived(written);
      assert.equal(got.length, written);
      assert.deepEqual(got, got.toSorted(), 'in order');
      t.diagnostic(`${count} rows = ${written} written + ${dropped} dropped`);
    }));

  test(`${type}: killed ${plan.kills} times, nametap loses nothing that it said was safe`, (t) =>
    withPeer(async (peer) => {
      const safe = await peer.liveAndDie();
      assert.deepEqual(await peer.arrived(safe), expected(0, safe));
      t.diagnostic(`${safe} rows`);
    }));
}

/** A receiver, and who writes to it. */
class Peer {
  /** The circuit was seen open. */
  sawOpen = false;
  readonly #type: string;
  readonly #receiver: MortalReceiver;
  readonly #plan: ContractPlan;
  readonly #folder = mkdtempSync(join(tmpdir(), 'nametap-contract-'));
  #sinks: Sinks | undefined;

  constructor(type: string, receiver: MortalReceiver, plan: ContractPlan) {
    this.#type = type;
    this.#receiver = receiver;
    this.#plan = plan;
  }

  state(): ReturnType<Sinks['states']>[number] {
    const [state] = this.#sinks?.states() ?? [];
    assert.ok(state !== undefined);
    return state;
  }

  /** Writes before, while and after the receiver is away, and waits until all of it has gone. Gives how many rows. */
  async writeWhileAway(more: object): Promise<number> {
    const { awayMs, step = 20, pauseMs = 5 } = this.#plan;
    const sinks = openSinks(this.#settings(more), this.#folder);
    this.#sinks = sinks;
    const began = performance.now();
    let killing: Promise<void> | undefined;
    let reviving: Promise<void> | undefined;
    let count = 0;
    while (performance.now() - began < awayMs + 1000) {
      const batch = rows(count, count + step);
      sinks.rows(batch, 0, batch.count);
      count += step;
      await sleep(pauseMs);
      const passed = performance.now() - began;
      if (passed > 500) killing ??= this.#receiver.kill();
      if (passed > 500 + awayMs) reviving ??= killing?.then(() => this.#receiver.revive());
      this.sawOpen ||= this.state().circuit === 'open';
    }
    await reviving;
    await this.#until(
      () => this.state().queue === 0,
      () => JSON.stringify(this.state()),
    );
    return count;
  }

  /**
   * A process writes and is killed, again and again; the next one goes on behind what the one before said was safe. In every
   * other life the receiver is away. Gives how many rows were safe in the end.
   */
  async liveAndDie(): Promise<number> {
    const { kills } = this.#plan;
    let safe = 0;
    for (let i = 0; i < kills; i++) {
      const isAway = i % 2 === 1;
      if (isAway) await this.#receiver.kill();
      safe = await this.#live(safe, 300 + ((i * 137) % 500));
      if (isAway) await this.#receiver.revive();
    }
    return this.#live(safe, null);
  }

  /** What came there, without repeats, once it is `count` rows. */
  async arrived(count: number): Promise<string[]> {
    let got: string[] = [];
    let distinct: string[] = [];
    await this.#until(
      async () => {
        got = await this.#receiver.names();
        distinct = [...new Set(got)];
        return distinct.length >= count;
      },
      () => `${distinct.length} of ${count} came`,
    );
    if (this.#receiver.isIdempotent) assert.equal(got.length, distinct.length, 'each is there once');
    return distinct;
  }

  async close(): Promise<void> {
    await this.#sinks?.close();
    await this.#receiver.close();
    rmSync(this.#folder, { recursive: true });
  }

  async #until(met: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
    const { settleSeconds = 30 } = this.#plan;
    for (const end = Date.now() + 1000 * settleSeconds; Date.now() < end; await sleep(50)) if (await met()) return;
    assert.fail(what());
  }

  #settings(more: object): Record<string, object> {
    return { peer: { type: this.#type, ...this.#receiver.settings, ...more } };
  }

  /** One life from a row on: killed after so long, else to the end of 400 more rows. Gives how many rows are safe. */
  async #live(from: number, ms: number | null): Promise<number> {
    const { step = 20, pauseMs = 5 } = this.#plan;
    const sinks = this.#settings({ spool: { size: '64MiB' } });
    const to = ms === null ? from + 400 : Number.MAX_SAFE_INTEGER;
    const words: WriterPlan = { sinks, folder: this.#folder, from, to, step, pauseMs };
    const child = spawn(process.execPath, [CHILD, JSON.stringify(words)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    const lines = createInterface(child.stdout);
    let safe = from;
    let killing: NodeJS.Timeout | undefined;
    lines.on('line', (line) => {
      safe = Number(line);
      if (ms !== null) killing ??= setTimeout(() => child.kill('SIGKILL'), ms);
    });
    const [code] = await exit;
    clearTimeout(killing);
    assert.equal(code, ms === null ? 0 : null, 'it ended as it should');
    return safe;
  }
}

const CHILD = fileURLToPath(new URL('contract-child.ts', import.meta.url));
