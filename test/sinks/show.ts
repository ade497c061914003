import { fileURLToPath } from 'node:url';
import type { CapturedInterface } from '../../src/core/frames.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { ByteWriter } from '../../src/sinks/byte-writer.ts';
import type { OutputFormat, OutputOptions, OutputUnit } from '../../src/sinks/output.ts';
import { openFiles } from '../../src/sources/files.ts';

/** Path of one of the small captures. */
export function capture(name: string): string {
  return fileURLToPath(new URL(`../captures/${name}`, import.meta.url));
}

/** What a format makes of a capture file, from its first byte to its last. */
export async function show(
  path: string,
  format: OutputFormat,
  unit: OutputUnit = format.unit,
  options: Partial<OutputOptions> = {},
): Promise<string> {
  const source = await openFiles([path]);
  const interfaces: readonly CapturedInterface[] = source.interfaces;
  const writer = new ByteWriter(64);
  const set: OutputOptions = { interfaces, ...options };
  const message = unit === 'message' ? format.message?.(set, writer) : undefined;
  const packet = unit === 'packet' ? format.packet?.(set, writer) : undefined;
  const rows = unit === 'transaction' || unit === 'rrset' ? format.transaction?.(set, writer) : undefined;
  const output = message ?? packet ?? rows;
  if (output === undefined) throw new Error(`${format.name} shows no ${unit}`);
  const engine = new Engine(
    {},
    {
      ...(message && { message: (carrier, view, join) => message.message(carrier, view, join) }),
      ...(packet && { frame: (carrier, fate) => packet.frame(carrier, fate) }),
      ...(rows && { rows: (batch) => rows.batch(batch, 0, batch.count) }),
    },
  );
  output.begin?.();
  for await (const batch of source.batches(new AbortController().signal)) engine.frames(batch);
  engine.finish();
  output.end?.();
  return new TextDecoder('utf8', { fatal: true, ignoreBOM: true }).decode(writer.take());
}
