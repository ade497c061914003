import type { Raise } from '../core/alert.ts';
import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import type { TransactionBatch, Vantage } from '../core/transactions.ts';
import { type Counted, countOf, type TableCount, tablesMadeBy } from './bounded.ts';
import type { DetectorDefinition, Detector, DetectServices, Need } from './detector.ts';
import { Observation } from './observation.ts';
import { bitsOf, kindOf } from './rows.ts';

/** Rows whose hosts and domains are fetched from memory together. */
const AHEAD = 64;
/** Fewer are not worth it. */
const LEAST_AHEAD = 8;

/** Lists of detectors by kind of row: one gives way to another of the same hash. */
const LIST_BITS = 8;

/** A detector that runs, or why it does not. */
export interface DetectorState {
  id: string;
  isOn: boolean;
  /** Why it is off. */
  reason?: string;
}

export interface JudgeOptions {
  /** The configuration's value of a detector's settings, and whether it is on. */
  settings(definition: DetectorDefinition): { enabled: boolean; values: unknown };
  services: DetectServices;
  /** What privacy has taken away. */
  lacks: readonly Need[];
  raise: Raise;
}

/** A detector at work, and what it was made of. */
interface Running {
  id: string;
  definition: DetectorDefinition;
  /** Its settings as text: with the same ones it goes on. */
  form: string;
  detector: Detector;
  tables: readonly Counted[];
}

/** Shows every transaction to every detector that wants it, in order, and tells them the time. */
export class Judge {
  states: readonly DetectorState[] = [];
  #running: readonly Running[] = [];
  /** Which rows are for whom; and who is shown a row, by what it is. */
  #inspecting: readonly { rows: number; detector: Detector; inspect: Inspect }[] = [];
  readonly #lists: (Shown | undefined)[] = new Array<undefined>(1 << LIST_BITS).fill(undefined);
  #ticking: readonly Detector[] = [];
  #touching: readonly Detector[] = [];
  readonly #lacks: readonly Need[];
  readonly #raise: Raise;
  readonly #services: DetectServices;
  #seen: Observation | undefined;
  #second = Number.NEGATIVE_INFINITY;
  /** Transactions that were looked at. */
  judged = 0;

