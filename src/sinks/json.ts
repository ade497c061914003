import type { ByteWriter } from './byte-writer.ts';
import { capturedMessage } from './captured-message.ts';
import type { OutputFormat } from './output.ts';
import { packetValue } from './packet.ts';
import { TransactionJson } from './transaction-json.ts';

/** Transactions (or messages) as one JSON array, an object per line. */
export const json: OutputFormat = {
  name: 'json',
  summary: 'one JSON array',
  unit: 'transaction',
  transaction(options, writer) {
    const rows = new TransactionJson(options, writer);
    const array = new ArrayLines(writer);
    return {
      begin: () => array.begin(),
      batch(batch, from, to) {
        for (let i = from; i < to; i++) {
          array.next();
          rows.row(batch, i);
        }
      },
      end: () => array.end(),
    };
  },
  message(options, writer) {
    const array = new ArrayLines(writer);
    return {
      begin: () => array.begin(),
      message(carrier, view, join) {
        array.next();
        writer.text(JSON.stringify(capturedMessage(carrier, view, join, options)));
      },
      end: () => array.end(),
    };
  },
  packet(options, writer) {
    const array = new ArrayLines(writer);
    return {
      begin: () => array.begin(),
      frame(carrier, fate) {
        const packet = packetValue(carrier, fate, options);
        if (packet === undefined) return;
        array.next();
        writer.text(JSON.stringify(packet));
      },
      end: () => array.end(),
    };
  },
};

/** The brackets and commas of an array with an element per line. */
class ArrayLines {
  readonly #writer: ByteWriter;
  #count = 0;

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  begin(): void {
    this.#writer.byte(0x5b);
  }

  next(): void {
    this.#writer.ascii(this.#count++ === 0 ? '\n' : ',\n');
  }

  end(): void {
    this.#writer.ascii(this.#count === 0 ? ']\n' : '\n]\n');
  }
}
