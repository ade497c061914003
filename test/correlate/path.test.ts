import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ledger } from '../../src/core/ledger.ts';
import { idText, LEGS, TransactionBatch } from '../../src/core/transactions.ts';
import { Matcher } from '../../src/correlate/matcher.ts';
import { PathLinker } from '../../src/correlate/path.ts';
import { MessageJoin } from '../../src/core/join.ts';
import { PathView, type ResolutionPath } from '../../src/report/paths.ts';
import { MessageView } from '../../src/wire/message.ts';
import { nameText } from '../../src/wire/name.ts';
import { carrierOf } from '../sinks/rows.ts';
import { answer, asks, pass, query, type Step } from './run.ts';

const CLIENT = [192, 0, 2, 10];
const OTHER = [192, 0, 2, 11];
const RESOLVER = [192, 0, 2, 53];
const ROOT = [198, 41, 0, 4];
const TLD = [192, 5, 6, 30];
const AUTHORITY = [203, 0, 113, 1];

interface Linked {
  name: string;
  server: string;
  leg: string;
  id: string;
  parent: string;
}

/** The rows of some messages behind the linker. */
function link(steps: readonly Step[], options = {}): { rows: Linked[]; linker: PathLinker; paths: ResolutionPath[] } {
  const rows: Linked[] = [];
  const paths: ResolutionPath[] = [];
  const pathView = new PathView((path) => paths.push(path));
  const view = new MessageView();
  const linker = new PathLinker((batch, from, to) => {
    const c = batch.col;
    pathView.add(batch, from, to);
    for (let i = from; i < to; i++) {
      view.read(batch.arena, c.queryAt[i], c.queryLength[i]);
      rows.push({
        name: nameText(view.bytes, view.questionName[0], view.start),
        server: [24, 16, 8, 0].map((shift) => (c.server3[i] >>> shift) & 255).join('.'),
        leg: LEGS[c.leg[i]],
        id: idText(c.idHigh[i], c.idLow[i]),
        parent: idText(c.parentHigh[i], c.parentLow[i]),
      });
    }
  }, options);
  const matcher = new Matcher(new Ledger(), (batch: TransactionBatch) => linker.add(batch));
  const join = new MessageJoin();
  [...steps]
    .sort((a, b) => a.at - b.at)
    .forEach((step, i) => {
      const carrier = carrierOf(step, i + 1);
      matcher.advance(carrier.seconds, carrier.nanos);
      if (step.pass) return matcher.flush();
      const message = new MessageView();
      message.read(carrier.bytes, 0, carrier.length);
      matcher.add(carrier, message, join, null);
    });
  matcher.finish();
  linker.end();
  return { rows, linker, paths };
}

let port = 20_000;
/** One upstream exchange of the resolver. */
function hop(at: number, server: readonly number[], name: string, type = 'A', referral = ''): Step[] {
  const ends = { client: RESOLVER, server, clientPort: port++ };
  const message = { id: port & 0xfff, questions: [asks(name, type)] };
  const authority =
    referral === '' ? [] : [{ name: referral, type: 'NS', class: 'IN', ttl: 60, data: `ns.${referral}` }];
  const reply = {
    ...message,
    flags: referral === '' ? ['qr', 'aa'] : ['qr'],
    authority,
    ...(referral === '' ? {} : { answers: [] }),
  };
  return [query(at, { ...ends, message: { ...message, flags: [] } }), answer(at + 0.01, { ...ends, message: reply })];
}

/** A client's exchange with the resolver. */
function lookup(from: number, to: number, name: string, client = CLIENT): Step[] {
  const ends = { client, server: RESOLVER, clientPort: port++ };
  const message = { id: port & 0xfff, questions: [asks(name)] };
  return [query(from, { ...ends, message }), answer(to, { ...ends, message })];
}

const whole = (name: string, from: number): Step[] => [
  ...lookup(from, from + 0.1, name),
  ...hop(from + 0.01, ROOT, name, 'A', 'example'),
  ...hop(from + 0.03, TLD, name, 'A', 'shop.example'),
  ...hop(from + 0.05, AUTHORITY, name),
];

