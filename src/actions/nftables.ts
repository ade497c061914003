import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Block } from '../core/block.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { group } from '../core/settings.ts';
import type { Action, ActionContext, ActionDefinition } from './action.ts';
import type { NftSet, NftWish } from './nft-rules.ts';

const ANSWER_MS = 15_000;

const settings = group(
  'Sets of nftables with time-outs, in table inet nametap: lookups of blocked clients, and whatever goes to blocked servers, by DNS, DoT, DoQ or DoH, is dropped. Needs root or CAP_NET_ADMIN at the start.',
  {},
);

/** The packet filter of this machine. */
export const nftablesAction: ActionDefinition<object> = {
  settings,
  async open(_, context) {
    const helper = new Helper();
    const error = await helper.answer();
    if (error === null) return new NftablesAction(helper, context);
    await helper.close();
    throw new UserError(
      `nftables cannot be used to block: ${error}. Start as root, or with CAP_NET_ADMIN.`,
      EXIT.interface,
    );
  },
};

class NftablesAction implements Action {
  readonly kinds = ['client', 'address'] as const;
  readonly #helper: Helper;
  readonly #context: ActionContext;

  constructor(helper: Helper, context: ActionContext) {
    this.#helper = helper;
    this.#context = context;
  }

  async apply(blocks: readonly Block[]): Promise<void> {
    const error = await this.#helper.ask(nftWish(blocks, this.#context.now()));
    if (error !== null) throw new Error(error);
  }

  close(): Promise<void> {
    return this.#helper.close();
  }
}

/** The sets that blocks want. `now`: ms since 1970. */
export function nftWish(blocks: readonly Block[], now: number): NftWish {
  const wish: Record<NftSet, [string, number][]> = { clients4: [], clients6: [], addresses4: [], addresses6: [] };
  for (const { kind, value, until } of blocks) {
    if (kind === 'domain' || until <= now) continue;
    const name = `${kind === 'client' ? 'clients' : 'addresses'}${isIP(value) === 4 ? 4 : 6}` as const;
    wish[name].push([value, Math.ceil((until - now) / 1000)]);
  }
  return wish;
}

/** The process that keeps the right: one question at a time. */
class Helper {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((error: string | null) => void)[] = [];
  readonly #answers: (string | null)[] = [];
  readonly #exit: Promise<unknown>;
  #hasEnded = false;

  constructor() {
    // Pipes of a child are socket pairs; the child is the same program, before rights are given up.
    const path = fileURLToPath(new URL(`./nft-helper${import.meta.url.slice(-3)}`, import.meta.url));
    this.#process = spawn(process.execPath, [path], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
    this.#exit = once(this.#process, 'close').catch(() => {});
    this.#process.on('error', () => this.#end());
    this.#process.once('close', () => this.#end());
    // It went away: `close` says so.
    this.#process.stdin.on('error', () => {});
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const { error = null } = JSON.parse(line) as { error?: string };
      const next = this.#waiting.shift();
      if (next === undefined) this.#answers.push(error);
      else next(error);
    });
  }

  /** What it says next: null, or what went wrong. */
  answer(): Promise<string | null> {
    const known = this.#answers.shift();
    if (known !== undefined) return Promise.resolve(known);
    if (this.#hasEnded) return Promise.resolve(ENDED);
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve('the helper of nftables does not answer'), ANSWER_MS);
      this.#waiting.push((error) => {
        clearTimeout(late);
        resolve(error);
      });
    });
  }

  ask(wish: NftWish): Promise<string | null> {
    this.#process.stdin.write(`${JSON.stringify(wish)}\n`);
    return this.answer();
  }

  async close(): Promise<void> {
    this.#process.stdin.end();
    await this.#exit;
  }

  #end(): void {
    this.#hasEnded = true;
    for (const resolve of this.#waiting.splice(0)) resolve(ENDED);
  }
}

const ENDED = 'the helper of nftables has ended; start nametap again';
