import type { Carrier } from '../core/carrier.ts';
import type { CapturedInterface } from '../core/frames.ts';
import type { MessageJoin } from '../core/join.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { registrable } from '../enrich/public-suffix.ts';
import { type FieldPrinter, outputField } from '../filter/output.ts';
import type { EngineOutputs } from '../pipeline/engine.ts';
import { ByteWriter, CHUNK_BYTES } from '../sinks/byte-writer.ts';
import type { FieldsFormat, FrameOutput, MessageOutput, OutputOptions, TransactionOutput } from '../sinks/output.ts';
import type { MessageView } from '../wire/message.ts';
import { outputFor, type Unit } from './catalog.ts';
import { FrameFile, type FrameFilePlan } from './frame-file.ts';
import { isSlow } from './input.ts';
import { needsFlows, planFilter, type RunHooks, type RunPlan, type RunResult } from './plan.ts';
import type { RenderedRows } from './rendered.ts';
import { isInline, runInline, runRendered, runRows } from './run.ts';

/** What to show of a run, and what to write. */
export interface ShowPlan extends RunPlan {
  /** Name of the output format; absent = no lines. */
  format?: string;
  unit?: Unit;
  /** `-e`. */
  fields?: readonly string[];
  fieldsFormat?: FieldsFormat;
  color?: boolean;
  width?: number;
  offsets?: boolean;
  sensor?: string;
  /** Ends after so many lines (without lines: frames written, else messages that pass). */
  count?: number;
  /** Frames to write; those of messages that pass, where there is a filter. */
  write?: FrameFilePlan;
  /** Ends when the files written hold so many bytes of frames. */
  writeLimitBytes?: number;
}

export interface ShowHooks extends RunHooks {
  /** Called once when `write` has begun: `reopen` goes on in a new file. */
  writing?(file: { reopen(): void }): void;
}

export interface ShowResult extends RunResult {
  /** Lines shown (without lines: frames written, else messages that pass). */
  shown: number;
  /** Frames written. */
  written: number;
  /** Frames of a message that passed which could not be kept until then. */
  notWritten: number;
  /** Remarks for people, of the filter and of the output. */
  hints: readonly string[];
}

/** Rows turned into text between two looks at how much that is. */
const ROWS_AT_ONCE = 128;
/** How often a growing file is brought up to date. */
const FLUSH_MS = 1000;

/**
 * Runs a plan and shows what comes out: bytes of lines go to `out`, which may keep them only during the call, and may
 * block or throw. Throws UserError for a wrong format, field or filter before anything is opened.
 */
export async function runShow(plan: ShowPlan, hooks: ShowHooks, out: (bytes: Uint8Array) => void): Promise<ShowResult> {
  const fields = plan.fields?.map((name) => outputField(name, { compat: plan.compat })) ?? [];
  const filter = planFilter(plan);
  const hints = filter?.hints ?? [];
  // The only lines that say beforehand what they show.
  const streams = plan.format === 'fields' && needsFlows([...(filter?.fields ?? []), ...(plan.fields ?? [])]);
  const dissect = plan.format === 'fields' ? { ...plan.dissect, streams } : plan.dissect;
  const hold = fields.some(({ needsFate }) => needsFate);
  const pairs = !(plan.format === 'fields' || plan.format === undefined) || fields.some(({ needsJoin }) => needsJoin);
  const show = new Show({ ...plan, dissect, hold, pairs }, hooks, out, fields);
  const result = await show.run();
  const { shown, written, notWritten, notes } = show;
  return { ...result, shown, written, notWritten, hints: [...hints, ...notes] };
}

class Show {
  shown = 0;
  readonly #plan: ShowPlan;
  readonly #hooks: ShowHooks;
  readonly #out: (bytes: Uint8Array) => void;
  readonly #fields: readonly FieldPrinter[];
  readonly #writer = new ByteWriter();
  readonly #enough = new AbortController();
  readonly #limit: number;
  readonly #slow: boolean;
  #file: FrameFile | null = null;
  #fileFlushed = performance.now();
  #output: Partial<MessageOutput & TransactionOutput & FrameOutput> = {};

  constructor(plan: ShowPlan, hooks: ShowHooks, out: (bytes: Uint8Array) => void, fields: readonly FieldPrinter[]) {
    this.#plan = plan;
    this.#hooks = hooks;
    this.#out = out;
    this.#fields = fields;
    this.#limit = plan.count ?? Number.POSITIVE_INFINITY;
    this.#slow = isSlow(plan.input);
  }

  get written(): number {
    return this.#file?.count ?? 0;
  }

  get notWritten(): number {
    return this.#file?.lost ?? 0;
  }

  /** The output's remarks, once it has ended. */
  get notes(): readonly string[] {
    return this.#output.notes?.() ?? [];
  }

