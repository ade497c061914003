import type { Judge } from '../../src/detect/judge.ts';
import { BatchWriter } from '../../src/rr/batch-writer.ts';
import type { EncodedRecords, Exchange } from '../../src/rr/exchange.ts';
import { parseName } from '../../src/wire/writer.ts';

const START = 1_760_000_400;
const A_SECOND = 20_000;
const DIGITS = 10;
const VICTIMS = 1000;
const SUB_NAME = parseName('x0000000000.d0000000000.example');
const SUB_AT = 2;
const DOMAIN_AT = 14;
const TYPE_A = 1;
const TYPE_TXT = 16;

/**
 * Shows a judge `rows` transactions, of which each asks for another name: a quarter each random names below a thousand
 * domains that do not exist, domains with an address, texts, and questions from forged addresses that nobody answers.
 * `done` is told after every few thousand.
 */
export function flood(judge: Judge, rows: number, done: (judged: number) => void = () => {}): void {
  const writer = new BatchWriter((batch) => {
    judge.rows(batch, 0, batch.count);
    done(judge.judged);
    return true;
  });
  for (let i = 0; i < rows; i++) writer.add(exchangeOf(i));
  writer.finish();
}

function exchangeOf(i: number): Exchange {
  const kind = i & 3;
  const name = SUB_NAME.slice();
  write(name, SUB_AT, i);
  write(name, DOMAIN_AT, kind === 0 ? i % VICTIMS : i);
  const address = 0x0a000000 + (kind === 3 ? i : i % 5000);
  return {
    time: START + Math.floor((i / A_SECOND) * 1e6) / 1e6,
    client: { family: 4, words: [0, 0, 0, address] },
    server: { family: 4, words: [0, 0, 0, 0x0afe0000 + (i & 15)] },
    name,
    ...(kind !== 3 && { latencyMs: 3 }),
    ...(kind === 0 && { rcode: 'NXDOMAIN' }),
    ...(kind === 1 && { type: TYPE_A, records: record(TYPE_A, i) }),
    ...(kind === 2 && { type: TYPE_TXT, records: record(TYPE_TXT, i) }),
  };
}

function write(name: Uint8Array, at: number, number: number): void {
  let rest = number;
  for (let k = DIGITS - 1; k >= 0; k--) {
    name[at + k] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** One record of the name asked, with four octets that are the number's. */
function record(type: number, number: number): EncodedRecords {
  const length = type === TYPE_TXT ? 5 : 4;
  const bytes = Uint8Array.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, length, ...(length === 5 ? [4] : [])]);
  const data = [number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff];
  return { bytes: Uint8Array.from([...bytes, ...data]), answers: 1, authority: 0, additional: 0 };
}
