import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type OrderedRows, RowMerge } from '../../src/pipeline/merge.ts';

/** Seconds, nanoseconds and number of a row's closing. */
type Row = [number, number, number];
const compare = (a: Row, b: Row) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

function batchOf(rows: readonly Row[]): OrderedRows {
  return {
    count: rows.length,
    col: {
      closeSeconds: Float64Array.from(rows, ([seconds]) => seconds),
      closeNanos: Uint32Array.from(rows, ([, nanos]) => nanos),
      closeNumber: Float64Array.from(rows, ([, , number]) => number),
    },
  };
}

test('rows of any number of lanes, in any pieces and any order of arrival, come out sorted and whole', () => {
  // Few times, so that many rows close at once and only the number tells them apart.
  const time = fc.tuple(fc.nat(3), fc.nat(2));
  const row = fc.record({ time, lane: fc.nat(3), cut: fc.boolean(), turn: fc.nat(3), clock: fc.boolean() });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (list) => {
      const rows = list.map(({ time: [seconds, nanos] }, i): Row => [seconds, nanos, i]);
      const order = rows.map((_, i) => i).sort((a, b) => compare(rows[a], rows[b]));
      const out: Row[] = [];
      const merge = new RowMerge<OrderedRows>(4, ({ col }, from, to) => {
        for (let i = from; i < to; i++) out.push([col.closeSeconds[i], col.closeNanos[i], col.closeNumber[i]]);
      });
      // Each lane's rows in order, in batches; the lanes take turns as the case says.
      const lanes = [0, 1, 2, 3].map((lane) => {
        const batches: Row[][] = [[]];
        for (const i of order) {
          if (list[i].lane !== lane) continue;
          batches.at(-1)?.push(rows[i]);
          if (list[i].cut) batches.push([]);
        }
        return batches;
      });
      const turns = [...list.map(({ turn }) => turn), 0, 1, 2, 3];
      while (lanes.some((batches) => batches.length > 0)) {
        for (const lane of turns) {
          const batch = lanes[lane].shift();
          if (batch === undefined) continue;
          // An empty batch still says how far its lane has come: to its next row.
          const next = lanes[lane].flat().at(0);
          const said = list.at(lane)?.clock === true && next !== undefined;
          merge.push(lane, batchOf(batch), said ? next[0] : Number.NEGATIVE_INFINITY, said ? next[1] : 0);
          assert.deepEqual(out, [...out].sort(compare), 'never out of order, whatever has come so far');
        }
      }
      for (const lane of [2, 0, 3, 1]) merge.end(lane);
      assert.deepEqual(
        out,
        order.map((i) => rows[i]),
      );
    }),
    { numRuns: 500 },
  );
});
