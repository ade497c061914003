import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MapSpill } from '../../src/cli/map-spill.ts';
import { registrableStart } from '../../src/enrich/public-suffix.ts';
import { MAP_COLUMNS, type MapRow } from '../../src/report/address-map.ts';
import { mapText } from '../../src/report/map-text.ts';
import { Report } from '../../src/report/report.ts';
import { a, batchesOf, cname, type Row } from './rows.ts';

function* rows(n: number): Generator<Row> {
  for (let i = 0; i < n; i++) {
    const d = (i * 7919) % 700;
    yield {
      at: 1_700_000_000 + i,
      name: `n${d}.example.com`,
      answers: [cname(`c${d}.net`), a(`192.0.2.${d % 250}`, 60 + (i % 50), `c${d}.net`)],
    };
  }
}

function fill(report: Report): Report {
  for (const batch of batchesOf(rows(5000))) report.add(batch);
  return report;
}

test('a map that spills to disk is exact: the same rows as one with room for all', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-'));
  try {
    const whole = [...fill(new Report({}, registrableStart)).map.rows()];
    const spill = new MapSpill(join(folder, 'map.ndjson'));
    const small = new Report({ mapPairs: 100 }, registrableStart);
    small.map.onEvict = (pairs) => spill.write(pairs);
    fill(small);
    assert.ok(small.map.evicted > 1000);
    spill.write(small.map.pairs());
    assert.equal(await spill.merge(), 700);
    const lines = readFileSync(join(folder, 'map.ndjson'), 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      whole,
    );
    assert.deepEqual(readdirSync(folder), ['map.ndjson'], 'the runs are gone');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const row: MapRow = {
  name: 'a\\044b"c.example',
  cnames: ['x.net', 'y.net'],
  type: 'A',
  data: '192.0.2.1',
  ttl_min: 1,
  ttl_max: 2,
  first_seen: '2026-01-01T00:00:00.000000000Z',
  last_seen: '2026-01-02T00:00:00.000000000Z',
  count: 3,
  authoritative: true,
};

test('the four forms of the map, and the count of what was given up', () => {
  const size = { pairs: 1, capacity: 1, evicted: 5, exact: false };
  const text = (format: 'text' | 'csv' | 'ndjson' | 'json') => [...mapText([row], size, format)].join('');
  const cells = [row.name, 'x.net y.net', 'A', '192.0.2.1', '1', '2', row.first_seen, row.last_seen, '3', 'true'];
  assert.equal(
    text('text'),
    `${MAP_COLUMNS.join('\t')}\n${cells.join('\t')}\n# 5 pairs were given up: more than 1 came\n`,
  );
  assert.equal(text('csv').split('\n')[1], [`"a\\044b""c.example"`, ...cells.slice(1)].join(','));
  const hostile = [...mapText([{ ...row, name: '=cmd.example' }], size, 'csv')].join('');
  assert.match(hostile, /\n'=cmd\.example,/, 'a name from the wire is no formula');
  assert.deepEqual(
    text('ndjson')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [row, { evicted: 5, capacity: 1 }],
  );
  assert.deepEqual(JSON.parse(text('json')), { ...size, rows: [row] });
  assert.deepEqual(JSON.parse([...mapText([], size, 'json')].join('')), { ...size, rows: [] });
});
