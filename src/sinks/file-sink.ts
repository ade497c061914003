import { choice, group, span, text } from '../core/settings.ts';
import { ByteWriter } from './byte-writer.ts';
import { Delivery } from './delivery.ts';
import { LINE_FORMATS } from './line-formats.ts';
import type { OutputOptions, TransactionOutput } from './output.ts';
import { RotatingFile, type RotatingFileHooks, type RotationRules } from './rotating-file.ts';
import { COMMON, ROTATION, type SinkContext, type SinkDefinition } from './sink.ts';
import type { Chunk, Target } from './target.ts';
import type { ValueOf } from '../core/settings.ts';

const settings = group('A file of lines: NDJSON, CSV and others, renamed and begun anew by size and age.', {
  path: text('The file; old ones stand beside it, as NAME-TIME.EXT.', {
    required: true,
    example: 'logs/dns.ndjson',
  }),
  format: choice(
    'What a line is (as read -T).',
    LINE_FORMATS.map(({ name }) => name),
    { default: 'ndjson' },
  ),
  rotate: group('When the file is renamed and a new one begun.', {
    ...ROTATION,
    age: span('A new file after so long.', { default: '1d', least: 1000 }),
    compress: choice('How old files are compressed.', ['none', 'gzip', 'zstd'], { default: 'zstd' }),
  }),
  ...COMMON,
});

/** Lines in a rotating file. */
export const fileSink: SinkDefinition<ValueOf<typeof settings>> = {
  settings,
  open(options, context) {
    const format = LINE_FORMATS.find(({ name }) => name === options.format) ?? LINE_FORMATS[0];
    const made = (writer: ByteWriter): TransactionOutput => {
      const output = format.transaction?.(outputOptions(context), writer);
      if (output === undefined) throw new TypeError(`${format.name} has no lines of transactions`);
      return output;
    };
    const target = new FileTarget(options.path, rulesOf(options.rotate), { ...edges(made) }, context);
    return new Delivery(
      target,
      (writer) => {
        const lines = made(writer);
        return (batch, row, ends) => {
          lines.batch(batch, row, row + 1);
          ends.push(writer.length);
          return true;
        };
      },
      context,
      { queue: options.queue },
    );
  },
};

/** Options of an output format, as a sink knows them. */
export function outputOptions({ interfaces, sensor, registrable, clientName, marks }: SinkContext): OutputOptions {
  return {
    interfaces,
    registrable,
    ...(sensor !== undefined && { sensor }),
    ...(clientName !== undefined && { clientName }),
    ...(marks !== undefined && { marks }),
  };
}

/** What a format writes at the beginning and at the end of each file. */
function edges(made: (writer: ByteWriter) => TransactionOutput): Pick<RotatingFileHooks, 'begin' | 'end'> {
  const edge = (which: 'begin' | 'end') => () => {
    const writer = new ByteWriter(4096);
    made(writer)[which]?.();
    return writer.length === 0 ? undefined : writer.take();
  };
  return { begin: edge('begin'), end: edge('end') };
}

/** Rules of a file by its settings. */
export function rulesOf(rotate: {
  size: number;
  age: number;
  keep: number;
  compress: RotationRules['compress'];
}): RotationRules {
  return { sizeBytes: rotate.size, ageMs: rotate.age, keep: rotate.keep, compress: rotate.compress };
}

/** A rotating file that takes chunks. It is opened with the first one at the latest: a full disk ends nothing. */
export class FileTarget implements Target {
  readonly #file: RotatingFile;

  constructor(path: string, rules: RotationRules, hooks: RotatingFileHooks, context: SinkContext) {
    const failed = (error: Error) => context.notice('warn', error.message);
    this.#file = new RotatingFile(path, rules, { ...hooks, failed }, context.owner);
  }

  async send({ bytes }: Chunk): Promise<void> {
    if (bytes.length > 0) this.#file.write(bytes);
  }

  reopen(): void {
    this.#file.reopen();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