  constructor(definitions: readonly DetectorDefinition[], options: JudgeOptions) {
    const { baseline } = options.services;
    this.#raise = (finding) => {
      // What is being attacked, or is down, is not to become what is usual.
      if (finding.severity !== 'low') {
        const { subject, client, server, domain } = finding;
        baseline.mute({ domain, ...(subject === client && { client }), ...(subject === server && { server }) });
      }
      options.raise(finding);
    };
    this.#services = options.services;
    this.#lacks = options.lacks;
    this.configure(definitions, options.settings);
  }

  /**
   * Goes on with these detectors and settings: those that are the same keep all they know, others begin anew with what
   * they save over a restart. Ids of those that were made. Throws UserError; nothing has changed then.
   */
  configure(definitions: readonly DetectorDefinition[], settings: JudgeOptions['settings']): string[] {
    const running: Running[] = [];
    try {
      return this.#configure(definitions, settings, running);
    } catch (error) {
      this.#close(running.filter((one) => !this.#running.includes(one)));
      throw error;
    }
  }

  /** Lets go of what detectors keep with others. */
  #close(gone: readonly Running[]): void {
    this.#services.entities.release(gone.flatMap(({ tables }) => tables));
    for (const { detector } of gone) detector.close?.();
  }

  #configure(
    definitions: readonly DetectorDefinition[],
    settings: JudgeOptions['settings'],
    running: Running[],
  ): string[] {
    const before = new Map(this.#running.map((one) => [one.id, one]));
    const states: DetectorState[] = [];
    const fresh: string[] = [];
    for (const definition of definitions) {
      const { id } = definition;
      const { enabled, values } = settings(definition);
      const reason = enabled ? this.#hindrance(definition) : 'It is switched off in the configuration.';
      states.push({ id, isOn: reason === undefined, ...(reason !== undefined && { reason }) });
      if (reason !== undefined) continue;
      const form = formOf(values);
      const known = before.get(id);
      if (known?.definition === definition && known.form === form) running.push(known);
      else {
        const { made: detector, tables } = tablesMadeBy(() => definition.create(values, this.#services));
        if (known?.detector.save !== undefined) detector.load?.(known.detector.save());
        running.push({ id, definition, form, detector, tables });
        fresh.push(id);
      }
    }
    const gone = this.#running.filter((one) => !running.includes(one));
    this.#close(gone);
    this.states = states;
    this.#running = running;
    this.#inspecting = running.flatMap(({ definition, detector }) => {
      const { inspect } = detector;
      return inspect === undefined ? [] : [{ rows: bitsOf(definition.rows), detector, inspect }];
    });
    this.#lists.fill(undefined);
    const detectors = running.map(({ detector }) => detector);
    this.#ticking = detectors.filter(({ tick }) => tick !== undefined);
    this.#touching = detectors.filter(({ touch }) => touch !== undefined);
    return fresh;
  }

  /** Why detectors do not work as they should for now: a sentence for each that does not. */
  problems(): string[] {
    return this.#running.flatMap(({ id, detector }) => {
      const problem = detector.problem?.() ?? null;
      return problem === null ? [] : [`${id}: ${problem}`];
    });
  }

  #hindrance({ vantages, needs }: DetectorDefinition): string | undefined {
    const { vantage: at } = this.#services;
    if (vantages !== undefined && at !== undefined && !vantages.includes(at)) {
      return `It works ${vantages.map((one) => PLACES[one]).join(' or ')}; this sensor stands ${PLACES[at]}.`;
    }
    const missing = needs?.find((need) => this.#lacks.includes(need));
    if (missing === 'rhythm')
      return 'This capture is played again and again: everything in it comes back like clockwork.';
    return missing === undefined ? undefined : `The privacy level hides ${missing}, which it needs.`;
  }

  /** Takes rows [from, to) of a batch, in order of closing time. */
  rows(batch: TransactionBatch, from: number, to: number): void {
    if (this.#running.length === 0) return;
    this.#seen ??= new Observation(this.#services.entities, batch);
    const seen = this.#seen;
    const raise = this.#raise;
    const { baseline } = this.#services;
    for (let i = from, touched = from; i < to; i++) {
      if (i === touched) {
        touched = Math.min(to, i + AHEAD);
        if (touched - i >= LEAST_AHEAD) this.#touch(batch, i, touched);
      }
      seen.take(batch, i);
      if (seen.closed >= this.#second + 1) this.tick(seen.closed);
      baseline.observe(seen);
      this.#show(seen, raise);
    }
    this.judged += to - from;
  }

  #touch(batch: TransactionBatch, from: number, to: number): void {
    const { baseline, entities } = this.#services;
    const ahead = entities.touch(batch, from, to);
    baseline.touch(ahead);
    for (const detector of this.#touching) detector.touch?.(ahead);
  }

  #show(seen: Observation, raise: Raise): void {
    const kind = kindOf(seen);
    const at = Math.imul(kind, 0x9e3779b1) >>> (32 - LIST_BITS);
    let shown = this.#lists[at];
    if (shown?.kind !== kind) this.#lists[at] = shown = this.#shown(kind);
    const { detectors, inspects } = shown;
    for (let i = 0; i < inspects.length; i++) inspects[i].call(detectors[i], seen, raise);
  }

  #shown(kind: number): Shown {
    const wanting = this.#inspecting.filter(({ rows }) => (rows & kind) !== 0);
    return {
      kind,
      detectors: wanting.map(({ detector }) => detector),
      inspects: wanting.map(({ inspect }) => inspect),
    };
  }

  /** Time passes also where no packets come: `time` in seconds since 1970, on the packets' clock. */
  tick(time: number): void {
    const second = Math.floor(time);
    if (second <= this.#second) return;
    this.#second = second;
    this.#services.baseline.tick(time);
    for (const detector of this.#ticking) detector.tick?.(second, this.#raise);
  }

  /** Takes a client that speaks encrypted DNS, in order among the rows. */
  encrypted(flow: EncryptedFlow): void {
    this.tick(flow.time);
    for (const { detector } of this.#running) detector.encrypted?.(flow, this.#raise);
  }

  /** How full every bounded table is: of hosts, domains, what is usual, and of each detector that has any. */
  counts(): TableCount[] {
    const { entities, baseline } = this.#services;
    const counts = entities.counts();
    counts.push(...baseline.counts());
    for (const { id, detector, tables } of this.#running) {
      if (tables.length > 0) counts.push(countOf(id, tables));
      counts.push(...(detector.counts?.() ?? []));
    }
    return counts;
  }

  /** What detectors have learnt, by id. */
  save(): Record<string, unknown> {
    const saved: Record<string, unknown> = {};
    for (const { id, detector } of this.#running) if (detector.save !== undefined) saved[id] = detector.save();
    return saved;
  }

  load(saved: Readonly<Record<string, unknown>>): void {
    for (const { id, detector } of this.#running) if (saved[id] !== undefined) detector.load?.(saved[id]);
  }
}

type Inspect = NonNullable<Detector['inspect']>;

/** Who is shown a kind of row, and how: bound functions would cost more. */
interface Shown {
  kind: number;
  detectors: readonly Detector[];
  inspects: readonly Inspect[];
}

/** Settings as a text that is the same for the same ones. */
function formOf(values: unknown): string {
  return JSON.stringify(values, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}

const PLACES: Record<Vantage, string> = {
  client: 'before a resolver',
  resolver: 'at a resolver',
  authority: 'at an authority',
};