  async run(): Promise<RunResult> {
    const plan = this.#plan;
    const shape = plan.format === undefined ? null : outputFor(plan.format, plan.unit);
    const hooks: RunHooks = {
      ...this.#hooks,
      signal: AbortSignal.any([this.#hooks.signal, this.#enough.signal]),
      opened: (source) => {
        this.#open(source.interfaces, shape);
        this.#hooks.opened?.(source);
      },
      batchDone: () => this.#batchDone(),
    };
    if (this.#limit === 0) this.#enough.abort();
    try {
      const result = await this.#run(shape, hooks);
      this.#output.end?.();
      this.#flush();
      return result;
    } finally {
      this.#file?.close();
    }
  }

  #run(shape: ReturnType<typeof outputFor> | null, hooks: RunHooks): Promise<RunResult> {
    const plan = this.#plan;
    const inRows = shape !== null && (shape.unit === 'transaction' || shape.unit === 'rrset');
    if (!inRows || plan.write !== undefined) return runInline(plan, hooks, this.#outputs(shape?.unit ?? null));
    if (shape.format.rowsStandApart !== true || isInline(plan) || plan.paths) {
      return runRows(plan, hooks, (batch, from, to) => this.#rows(batch, from, to));
    }
    const render = { format: shape.format.name, sensor: plan.sensor };
    return runRendered(plan, render, hooks, (rows, from, to) => this.#rendered(rows, from, to));
  }

  #open(interfaces: readonly CapturedInterface[], shape: ReturnType<typeof outputFor> | null): void {
    const { write, fieldsFormat, color, width, offsets, paths, sensor } = this.#plan;
    if (shape !== null) {
      const options: OutputOptions = {
        interfaces,
        registrable,
        fields: this.#fields,
        fieldsFormat,
        color,
        width,
        offsets,
        paths,
        sensor,
      };
      const { format, unit } = shape;
      if (unit === 'packet') this.#output = format.packet?.(options, this.#writer) ?? {};
      else if (unit === 'message') this.#output = format.message?.(options, this.#writer) ?? {};
      else this.#output = format.transaction?.(options, this.#writer) ?? {};
      this.#output.begin?.();
    }
    if (write === undefined) return;
    this.#file = FrameFile.create(write, interfaces);
    this.#hooks.writing?.(this.#file);
  }

  /** What an engine in this thread has to tell, for lines of a unit (null = none) and for the file. */
  #outputs(unit: Unit | null): EngineOutputs {
    const filtered = this.#plan.filter !== undefined && this.#plan.filter !== '';
    const writes = this.#plan.write !== undefined;
    const outputs: EngineOutputs = {};
    if (unit === 'transaction' || unit === 'rrset') outputs.rows = (batch) => this.#rows(batch, 0, batch.count);
    if (unit === 'message' || (writes && filtered) || (unit === null && !writes)) {
      const counted = unit === 'message' || unit === null;
      outputs.message = (carrier, view, join) => this.#message(carrier, view, join, counted);
    }
    if (unit === 'packet' || writes) {
      outputs.frame = (carrier, fate) => this.#frame(carrier, fate, unit, filtered);
    }
    return outputs;
  }

  #rows(batch: TransactionBatch, from: number, to: number): void {
    const end = Math.min(to, from + this.#limit - this.shown);
    for (let at = from; at < end; at += ROWS_AT_ONCE) {
      this.#output.batch?.(batch, at, Math.min(end, at + ROWS_AT_ONCE));
      if (this.#writer.length >= CHUNK_BYTES) this.#flush();
    }
    if (end > from) this.#count(end - from);
  }

  #rendered({ bytes, ends }: RenderedRows, from: number, to: number): void {
    const end = Math.min(to, from + this.#limit - this.shown);
    if (end <= from) return;
    const start = from === 0 ? 0 : ends[from - 1];
    const length = ends[end - 1] - start;
    const writer = this.#writer;
    writer.room(length);
    writer.bytes.set(bytes.subarray(start, start + length), writer.length);
    writer.length += length;
    if (writer.length >= CHUNK_BYTES) this.#flush();
    this.#count(end - from);
  }

  #message(carrier: Carrier, view: MessageView, join: MessageJoin, counted: boolean): void {
    if (this.shown >= this.#limit) return;
    if (this.#file !== null && this.#plan.filter) this.#file.writeMessage(carrier);
    this.#output.message?.(carrier, view, join);
    if (this.#writer.length >= CHUNK_BYTES) this.#flush();
    if (counted) this.#count(1);
  }

  #frame(carrier: Carrier, fate: number, unit: Unit | null, filtered: boolean): void {
    if (this.shown >= this.#limit) return;
    const file = this.#file;
    if (file !== null) {
      if (filtered) file.seen(carrier, fate);
      else file.write(carrier);
      const { writeLimitBytes } = this.#plan;
      if (writeLimitBytes !== undefined && file.bytes >= writeLimitBytes) this.#enough.abort();
    }
    if (unit === 'packet') {
      const { length } = this.#writer;
      this.#output.frame?.(carrier, fate);
      // What is not IP has no line, and does not count.
      if (this.#writer.length === length) return;
      if (this.#writer.length >= CHUNK_BYTES) this.#flush();
    }
    if (unit === 'packet' || (unit === null && !filtered)) this.#count(1);
  }

  #count(lines: number): void {
    this.shown += lines;
    if (this.shown >= this.#limit) this.#enough.abort();
  }

  #batchDone(): void {
    // Whoever waits for the next packet sees the last one at once.
    if (this.#slow) this.#flush();
    if (this.#slow && this.#file !== null && performance.now() - this.#fileFlushed > FLUSH_MS) {
      this.#fileFlushed = performance.now();
      this.#file.flush();
    }
    this.#hooks.batchDone?.();
  }

  #flush(): void {
    const { bytes, length } = this.#writer;
    if (length === 0) return;
    this.#writer.length = 0;
    this.#out(bytes.subarray(0, length));
  }
}
