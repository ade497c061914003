import type { Finding } from '../../src/core/alert.ts';
import { loadConfig } from '../../src/app/config.ts';
import { judgeOf, type JudgingContext } from '../../src/app/judging.ts';
import { batchesOf } from '../../src/rr/batch-writer.ts';
import type { Exchange } from '../../src/rr/exchange.ts';

/** A time that tests count from: seconds since 1970, the beginning of an hour. */
export const START = 1_760_000_400;

/** What a judge with the default limits says of these exchanges; of one detector unless `only` says otherwise. */
export function findings(exchanges: readonly Exchange[], context: Partial<JudgingContext> = {}): Finding[] {
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  const found: Finding[] = [];
  const judge = judgeOf(config.detect, {
    networks: [],
    resolvers: [],
    raise: (one) => void found.push(one),
    ...context,
  });
  for (const batch of batchesOf(exchanges)) judge.rows(batch, 0, batch.count);
  return found;
}

/** An exchange a moment after the start, with an A record as the answer unless told. */
export function exchange(after: number, more: Partial<Exchange>): Exchange {
  return {
    time: START + after,
    client: '10.0.0.7',
    server: '10.0.0.53',
    name: 'www.example.com',
    latencyMs: 5,
    ...more,
  };
}

/** Answers with these addresses. */
export function addresses(name: string, ttl: number, ...list: string[]): Pick<Exchange, 'answers'> {
  return {
    answers: list.map((data) => ({ name, type: data.includes(':') ? 'AAAA' : 'A', class: 'IN', ttl, data })),
  };
}
