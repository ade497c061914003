import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type OpenSearchService, start } from '../../scripts/services/opensearch.ts';
import { sinkContract } from '../sinks/contract.ts';
import type { MortalReceiver } from '../sinks/receivers.ts';

let service: OpenSearchService;
before(async () => {
  service = await start();
});
after(() => service.stop());

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(service.address + path, init);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

interface Found {
  hits: { hits: { _id: string; _source: { dns: { question: { name: string } } }; sort: unknown[] }[] };
}

/** Names of all documents of an index, in order of the time of the transaction. */
async function namesIn(index: string): Promise<string[]> {
  await ask(`/${index}/_refresh`, { method: 'POST' });
  const names: string[] = [];
  for (let from: unknown[] | undefined; ; ) {
    const body = { size: 5000, sort: ['@timestamp'], _source: ['dns.question.name'], search_after: from };
    const { hits } = await ask<Found>(`/${index}/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    names.push(...hits.hits.map(({ _source }) => _source.dns.question.name));
    const last = hits.hits.at(-1);
    if (last === undefined) return names;
    from = last.sort;
  }
}

let turn = 0;

/** OpenSearch itself, a new data stream for each test; killed and started again over its folder. */
async function receiver(): Promise<MortalReceiver> {
  const index = `nametap-${turn++}`;
  return {
    isIdempotent: true,
    settings: { nodes: [service.address], index, replicas: 0, timeout: '5s' },
    names: () => namesIn(index),
    kill: () => service.kill(),
    revive: () => service.again(),
    close: async () => {},
  };
}

const awayMs = Number(process.env.NAMETAP_AWAY_MS ?? 60_000);
sinkContract('opensearch', receiver, { awayMs, kills: 6, settleSeconds: 180 });

test('what stands in the data stream has the types of the template', async () => {
  const { count } = await ask<{ count: number }>('/nametap-0/_count?q=dns.question.registered_domain:n000001.test');
  assert.equal(count, 1);
});
