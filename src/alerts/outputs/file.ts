import { group, text, type ValueOf } from '../../core/settings.ts';
import { RotatingFile } from '../../sinks/rotating-file.ts';
import { ROTATION } from '../../sinks/sink.ts';
import { COMMON, type OutputDefinition } from './output.ts';

const settings = group('A file of lines (NDJSON), one for every message.', {
  path: text('The file; old ones stand beside it, as NAME-TIME.EXT.', {
    required: true,
    example: 'logs/alerts.ndjson',
  }),
  rotate: group('When the file is renamed and a new one begun.', ROTATION),
  ...COMMON,
});

/** Lines in a rotating file. */
export const file: OutputDefinition<ValueOf<typeof settings>> = {
  settings,
  open(options, { sensor, notice: say }) {
    const { path, rotate } = options;
    const rules = { sizeBytes: rotate.size, ageMs: Number.POSITIVE_INFINITY, keep: rotate.keep };
    const lines = new RotatingFile(path, rules, { failed: (error) => say('warn', error.message) });
    return {
      async send(notice) {
        if (notice === null) return;
        const { cause, alert } = notice;
        lines.write(new TextEncoder().encode(`${JSON.stringify({ event: cause, sensor, ...alert })}\n`));
      },
      reopen: () => lines.reopen(),
      close: () => lines.close(),
    };
  },
};
