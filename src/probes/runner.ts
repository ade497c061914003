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
}

/** What checks share: how names are resolved, how ICMP is sent. */
export class Runner {
  readonly icmp = new IcmpSource();
  readonly #resolver = new HostResolver();
  readonly #version: string;

  constructor(version: string) {
    this.#version = version;
  }

  /** Checks a target once. Never throws, whatever the target does: a defect of ours is a failure that says so. */
  async check(definition: ProbeDefinition, target: string, options: CheckOptions): Promise<ProbeResult> {
    const { settings, timeoutMs, signal, allows = () => true } = options;
    const context = {
      timeoutMs,
      signal,
      resolver: this.#resolver,
      icmp: this.icmp,
      version: this.#version,
      allows,
    };
    try {
      return await definition.run(target, settings, context);
    } catch (error) {
      const text = error instanceof UserError ? error.message : `a defect of nametap: ${String(error)}`;
      return { time: Date.now(), outcome: 'not_sent', ms: null, text, phases: {}, facts: {} };
    }
  }

  async close(): Promise<void> {
    await this.icmp.close();
  }
}
