import { TransactionBatch } from '../../src/core/transactions.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { addRow } from './rows.ts';

const START = 1_700_000_000;
const nameOf = (i: number): string => `n${String(i).padStart(6, '0')}.test`;

/** Rows [from, to), one a second from `start` (s since 1970): each asks for a name of its own, and is answered. */
export function rows(from: number, to: number, start = START): TransactionBatch {
  const batch = TransactionBatch.create();
  for (let i = from; i < to; i++) {
    const asked = { id: i & 0xffff, questions: [{ name: nameOf(i), type: 'A' }] };
    const answers = [{ name: nameOf(i), type: 'A', ttl: 60, data: '192.0.2.7' }];
    addRow(batch, {
      query: encodeMessage({ ...asked, flags: ['rd'] }),
      response: encodeMessage({ ...asked, flags: ['qr', 'rd'], answers }),
      columns: {
        family: 4,
        transport: 17,
        client3: 0xc000020a,
        server3: 0xc6336435,
        clientPort: 40_000 + (i % 20_000),
        serverPort: 53,
        openSeconds: start + i,
        openNanos: 123_456_789,
        answerSeconds: start + i,
        answerNanos: 133_456_789,
        lastSeconds: start + i,
        queries: 1,
        responses: 1,
        queryBytes: 30,
        responseBytes: 60,
        idLow: i + 1,
      },
    });
  }
  return batch;
}

/** The names of rows [from, to). */
export const expected = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => nameOf(from + i));
