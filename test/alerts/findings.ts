import type { Evidence, Finding } from '../../src/core/alert.ts';

/** A finding of a tunnel, with what a test wants to be otherwise. */
export function finding(different: Partial<Finding> = {}): Finding {
  const { time = 1_700_000_000, domain = 'evil.example', client = '192.0.2.7' } = different;
  return {
    detector: 'TUN-BYTES',
    key: domain,
    severity: 'high',
    score: 0.9,
    confidence: 0.9,
    time,
    firstSeen: time - 12,
    lastSeen: time,
    count: 31,
    subject: domain,
    client,
    domain,
    title: `4.1 kB of names under ${domain} in 12 s`,
    text: `${client} asked for names under ${domain} that hold 4.1 kB. 1.0 kB an hour is the limit.`,
    measures: [{ name: 'distinct sub-name bytes per hour', value: 4100, unit: 'B', threshold: 1024 }],
    evidence: [evidence('0000000000000001', time, `a.${domain}`)],
    attack: ['T1048.003'],
    ...different,
  };
}

export function evidence(transaction: string, time: number, name: string): Evidence {
  return { transaction, time, client: '192.0.2.7', server: '192.0.2.53', name, type: 'TXT' };
}

/** Records as a store keeps them, in memory: values go through JSON. */
export class MemoryRecords {
  readonly #rows = new Map<string, { id: string; time: number; text: string }>();
  writes = 0;
  /** What the next write fails with. */
  failure: Error | null = null;

  async put(kind: string, value: unknown, { id = '', time = 0 } = {}): Promise<string> {
    if (this.failure !== null) throw this.failure;
    this.writes++;
    this.#rows.set(`${kind} ${id}`, { id, time, text: JSON.stringify(value) });
    return Promise.resolve(id);
  }

  get(kind: string, id: string): Promise<{ id: string; time: number; value: unknown } | null> {
    const row = this.#rows.get(`${kind} ${id}`);
    return Promise.resolve(row === undefined ? null : { id, time: row.time, value: JSON.parse(row.text) as unknown });
  }

  list(kind: string, { limit = 1000, after }: { limit?: number; after?: string } = {}) {
    const rows = [...this.#rows]
      .filter(([key]) => key.startsWith(`${kind} `))
      .map(([, { id, time, text }]) => ({ id, time, value: JSON.parse(text) as unknown }))
      .sort((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
    const from = after === undefined ? 0 : rows.findIndex(({ id }) => id === after) + 1;
    return Promise.resolve(rows.slice(from, from + limit));
  }
}
