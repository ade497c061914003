/**
 * npm run fuzz -- [--messages N] [--files N] [--frames N] [--filters N] [--seconds S] [--seed S] [--workers 1|2]
 *
 * Feeds generated and mutated input to everything that reads it: nothing may throw, hang (5 s for what takes a fraction of
 * one), do more than 64 steps per byte, or keep memory. The same seed gives the same input. What is found is written to
 * `test/fuzz/cases/` (give it a sentence for a name); exit code 1.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { fuzzFiles } from './files.ts';
import { fuzzFilters } from './filters.ts';
import { fuzzFrames, seedFrames } from './frames.ts';
import { fuzzMessages, seedMessages } from './messages.ts';

type Lane = 'messages' | 'files' | 'frames' | 'filters';

/** A block of work: `count` inputs made from `seed`. */
interface Block {
  lane: Lane;
  count: number;
  seed: number;
}

/** What a worker says about a block. `bytes` = memory in use after a collection, now and then. */
interface Outcome {
  block: Block;
  found: { hex?: string; error: string }[];
  note: number;
  bytes?: number;
}

/** Inputs of one block: a fraction of a second. */
const BLOCK: Record<Lane, number> = { messages: 5000, files: 1000, frames: 3072, filters: 500 };
/** A block that takes so much of each worker's processor time hangs, or so long altogether (the machine may be busy). */
const HANG_CPU_MS = 5000;
const HANG_MS = 180_000;
/** Blocks between two looks at memory, and what a worker may gain from its first quarter to the end. */
const MEASURE_EVERY = 40;
const GROWTH_BYTES = 48 << 20;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '10000000' },
      files: { type: 'string', default: '100000' },
      frames: { type: 'string', default: '2000000' },
      filters: { type: 'string', default: '200000' },
      seconds: { type: 'string', default: 'Infinity' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
    },
  });
  const wanted: Record<Lane, number> = {
    messages: Number(values.messages),
    files: Number(values.files),
    frames: Number(values.frames),
    filters: Number(values.filters),
  };
  const run = new Run(wanted, Number(values.seed), Number(values.seconds));
  await Promise.all(Array.from({ length: Math.min(2, Number(values.workers)) }, () => run.worker()));
  run.summary();
  process.exitCode = run.found === 0 ? 0 : 1;
}

/** Hands out blocks, lanes in turn by how far each is, and counts what comes back. */
class Run {
  found = 0;
  readonly #wanted: Record<Lane, number>;
  readonly #given: Record<Lane, number> = { messages: 0, files: 0, frames: 0, filters: 0 };
  readonly #done: Record<Lane, number> = { messages: 0, files: 0, frames: 0, filters: 0 };
  readonly #started = performance.now();
  readonly #deadline: number;
  #seed: number;
  #note = 0;
  #grown = 0;
  #told = 0;

  constructor(wanted: Record<Lane, number>, seed: number, seconds: number) {
    this.#wanted = wanted;
    this.#seed = seed * 1_000_003;
    this.#deadline = this.#started + seconds * 1000;
  }

