import { safeText } from '../rr/value.ts';
import type { FieldsFormat, OutputFormat } from './output.ts';

/** What tshark does without `-E`. */
export const PLAIN_FIELDS: FieldsFormat = {
  header: false,
  separator: '\t',
  aggregator: ',',
  occurrence: 'a',
  quote: 'n',
  escape: true,
};

/**
 * The fields asked for with `-e`, one line per message, as `tshark -T fields` prints them, but for control characters:
 * their octets are `\DDD`, so a line is a line.
 */
export const fields: OutputFormat = {
  name: 'fields',
  summary: 'the fields given with -e, separated by tabs',
  unit: 'message',
  message(options, writer) {
    const list = options.fields ?? [];
    const format = options.fieldsFormat ?? PLAIN_FIELDS;
    const { separator, aggregator, occurrence, quote } = format;
    const mark = quote === 'd' ? '"' : quote === 's' ? "'" : '';
    return {
      begin() {
        if (format.bom) writer.text('\uFEFF');
        if (format.header) writer.text(`${list.map(({ name }) => name).join(separator)}\n`);
      },
      message(carrier, view, join) {
        let line = '';
        for (let i = 0; i < list.length; i++) {
          if (i > 0) line += separator;
          const values = list[i].values(carrier, view, join);
          if (values.length === 0) continue;
          let text: string;
          if (occurrence === 'a') text = values.length === 1 ? values[0] : values.join(aggregator);
          else text = values[occurrence === 'f' ? 0 : values.length - 1];
          text = safeText(format.escape ? escaped(text) : text);
          // As tshark since 4.2; 4.0 leaves the same quote within a value single.
          line += mark === '' ? text : mark + text.replaceAll(mark, mark + mark) + mark;
        }
        writer.text(line);
        writer.byte(0x0a);
      },
    };
  },
};

const ESCAPES: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** Blanks that would break the line, as C writes them; backslashes stay, as in tshark. */
function escaped(text: string): string {
  return text.replace(/[\u0007-\r]/g, (c) => ESCAPES[c]);
}
