import { isDeepStrictEqual } from 'node:util';
import type { AlertBook } from '../alerts/book.ts';
import { reasonOf } from '../core/errors.ts';
import type { ProbeAnswer, ProbeBeat, ProbeLoad, ProbeResult, Probes, ProbeState } from '../core/probe.ts';
import { PROBES } from '../probes/index.ts';
import { LoopDelay } from '../probes/loop-delay.ts';
import { commonMetrics } from '../probes/metrics.ts';
import { liesIn } from '../probes/public-address.ts';
import { leadsInside } from '../probes/redirect.ts';
import type { ProbeDefinition } from '../probes/probe.ts';
import { Runner } from '../probes/runner.ts';
import { traced, tracedPart } from '../tracing/spans.ts';
import { Scheduler } from '../probes/scheduler.ts';
import type { CheckConfig, ProbesConfig } from '../probes/settings.ts';
import type { ServerLog } from '../server/services.ts';
import type { Store } from '../store/store.ts';
import { type JournalBeat, ProbeJournal } from './probe-journal.ts';
import { usualSettings } from './probe-settings.ts';
import { PROBE_DETECTOR, ProbeWatch } from './probe-watch.ts';

/** The history has a beat a minute of up to so many targets; of more, a beat of more minutes. */
const TARGETS_A_MINUTE = 1000;
const MINUTE_MS = 60_000;
/** Beats are merged into the records of their hour so often. */
const FLUSH_MINUTES = 5;
/** What is new is written so often, and a second later for each so many targets: what a crash costs. */
const SAVE_MS = 10_000;
const TARGETS_A_SECOND = 20;
/** How a probe is called by those who know blackbox_exporter. */
const ALIASES: Readonly<Record<string, string>> = { http_2xx: 'http', tcp_connect: 'tcp', dns_udp: 'dns' };

export interface ProbeServiceOptions {
  config: ProbesConfig;
  store: Pick<Store, 'records'>;
  version: string;
  /** The alert book: what fails is told of, and what is over. */
  book: Pick<AlertBook, 'raise' | 'over'> | null;
  /** Transactions of our own that were seen. */
  own(): number;
  log: ServerLog;
}

interface Watched {
  watch: ProbeWatch;
  stop(): void;
}

/** The checks of a nametap that serves: run at their rate, kept, shown, and told of. */
export class ProbeService implements Probes {
  readonly #options: ProbeServiceOptions;
  readonly #runner: Runner;
  readonly #journal: ProbeJournal;
  readonly #delay = new LoopDelay();
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<boolean>>();
  #config: ProbesConfig;
  /** Targets of the configuration in the form they are called by, by the name of their check. */
  #targets: ReadonlyMap<string, ReadonlySet<string>>;
  #scheduler: Scheduler;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #saveTimer: NodeJS.Timeout | undefined;
  #minutes = 0;
  #dropped = 0;
  #skipped = 0;
  #lastDelay = { p50: 0, p99: 0, max: 0 };

  constructor(options: ProbeServiceOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#targets = targetsOf(options.config);
    this.#runner = new Runner(options.version);
    this.#journal = new ProbeJournal(options.store.records);
    this.#scheduler = schedulerOf(options.config);
  }

