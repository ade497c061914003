import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BusPartition } from '../../src/app/bus-partition.ts';
import { BusReader } from '../../src/app/bus-reader.ts';
import { MarkNames } from '../../src/app/marks.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store, StoreStatus } from '../../src/store/store.ts';
import type { Consumer, InRecord, OutRecord, Place, Producer } from '../../src/transport/transport.ts';
import { written } from '../bus/batches.ts';
import { batchesOf, CAPTURES } from '../store/batches.ts';

const TOPIC = 'topic';
const STATE = 'topic.group.state';

/** A bus of one partition, in memory: its reader ends when it has read all. */
class Log implements Consumer, Producer {
  readonly error = null;
  readonly topics = new Map<string, Uint8Array[]>();
  committedTo: number | undefined;

  #records(topic: string): InRecord[] {
    const values = this.topics.get(topic) ?? [];
    return values.map((value, offset) => ({ topic, partition: 0, offset, value, headers: new Map() }));
  }

  async *records(signal: AbortSignal, changed: (places: readonly Place[]) => void): AsyncGenerator<InRecord> {
    changed([{ topic: TOPIC, partition: 0 }]);
    for (const record of this.#records(TOPIC).slice(this.committedTo ?? 0)) {
      if (signal.aborted) return;
      yield record;
    }
  }

  async send(records: readonly OutRecord[]): Promise<void> {
    for (const { topic, value } of records) this.topics.set(topic, [...(this.topics.get(topic) ?? []), value]);
  }

  async commit([one]: readonly (Place & { offset: number })[]): Promise<void> {
    this.committedTo = one.offset;
  }

  async begins(places: readonly Place[]): Promise<readonly (Place & { offset: number })[]> {
    return places.map((place) => ({ ...place, offset: 0 }));
  }

  async ends(places: readonly Place[]): Promise<readonly (Place & { offset: number })[]> {
    return places.map((place) => ({ ...place, offset: this.topics.get(place.topic)?.length ?? 0 }));
  }

  async committed(places: readonly Place[]): Promise<readonly (Place & { offset: number })[]> {
    const { committedTo } = this;
    return committedTo === undefined ? [] : places.map((place) => ({ ...place, offset: committedTo }));
  }

  async last({ topic }: Place): Promise<InRecord | null> {
    return this.#records(topic).at(-1) ?? null;
  }

  async close(): Promise<void> {}
}

async function shipped(): Promise<{ log: Log; rows: number }> {
  const { batches } = await batchesOf(CAPTURES[0]);
  const log = new Log();
  log.topics.set(TOPIC, written(batches));
  return { log, rows: batches.reduce((sum, { count }) => sum + count, 0) };
}

/** Reads all of a log into a store; what was said meanwhile. */
async function read(bus: Log, store: Store): Promise<{ reader: BusReader; said: string[] }> {
  const said: string[] = [];
  const say = (_: object, message: string) => void said.push(message);
  const reader = new BusReader({
    consumer: bus,
    producer: bus,
    stateTopic: STATE,
    store,
    checkpointMs: 60_000,
    judging: null,
    log: { trace: say, debug: say, info: say, warn: say, error: say } as never,
    look: () => {},
    marks: new MarkNames(),
  });
  await reader.run(new AbortController().signal);
  return { reader, said };
}

test('what was noted of a partition is gone on with; what is damaged, or of another topic, is not', async () => {
  const { log, rows } = await shipped();
  const store = await openStore({ path: null });
  try {
    assert.equal((await read(log, store)).reader.counts.rows, rows);
    assert.equal(log.committedTo, log.topics.get(TOPIC)?.length);
    assert.equal((await read(log, store)).reader.counts.records, 0);

    log.committedTo = undefined;
    log.topics.set(STATE, [new Uint8Array(100)]);
    const damaged = await read(log, store);
    assert.equal(damaged.reader.counts.rows, rows);
    assert.ok(damaged.said.some((line) => line.includes('is damaged')));

    const other = new BusPartition(null);
    other.next = 1_000_000;
    log.committedTo = undefined;
    log.topics.set(STATE, [other.save()]);
    const anew = await read(log, store);
    assert.equal(anew.reader.counts.rows, rows);
    assert.ok(anew.said.some((line) => line.includes('does not fit its records')));
  } finally {
    await store.close();
  }
});

test('rows that a store gave up, for whatever reason of its own, are not noted as done', async () => {
  const { log } = await shipped();
  const store = await openStore({ path: null });
  const withStatus = (dropped: StoreStatus['dropped']) =>
    new Proxy(store, {
      get(target, key) {
        if (key === 'status') return async () => ({ ...(await store.status()), dropped });
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  try {
    for (const cause of ['store_disk', 'store_error', 'store_refused']) {
      await assert.rejects(read(log, withStatus({ [cause]: 3 })), /the store gave up 3 transactions/, cause);
      assert.equal(log.committedTo, undefined);
    }
    await read(log, withStatus({ retention: 3 }));
    assert.notEqual(log.committedTo, undefined);
  } finally {
    await store.close();
  }
});
