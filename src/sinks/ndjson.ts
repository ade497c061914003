import type { OutputFormat } from './output.ts';
import { capturedMessage } from './captured-message.ts';
import { packetValue } from './packet.ts';
import { TransactionJson } from './transaction-json.ts';

/** Transactions (or messages) as JSON, one object per line (RFC 8259, NDJSON). */
export const ndjson: OutputFormat = {
  name: 'ndjson',
  summary: 'one JSON object per line',
  unit: 'transaction',
  rowsStandApart: true,
  transaction(options, writer) {
    const rows = new TransactionJson(options, writer);
    return {
      batch(batch, from, to) {
        for (let i = from; i < to; i++) {
          rows.row(batch, i);
          writer.byte(0x0a);
        }
      },
    };
  },
  message(options, writer) {
    return {
      message(carrier, view, join) {
        writer.text(JSON.stringify(capturedMessage(carrier, view, join, options)));
        writer.byte(0x0a);
      },
    };
  },
  packet(options, writer) {
    return {
      frame(carrier, fate) {
        const packet = packetValue(carrier, fate, options);
        if (packet !== undefined) writer.text(`${JSON.stringify(packet)}\n`);
      },
    };
  },
};