  /** Checks begin. Call it before rights are given up: a raw socket may need them. */
  async open(): Promise<void> {
    if (Object.values(this.#config.checks).some(({ type }) => type === 'icmp')) await this.#openIcmp();
    try {
      await this.#journal.recover();
    } catch (error) {
      this.#failed(error);
    }
    this.#begin();
    this.#timer = setInterval(() => void this.#minute(), MINUTE_MS);
    this.#armSave();
  }

  /** Takes a configuration that was read again: what has not changed goes on. */
  configure(next: ProbesConfig): void {
    const before = this.#config;
    if (isDeepStrictEqual(before, next)) return;
    this.#config = next;
    this.#targets = targetsOf(next);
    if (before.concurrency !== next.concurrency || before.per_target !== next.per_target) {
      for (const { stop } of this.#watched.values()) stop();
      this.#skipped += this.#scheduler.skipped;
      this.#scheduler.stop();
      this.#scheduler = schedulerOf(next);
      this.#watched.clear();
    }
    for (const [key, { watch, stop }] of this.#watched) {
      const config = Object.hasOwn(next.checks, watch.check) ? next.checks[watch.check] : undefined;
      const isSame =
        config !== undefined && isDeepStrictEqual({ ...config, targets: [] }, { ...watch.config, targets: [] });
      if (isSame && this.#targets.get(watch.check)?.has(watch.target) === true) continue;
      stop();
      this.#watched.delete(key);
    }
    this.#begin();
  }

  /** What is under way is given up; what was found is kept. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#saveTimer);
    this.#timer = undefined;
    this.#saveTimer = undefined;
    this.#scheduler.stop();
    this.#abort.abort();
    await Promise.all(this.#running);
    this.#gather();
    await this.#flush();
    await this.#save();
    await this.#runner.close();
    this.#delay.close();
  }

  states(): ProbeState[] {
    return [...this.#watched.values()].map(({ watch }) => watch.state());
  }

  load(): ProbeLoad {
    const { running, waiting, skipped } = this.#scheduler;
    const now = this.#delay.read();
    const max = Math.max(now.max, this.#lastDelay.max);
    return {
      targets: this.#watched.size,
      running,
      waiting,
      skipped: this.#skipped + skipped,
      dropped: this.#dropped,
      own: this.#options.own(),
      loopDelay: now.max === 0 ? this.#lastDelay : { ...now, max },
      icmp: this.#runner.icmp.text,
    };
  }

  history(check: string, target: string, from: number, to: number): Promise<ProbeBeat[]> {
    return this.#journal.read(check, target, from, to);
  }

  async probe(module: string, target: string, timeoutMs: number): Promise<ProbeAnswer | null> {
    const found = this.#module(module);
    if (found === null) return null;
    const { definition, settings } = found;
    const read = definition.read(target);
    const began = performance.now();
    const isTarget = this.#isTarget(definition.type, read);
    // Not even its name is asked for.
    if (!isTarget && this.#config.allow.length === 0) return refusedAnswer();
    const options = {
      settings: this.#isOf(module, read) ? settings : withoutSecrets(settings),
      timeoutMs,
      signal: this.#abort.signal,
      allows: isTarget ? () => true : this.#isAllowed,
      mayFollow: this.#mayFollow,
    };
    const result = await this.#runner.check(definition, read, options);
    const seconds = (performance.now() - began) / 1000;
    return { result, seconds, metrics: [...commonMetrics(result, seconds), ...definition.metrics(result)] };
  }

  #module(name: string): { definition: ProbeDefinition; settings: unknown } | null {
    const config = Object.hasOwn(this.#config.checks, name) ? this.#config.checks[name] : undefined;
    if (config !== undefined) return { definition: PROBES[config.type], settings: config };
    const type = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
    if (!Object.hasOwn(PROBES, type)) return null;
    return { definition: PROBES[type], settings: usualSettings(PROBES[type]) };
  }

  /** Whether a target is one of the configuration, for a check of the same kind. */
  #isTarget(type: string, target: string): boolean {
    return Object.entries(this.#config.checks).some(
      ([check, config]) => config.type === type && this.#targets.get(check)?.has(target) === true,
    );
  }

  /** Whether a target is one of this module, or the module is made for all, having none of its own. */
  #isOf(module: string, target: string): boolean {
    const own = this.#targets.get(module);
    return own === undefined || own.size === 0 || own.has(target);
  }

  readonly #mayFollow = (from: string, to: string): boolean => !leadsInside(from, to) || this.#isAllowed(to);

  readonly #isAllowed = (address: string): boolean => liesIn(this.#config.allow, address);

  #begin(): void {
    if (Object.keys(this.#config.checks).length > 0) this.#delay.start();
    for (const [check, config] of Object.entries(this.#config.checks)) {
      const definition = PROBES[config.type];
      for (const target of this.#targets.get(check) ?? []) {
        const key = `${check} ${target}`;
        if (this.#watched.has(key)) continue;
        const watch = new ProbeWatch(check, target, config, definition);
        this.#watched.set(key, { watch, stop: this.#schedule(watch, config) });
      }
    }
  }

  #schedule(watch: ProbeWatch, config: CheckConfig): () => void {
    const { definition, target } = watch;
    const { signal } = this.#abort;
    const mayFollow = this.#mayFollow;
    const run = async (): Promise<boolean> => {
      const options = { settings: config, timeoutMs: config.timeout, signal, mayFollow };
      const result = await tracedCheck(definition.type, target, () => this.#runner.check(definition, target, options));
      if (!signal.aborted) this.#take(watch, result);
      return result.outcome === 'ok';
    };
    const task = {
      target: `${config.type} ${target}`,
      everyMs: config.every,
      run: () => {
        const under = run();
        this.#running.add(under);
        return under.finally(() => this.#running.delete(under));
      },
    };
    return this.#scheduler.add(task, Math.min(config.every, MINUTE_MS));
  }

  #take(watch: ProbeWatch, result: ProbeResult): void {
    const finding = watch.take(result);
    const { book } = this.#options;
    if (finding !== null) book?.raise(finding);
    // It may have been told of before a restart: the first success ends it, too.
    else if (watch.isBack) book?.over(PROBE_DETECTOR, watch.key, result.time / 1000);
  }

  async #openIcmp(): Promise<void> {
    const { log } = this.#options;
    try {
      const { text } = await this.#runner.icmp.way();
      log.info({ icmp: text }, 'ICMP checks have a way');
    } catch (error) {
      log.warn({ error: reasonOf(error) }, 'ICMP checks will fail: there is no way to send them');
    }
  }

  async #minute(): Promise<void> {
    this.#lastDelay = this.#delay.read();
    this.#delay.reset();
    this.#minutes++;
    if (this.#minutes % Math.ceil(Math.max(1, this.#watched.size) / TARGETS_A_MINUTE) === 0) this.#gather();
    if (this.#minutes % FLUSH_MINUTES === 0) await this.#flush();
  }

  #gather(): void {
    for (const { watch } of this.#watched.values()) {
      const beat = watch.gather();
      if (beat !== null) this.#journal.add({ check: watch.check, target: watch.target, beat });
    }
  }

  #armSave(): void {
    const wait = Math.max(SAVE_MS, (this.#watched.size * 1000) / TARGETS_A_SECOND);
    this.#saveTimer = setTimeout(
      () => void this.#save().then(() => this.#saveTimer !== undefined && this.#armSave()),
      wait,
    );
  }

  /** What is not in the records of its hour yet. */
  async #save(): Promise<void> {
    const running = [...this.#watched.values()].flatMap(({ watch }): JournalBeat[] => {
      const beat = watch.running();
      return beat === null ? [] : [{ check: watch.check, target: watch.target, beat }];
    });
    try {
      await this.#journal.save(running);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #flush(): Promise<void> {
    try {
      this.#dropped += await this.#journal.flush();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#options.log.error({ error: reasonOf(error) }, 'Results of checks could not be kept');
  }
}

/** Read once: thousands of addresses take long to be understood. */
function targetsOf({ checks }: ProbesConfig): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    Object.entries(checks).map(([check, { type, targets }]) => [
      check,
      new Set(targets.map((target) => PROBES[type].read(target))),
    ]),
  );
}

/** Headers of a check with targets of its own are for those. */
function withoutSecrets(settings: unknown): unknown {
  return typeof settings === 'object' && settings !== null && 'headers' in settings
    ? { ...settings, headers: {} }
    : settings;
}

function refusedAnswer(): ProbeAnswer {
  const text = 'it is no target of the configuration';
  const result: ProbeResult = { time: Date.now(), outcome: 'not_allowed', ms: null, text, phases: {}, facts: {} };
  return { result, metrics: [], seconds: 0 };
}

function schedulerOf({ concurrency, per_target }: ProbesConfig): Scheduler {
  return new Scheduler({ concurrency, perTarget: per_target });
}

/** A check is a span, and each of its phases one below it. */
function tracedCheck(type: string, target: string, check: () => Promise<ProbeResult>): Promise<ProbeResult> {
  return traced(`probe ${type}`, 'client', { 'nametap.target': target.slice(0, 256) }, async (span) => {
    const result = await check();
    span.setAttribute('nametap.outcome', result.outcome);
    let at = result.time;
    for (const [phase, ms] of Object.entries(result.phases)) {
      tracedPart(phase, {}, at, at + ms);
      at += ms;
    }
    return result;
  });
}
