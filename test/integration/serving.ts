import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Network } from './network.ts';

const NAMETAP = [process.execPath, fileURLToPath(new URL('../../bin/nametap', import.meta.url))];

/** A nametap that serves in the server's namespace, and captures its end of the cable. */
export class Serving {
  readonly #network: Network;
  readonly #config: string;
  readonly #data: string;
  #child: ChildProcess | undefined;
  said = '';

  constructor(network: Network, settings: object) {
    this.#network = network;
    this.#data = join(network.folder, 'data');
    this.#config = join(network.folder, 'nametap.yaml');
    const server = { listen: '127.0.0.1:5390' };
    // JSON is YAML.
    const all = { data: this.#data, server, capture: { interfaces: [network.link] }, ...settings };
    writeFileSync(this.#config, JSON.stringify(all));
  }

  /** Resolves when it captures and serves. */
  async start(): Promise<void> {
    this.said = '';
    const child = this.#network.start(this.#network.server, [...NAMETAP, 'serve', '--config', this.#config]);
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.said += String(chunk);
      });
    }
    for (let i = 0; i < 1200 && !this.said.includes('#token=') && child.exitCode === null; i++) await sleep(25);
    assert.match(this.said, /#token=/);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    assert.ok(this.#child !== undefined);
    const ended = once(this.#child, 'close');
    // bin/nametap passes signals on; of SIGKILL it hears nothing.
    if (signal === 'SIGKILL') {
      const { pid } = JSON.parse(this.#network.in(this.#network.server, 'cat', join(this.#data, 'serve.json'))) as {
        pid: number;
      };
      process.kill(pid, signal);
    } else this.#child.kill(signal);
    await ended;
  }

  /** What a command prints that speaks to it. */
  ask(...words: string[]): string {
    return this.#network.in(this.#network.server, ...NAMETAP, ...words, '--data', this.#data);
  }
}
