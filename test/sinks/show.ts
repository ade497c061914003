import { fileURLToPath } from 'node:url';
import { Engine } from '../../src/pipeline/engine.ts';
import { ByteWriter } from '../../src/sinks/byte-writer.ts';
import type {
  FrameOutput,
  MessageOutput,
  OutputFormat,
  OutputOptions,
  OutputUnit,
  TransactionOutput,
} from '../../src/sinks/output.ts';
import { openFiles } from '../../src/sources/files.ts';
import { join, type Sent } from './rows.ts';

/** Path of one of the small captures. */
export function capture(name: string): string {
  return fileURLToPath(new URL(`../captures/${name}`, import.meta.url));
}

/** An output of a format, whatever its unit, and the writer it writes to. */
class Output {
  readonly writer = new ByteWriter(64);
  readonly message: MessageOutput | undefined;
  readonly packet: FrameOutput | undefined;
  readonly rows: TransactionOutput | undefined;
  readonly #any: { begin?(): void; end?(): void };

  constructor(format: OutputFormat, unit: OutputUnit, options: OutputOptions) {
    if (unit === 'message') this.message = format.message?.(options, this.writer);
    else if (unit === 'packet') this.packet = format.packet?.(options, this.writer);
    else this.rows = format.transaction?.(options, this.writer);
    const any = this.message ?? this.packet ?? this.rows;
    if (any === undefined) throw new Error(`${format.name} shows no ${unit}`);
    this.#any = any;
    any.begin?.();
  }

  end(): string {
    this.#any.end?.();
    return new TextDecoder('utf8', { fatal: true, ignoreBOM: true }).decode(this.writer.take());
  }
}

/** What a format makes of a capture file, from its first byte to its last. */
export async function show(
  path: string,
  format: OutputFormat,
  unit: OutputUnit = format.unit,
  options: Partial<OutputOptions> = {},
): Promise<string> {
  const source = await openFiles([path]);
  const output = new Output(format, unit, { interfaces: source.interfaces, ...options });
  const { message, packet, rows } = output;
  const engine = new Engine(
    {},
    {
      ...(message && { message: (carrier, view, join) => message.message(carrier, view, join) }),
      ...(packet && { frame: (carrier, fate) => packet.frame(carrier, fate) }),
      ...(rows && { rows: (batch) => rows.batch(batch, 0, batch.count) }),
    },
  );
  engine.interfaces = source.interfaces;
  for await (const batch of source.batches(new AbortController().signal)) engine.frames(batch);
  engine.finish();
  return output.end();
}

/** What a format makes of messages on their way. */
export function showAll(
  list: readonly Sent[],
  format: OutputFormat,
  unit: OutputUnit = format.unit,
  options: Partial<OutputOptions> = {},
): string {
  const output = new Output(format, unit, { interfaces: [], ...options });
  const batches = join(list, (carrier, view, state) => output.message?.message(carrier, view, state));
  for (const batch of batches) output.rows?.batch(batch, 0, batch.count);
  return output.end();
}
