import { UserError } from '../core/errors.ts';
import type { ProbeResult } from '../core/probe.ts';
import { IcmpSource } from './icmp-way.ts';
import type { ProbeDefinition } from './probe.ts';
import { HostResolver } from './resolve.ts';

export interface CheckOptions {
  settings: unknown;
  timeoutMs: number;
  signal: AbortSignal;
  /** Whether an address may be connected to; all unless told. */
  allows?: (address: string) => boolean;
  /** Whether a redirect may lead from one address to another; anywhere unless told. */
  mayFollow?: (from: string, to: string) => boolean;
}

/** What checks share: how names are resolved, how ICMP is sent. */
export class Runner {
  readonly icmp = new IcmpSource();
  readonly #resolver: HostResolver;
  readonly #version: string;
  /** Checks under way, by what ends them: one listener for all, since adding one walks through those there are. */
  readonly #running = new Map<AbortSignal, Set<AbortController>>();

  constructor(version: string, resolver: HostResolver = new HostResolver()) {
    this.#version = version;
    this.#resolver = resolver;
  }

  /** Checks a target once. Never throws, whatever the target does: a defect of ours is a failure that says so. */
  async check(definition: ProbeDefinition, target: string, options: CheckOptions): Promise<ProbeResult> {
    const { settings, timeoutMs, signal, allows = () => true, mayFollow = () => true } = options;
    const own = this.#begin(signal);
    const context = {
      timeoutMs,
      signal: own.signal,
      resolver: this.#resolver,
      icmp: this.icmp,
      version: this.#version,
      allows,
      mayFollow,
    };
    try {
      return await definition.run(target, settings, context);
    } catch (error) {
      const text = error instanceof UserError ? error.message : `a defect of nametap: ${String(error)}`;
      return { time: Date.now(), outcome: 'not_sent', ms: null, text, phases: {}, facts: {} };
    } finally {
      this.#end(signal, own);
    }
  }

  #begin(signal: AbortSignal): AbortController {
    const own = new AbortController();
    if (signal.aborted) own.abort();
    let running = this.#running.get(signal);
    if (running === undefined) {
      this.#running.set(signal, (running = new Set()));
      signal.addEventListener('abort', this.#abort);
    }
    running.add(own);
    return own;
  }

  #end(signal: AbortSignal, own: AbortController): void {
    const running = this.#running.get(signal);
    running?.delete(own);
    if (running?.size !== 0) return;
    this.#running.delete(signal);
    signal.removeEventListener('abort', this.#abort);
  }

  readonly #abort = (event: Event): void => {
    for (const own of this.#running.get(event.target as AbortSignal) ?? []) own.abort();
  };

  async close(): Promise<void> {
    await this.icmp.close();
  }
}