  /** One worker thread, and another in its place when it hangs, until nothing is left to do. */
  async worker(): Promise<void> {
    while (await this.#serveOne(new Worker(fileURLToPath(import.meta.url))));
  }

  /** True when the worker had to be ended. */
  #serveOne(worker: Worker): Promise<boolean> {
    let first = -1;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (hung: boolean) => {
        clearInterval(timer);
        void worker.terminate().then(() => resolve(hung));
      };
      const next = () => {
        clearInterval(timer);
        const block = this.#next();
        if (block === undefined) return end(false);
        const started = performance.now();
        const before = process.cpuUsage();
        timer = setInterval(() => {
          const { user, system } = process.cpuUsage(before);
          // Both workers use the processor at the same time.
          if ((user + system) / 1000 < 2 * HANG_CPU_MS && performance.now() - started < HANG_MS) return;
          this.#save(block, { error: `a hang: not done after ${HANG_CPU_MS} ms of processor time` });
          end(true);
        }, 1000);
        worker.postMessage(block, []);
      };
      worker.on('message', (outcome: Outcome | 'ready') => {
        if (outcome !== 'ready') {
          first = this.#count(outcome, first);
        }
        next();
      });
      worker.on('error', reject);
    });
  }

  #next(): Block | undefined {
    if (performance.now() > this.#deadline) return undefined;
    const open = (Object.keys(this.#wanted) as Lane[]).filter((lane) => this.#given[lane] < this.#wanted[lane]);
    if (open.length === 0) return undefined;
    const share = (lane: Lane) => this.#given[lane] / this.#wanted[lane];
    const lane = open.reduce((a, b) => (share(b) < share(a) ? b : a));
    const count = Math.min(BLOCK[lane], this.#wanted[lane] - this.#given[lane]);
    this.#given[lane] += count;
    return { lane, count, seed: this.#seed++ };
  }

  #count({ block, found, note, bytes }: Outcome, first: number): number {
    this.#done[block.lane] += block.count;
    if (block.lane === 'messages') this.#note = Math.max(this.#note, note);
    for (const one of found) this.#save(block, one);
    const share = this.#done[block.lane] / this.#wanted[block.lane];
    if (bytes !== undefined) {
      // The first quarter fills caches and compiled code.
      if (share < 0.25 || first < 0) first = bytes;
      this.#grown = Math.max(this.#grown, bytes - first);
    }
    if (performance.now() - this.#told > 10_000) {
      this.#told = performance.now();
      process.stderr.write(`${this.#line()}\n`);
    }
    return first;
  }

  #save(block: Block, { hex, error }: { hex?: string; error: string }): void {
    const folder = fileURLToPath(new URL('cases/', import.meta.url));
    mkdirSync(folder, { recursive: true });
    const name = `found ${block.lane} ${block.seed} ${this.found++}`;
    if (hex !== undefined) writeFileSync(`${folder}${name}.message.hex`, `${hex}\n`);
    process.stderr.write(
      `${name}: ${error}\n  again: fuzz ${block.lane} with count ${block.count}, seed ${block.seed}\n`,
    );
  }

  #line(): string {
    const seconds = (performance.now() - this.#started) / 1000;
    const counts = (Object.keys(this.#done) as Lane[]).map((lane) => {
      const done = this.#done[lane];
      return `${done.toLocaleString('en')} ${lane} (${Math.round(done / seconds).toLocaleString('en')}/s)`;
    });
    return `${counts.join(', ')} in ${seconds.toFixed(0)} s; found ${this.found}`;
  }

  summary(): void {
    const grown = this.#grown > GROWTH_BYTES;
    if (grown) this.found++;
    const memory = `memory grew by ${(this.#grown / 2 ** 20).toFixed(1)} MiB${grown ? ': too much' : ''}`;
    process.stdout.write(`fuzz: ${this.#line()}; at most ${this.#note.toFixed(1)} steps per byte; ${memory}\n`);
  }
}

async function serve(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const frames = await seedFrames();
  const messages = seedMessages();
  let blocks = 0;
  const work = async ({ lane, count, seed }: Block): Promise<Omit<Outcome, 'block' | 'bytes'>> => {
    if (lane === 'messages') {
      const { found, worstSteps } = fuzzMessages(count, seed);
      return { found, note: worstSteps };
    }
    if (lane === 'files') return { found: [], note: (await fuzzFiles(count, seed)).frames };
    if (lane === 'frames') return { found: [], note: fuzzFrames(frames, count, seed) };
    return { found: [], note: fuzzFilters(messages, count, seed).accepted };
  };
  const answer = async (block: Block): Promise<void> => {
    let outcome: Outcome;
    try {
      outcome = { block, ...(await work(block)) };
    } catch (error) {
      const { stack, cause } = error as Error;
      outcome = { block, found: [{ error: `${stack}${cause instanceof Error ? `\n${cause.stack}` : ''}` }], note: 0 };
    }
    if (blocks++ % MEASURE_EVERY === 0) {
      // What decompressors hold is let go of in the background.
      collect();
      await setTimeout(50);
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      outcome.bytes = heapUsed + arrayBuffers;
    }
    parentPort?.postMessage(outcome, []);
  };
  parentPort?.on('message', (block: Block) => void answer(block));
  parentPort?.postMessage('ready', []);
}

await (isMainThread ? main() : serve());