describe('resolution paths', () => {
  test('root, TLD and authority belong to the client that asked, also the first time', () => {
    const { rows, linker } = link(whole('www.shop.example', 1));
    const client = rows.find((row) => row.leg === 'client');
    assert.ok(client !== undefined);
    assert.deepEqual(
      rows.map((row) => [row.server, row.leg, row.parent === client.id]),
      [
        ['198.41.0.4', 'upstream', true],
        ['192.5.6.30', 'upstream', true],
        ['203.0.113.1', 'upstream', true],
        ['192.0.2.53', 'client', false],
      ],
    );
    assert.deepEqual([linker.linked, linker.unlinked], [3, 0]);
  });
  test('the path tells server, zone, kind and time of every hop', () => {
    const { paths } = link(whole('www.shop.example', 1));
    assert.equal(paths.length, 1);
    assert.deepEqual([paths[0].client, paths[0].server], ['192.0.2.10', '192.0.2.53']);
    assert.deepEqual(
      paths[0].hops.map(({ server, zone, kind, latencyMs }) => [server, zone, kind, latencyMs]),
      [
        ['198.41.0.4', 'example', 'referral', 10],
        ['192.5.6.30', 'shop.example', 'referral', 10],
        ['203.0.113.1', undefined, 'data', 10],
      ],
    );
  });
  test('QNAME minimisation: questions for the names above', () => {
    const { rows } = link([
      ...lookup(1, 1.1, 'www.shop.example'),
      ...hop(1.01, ROOT, 'EXAMPLE', 'NS', 'example'),
      ...hop(1.03, TLD, 'shop.example', 'NS', 'shop.example'),
      ...hop(1.05, AUTHORITY, 'www.shop.example'),
    ]);
    assert.equal(new Set(rows.slice(0, 3).map((row) => row.parent)).size, 1);
    assert.notEqual(rows[0].parent, '');
  });
  test('names of the CNAME chain, and addresses of name servers when only one client waits', () => {
    const chain = [
      { name: 'www.shop.example', type: 'CNAME', class: 'IN', ttl: 60, data: 'edge.cdn.test' },
      { name: 'edge.cdn.test', type: 'A', class: 'IN', ttl: 60, data: '192.0.2.80' },
    ];
    const [asked] = lookup(1, 1.2, 'www.shop.example');
    const ends = { client: CLIENT, server: RESOLVER, clientPort: asked.clientPort };
    const message = {
      id: (asked.bytes[0] << 8) | asked.bytes[1],
      questions: [asks('www.shop.example')],
      answers: chain,
    };
    const { rows } = link([
      asked,
      answer(1.2, { ...ends, message }),
      ...hop(1.01, AUTHORITY, 'edge.cdn.test'),
      ...hop(1.05, TLD, 'ns.other.test'),
    ]);
    assert.deepEqual(
      rows.map((row) => [row.name, row.parent !== '']),
      [
        ['edge.cdn.test', true],
        ['ns.other.test', true],
        ['www.shop.example', false],
      ],
    );
  });
  test('with several clients waiting, only related names are linked, to the client who asked first', () => {
    const { rows, linker } = link([
      ...lookup(1, 1.1, 'a.example'),
      ...lookup(1.001, 1.11, 'b.example', OTHER),
      ...lookup(1.002, 1.09, 'a.example', OTHER),
      ...hop(1.01, AUTHORITY, 'a.example'),
      ...hop(1.02, AUTHORITY, 'b.example'),
      ...hop(1.03, TLD, 'ns.other.test'),
    ]);
    const parent = (name: string) => rows.find((row) => row.name === name && row.leg === 'upstream')?.parent;
    const client = (name: string) => rows.filter((row) => row.name === name && row.leg === 'client');
    assert.equal(parent('b.example'), client('b.example')[0].id);
    assert.equal(parent('ns.other.test'), '');
    // Of the two that asked for a.example, the one at 1.000 closed last.
    assert.equal(parent('a.example'), client('a.example').at(-1)?.id);
    assert.equal(linker.unlinked, 1);
  });
  test('a second lookup from the cache has no hops, but is a client leg', () => {
    const { rows } = link([...whole('www.shop.example', 1), ...lookup(20, 20.001, 'www.shop.example')]);
    assert.deepEqual([rows.at(-1)?.leg, rows.filter((row) => row.parent !== '').length], ['client', 3]);
  });
  test('order stays, and nothing waits for ever', () => {
    const steps = [...hop(1, ROOT, 'x.example'), ...lookup(2, 2.1, 'y.example'), ...whole('z.example', 3), pass(30)];
    const { rows } = link(steps);
    assert.deepEqual(
      rows.map((row) => row.name),
      ['x.example', 'y.example', 'z.example', 'z.example', 'z.example', 'z.example'],
    );
    assert.equal(rows[0].parent, '');
  });
  test('traffic of clients alone passes at once and untouched', () => {
    let batches = 0;
    const linker = new PathLinker((batch, from, to) => {
      batches += to - from;
      assert.ok(batch.col.leg.every((leg) => leg === 0));
    });
    const matcher = new Matcher(new Ledger(), (batch) => linker.add(batch));
    const join = new MessageJoin();
    lookup(1, 1.1, 'a.example').forEach((step, i) => {
      const carrier = carrierOf(step, i + 1);
      matcher.advance(carrier.seconds, carrier.nanos);
      const message = new MessageView();
      message.read(carrier.bytes, 0, carrier.length);
      matcher.add(carrier, message, join, null);
    });
    matcher.flush();
    assert.equal(batches, 1);
  });
  test('a full waiting room lets the oldest go, in order, and counts it', () => {
    const steps = Array.from({ length: 50 }, (_, i) => hop(1 + i / 100, ROOT, `n${i}.example`)).flat();
    const { rows, linker } = link(steps, { limit: 8 });
    assert.deepEqual(
      rows.map((row) => row.name),
      Array.from({ length: 50 }, (_, i) => `n${i}.example`),
    );
    assert.equal(linker.unlinked, 50);
  });
});

test('rows with long messages wait in few batches: beyond them the oldest go on', () => {
  let out = 0;
  const linker = new PathLinker((_, from, to) => {
    out += to - from;
  });
  const batch = TransactionBatch.create(8, 1 << 16);
  batch.count = 1;
  batch.col.family[0] = 4;
  batch.col.client3[0] = 1;
  batch.col.queryLength[0] = 60_000;
  const rows = 2000;
  for (let i = 0; i < rows; i++) linker.add(batch);
  // 2 MiB a batch.
  assert.ok(rows - out <= (16 * 2 ** 21) / 60_000, `${rows - out} rows wait`);
  linker.end();
  assert.equal(out, rows);
});
