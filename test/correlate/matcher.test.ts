import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LLMNR, MDNS, NBNS, TCP } from '../../src/core/carrier.ts';
import { OUTCOME } from '../../src/core/ledger.ts';
import type { Sent } from '../sinks/rows.ts';
import { answer, asks, pass, query, type Row, run } from './run.ts';

const soa = (serial: number) => `ns.example host.example ${serial} 1 2 3 4`;
const record = (name: string, type: string, data: string) => ({ name, type, class: 'IN', ttl: 60, data });
const only = (rows: Row[]): Row => {
  assert.equal(rows.length, 1);
  return rows[0];
};
const outcomes = (rows: Row[]): string[] => rows.map((row) => row.outcome);

describe('pairing', () => {
  test('a query and its response are one row with both times', () => {
    const { rows, joins } = run([query(1), answer(1.25)]);
    const row = only(rows);
    assert.equal(row.outcome, 'answered');
    assert.equal(row.kind, 'data');
    assert.equal(row.latencyNanos, 250e6);
    assert.deepEqual(row.frames, { query: [1], response: [2] });
    assert.deepEqual([joins[1].responseTo, joins[1].latencyNanos], [1, 250e6]);
  });
  test('a TCP connection is set up once, for its first query', () => {
    const second = { message: { id: 8 }, transport: TCP };
    const { rows } = run([
      query(1, { transport: TCP, setupNanos: 0, setupIsNew: true }),
      query(1.1, { ...second, setupNanos: 0 }),
      answer(1.2, { transport: TCP }),
      answer(1.3, second),
    ]);
    assert.deepEqual(
      rows.map((row) => row.setupNanos),
      [0, Number.NaN],
    );
  });
  test('nothing in a truncated answer is not NODATA', () => {
    const empty = (flags: string[]) => answer(1.1, { message: { flags, answers: [] } });
    const kind = (flags: string[]) => only(run([query(1), empty(flags)]).rows).kind;
    assert.deepEqual([kind(['qr', 'tc']), kind(['qr'])], [undefined, 'nodata']);
  });
  test('the case of the name does not matter (0x20)', () => {
    const response = answer(1.1, { message: { questions: [asks('www.example')] } });
    assert.deepEqual(outcomes(run([query(1, { message: { questions: [asks('wWw.ExAmPlE')] } }), response]).rows), [
      'answered',
    ]);
  });
  test('another question with the same ends and id is another transaction', () => {
    const steps = [
      query(1),
      query(1.1, { message: { questions: [asks('other.example')] } }),
      answer(1.2, { message: { questions: [asks('other.example')] } }),
      answer(1.3),
    ];
    const { rows } = run(steps);
    assert.deepEqual(
      rows.map((row) => row.frames),
      [
        { query: [2], response: [3] },
        { query: [1], response: [4] },
      ],
    );
  });
  test('another type, class, id, port, address or transport does not match', () => {
    const others: Partial<Parameters<typeof answer>[1]>[] = [
      { message: { questions: [asks('www.example', 'AAAA')] } },
      { message: { questions: [{ name: 'www.example', type: 'A', class: 'CH' }] } },
      { message: { id: 8 } },
      { clientPort: 40001 },
      { serverPort: 5353 },
      { client: [192, 0, 2, 11] },
      { server: [198, 51, 100, 54] },
      { transport: TCP },
    ];
    for (const other of others) {
      assert.deepEqual(outcomes(run([query(1), answer(1.01, other), pass(9)]).rows), ['orphan', 'unanswered']);
    }
  });
  test('a response without a question matches by ends and id, the oldest where several do', () => {
    const steps = [
      query(1),
      query(1.1, { message: { questions: [asks('other.example')] } }),
      answer(1.2, { message: { questions: [], rcode: 'FORMERR' } }),
      pass(9),
    ];
    const { rows } = run(steps);
    assert.deepEqual(
      rows.map((row) => [row.outcome, row.frames]),
      [
        ['answered', { query: [1], response: [3] }],
        ['unanswered', { query: [2], response: [] }],
      ],
    );
  });
  test('a query cut within its question still gets its response', () => {
    const whole = query(1);
    const cut: Sent = { at: 1, bytes: whole.bytes.slice(0, 18), claimed: whole.bytes.length };
    assert.deepEqual(outcomes(run([cut, answer(1.1)]).rows), ['answered']);
  });
  test('a message without a header joins nothing and is counted', () => {
    const { rows, ledger } = run([{ at: 1, bytes: new Uint8Array(11) }]);
    assert.equal(rows.length, 0);
    assert.equal(ledger.messages[OUTCOME.unjoinable], 1);
  });
  test('the id may be used again after the answer', () => {
    const { rows } = run([query(1), answer(1.1), query(2), answer(2.1)]);
    assert.deepEqual(outcomes(rows), ['answered', 'answered']);
    assert.notEqual(rows[0].transaction, rows[1].transaction);
  });
});

describe('copies', () => {
  test('retransmissions belong to one row; latency from the first and the last', () => {
    const { rows, joins } = run([query(0), query(1), query(3), answer(3.1)]);
    const row = only(rows);
    assert.deepEqual([row.queries, row.duplicates], [3, 0]);
    assert.deepEqual([row.latencyNanos, row.latencyLastNanos], [3.1e9, 0.1e9]);
    assert.deepEqual(row.frames, { query: [1, 2, 3], response: [4] });
    assert.deepEqual([joins[2].retransmission, joins[2].retransmitRequestIn], [true, 1]);
  });
  test('the same datagram within 20 ms is a mirror copy, after that a retransmission', () => {
    const { rows, ledger } = run([query(1), query(1.02), answer(1.03)]);
    assert.deepEqual([only(rows).queries, only(rows).duplicates], [1, 1]);
    assert.equal(ledger.messages[OUTCOME.duplicate], 1);
    assert.deepEqual([only(run([query(1), query(1.0201), answer(1.03)]).rows).queries], [2]);
  });
  test('within 20 ms, another IPv4 identification is a retransmission, or a new transaction when the answer is there', () => {
    const first = query(1, { ipId: 1 });
    const again = query(1.002, { ipId: 2 });
    assert.deepEqual(only(run([first, again, query(1.003, { ipId: 2 }), answer(1.03)]).rows).queries, 2);
    assert.deepEqual(outcomes(run([first, answer(1.001), again, answer(1.003)]).rows), ['answered', 'answered']);
    assert.deepEqual(outcomes(run([first, answer(1.001), query(1.002, { ipId: 1 })]).rows), ['answered']);
  });
  test('within 20 ms, other bytes are a retransmission', () => {
    const other = query(1.01, { message: { edns: { udp_size: 1232 } } });
    assert.deepEqual(only(run([query(1), other, answer(1.03)]).rows).queries, 2);
  });
  test('a mirrored pair after the answer gives no second row', () => {
    const { rows, ledger, joins } = run([query(1), answer(1.001), query(1.002), answer(1.003)]);
    assert.deepEqual(outcomes(rows), ['answered']);
    assert.equal(ledger.messages[OUTCOME.duplicate], 2);
    assert.equal(joins[2].retransmitRequestIn, 1);
    assert.equal(joins[3].retransmitResponseIn, 2);
  });
  test('asked again otherwise within 20 ms of the answer is a new transaction', () => {
    const again = query(1.002, { message: { edns: { udp_size: 1232 } } });
    assert.deepEqual(outcomes(run([query(1), answer(1.001), again, answer(1.003)]).rows), ['answered', 'answered']);
  });
  test('a second answer later is a row of its own, marked', () => {
    const { rows, ledger } = run([query(1), query(2), answer(2.1), answer(2.5)]);
    assert.deepEqual(
      rows.map((row) => [row.outcome, row.responses, row.duplicates]),
      [
        ['answered', 1, 0],
        ['orphan', 1, 1],
      ],
    );
    assert.equal(ledger.messages[OUTCOME.duplicate], 1);
  });
  test('a thousand copies are counted exactly, 64 frames are kept', () => {
    const copies = Array.from({ length: 1000 }, (_, i) => query(1 + i / 10));
    const row = only(run([...copies, answer(101)]).rows);
    assert.equal(row.queries, 1000);
    assert.equal(row.frames.query.length, 64);
  });
});

describe('time', () => {
  test('unanswered 5 s after the last copy; the row closes at that time', () => {
    const { rows } = run([query(1), query(4), pass(20)]);
    assert.equal(only(rows).outcome, 'unanswered');
    assert.deepEqual(only(rows).close.slice(0, 2), [9, 0]);
    assert.deepEqual(outcomes(run([query(1), pass(5.999_999_999)]).rows), ['capture_ended']);
    assert.deepEqual(outcomes(run([query(1), pass(6)]).rows), ['unanswered']);
  });
  test('late up to 30 s after the last copy, then an orphan', () => {
    const late = run([query(1), answer(31)]);
    assert.deepEqual(
      late.rows.map((row) => [row.outcome, row.late]),
      [
        ['unanswered', 0],
        ['orphan', 1],
      ],
    );
    assert.equal(late.ledger.messages[OUTCOME.late], 1);
    assert.equal(late.joins[1].responseTo, 1);
    const orphan = run([query(1), answer(31.000_001)]);
    assert.deepEqual([orphan.rows[1].outcome, orphan.rows[1].late], ['orphan', 0]);
    assert.equal(orphan.ledger.messages[OUTCOME.orphan], 1);
  });
  test('a response may come 1 ms before its query', () => {
    const { rows, ledger } = run([answer(1), query(1.001)]);
    assert.deepEqual([only(rows).outcome, only(rows).latencyNanos], ['answered', -1e6]);
    assert.equal(ledger.messages[OUTCOME.joined], 2);
    assert.deepEqual(outcomes(run([answer(1), query(1.0011), pass(9)]).rows), ['orphan', 'unanswered']);
  });
  test('the spans are options', () => {
    const options = { timeoutNanos: 1e9, lateNanos: 2e9, skewNanos: 1e7, mirrorNanos: 0 };
    const { rows } = run([query(1), query(1.01), pass(3), answer(3.01), answer(5), query(5.01)], options);
    assert.deepEqual(outcomes(rows), ['unanswered', 'orphan', 'answered']);
    assert.deepEqual([rows[0].queries, rows[0].close[0], rows[1].late], [2, 2, 1]);
  });
  test('messages out of order in the file still match', () => {
    const row = only(run([query(5), answer(4.9), pass(7)]).rows);
    assert.equal(row.latencyNanos, -0.1e9);
  });
  test('the clock set back by hours ends what is open and goes on', () => {
    const { rows } = run([query(10_000), query(100, { message: { id: 9 } }), answer(100.5, { message: { id: 9 } })]);
    assert.deepEqual(outcomes(rows), ['unanswered', 'answered']);
    assert.ok(rows[0].close[0] < rows[1].close[0], 'rows stay in order');
    assert.equal(rows[1].latencyNanos, 500e6);
  });
  test('a step back of less than an hour does not move the clock', () => {
    assert.deepEqual(outcomes(run([query(3600), answer(1)]).rows), ['answered']);
  });
  test('absurd times neither hang nor lose a message', () => {
    const steps = Array.from({ length: 200 }, (_, i) => query(i % 2 === 0 ? 1 : 2 ** 40, { message: { id: i } }));
    assert.equal(run(steps).rows.length, 200);
  });
});

describe('fates of a query', () => {
  test('capture ended is told from unanswered', () => {
    assert.deepEqual(outcomes(run([query(1), query(7, { message: { id: 9 } })]).rows), ['unanswered', 'capture_ended']);
  });
  test('an ICMP error makes it unreachable, also one that quotes only the header', () => {
    for (const length of [query(1).bytes.length, 12]) {
      const quoted = { ...query(1.01), bytes: query(1).bytes.slice(0, length), quoted: true as const };
      const { rows, ledger } = run([query(1), quoted]);
      assert.deepEqual(outcomes(rows), ['unreachable']);
      assert.equal(ledger.decoded, 1);
    }
  });
  test('an ICMP error about something else changes nothing', () => {
    const quoted = { ...query(1.01, { clientPort: 1 }), quoted: true as const };
    assert.deepEqual(outcomes(run([query(1), quoted, answer(1.02)]).rows), ['answered']);
  });
  test('a full table evicts what is nearest to its time-out, and counts it', () => {
    const steps = Array.from({ length: 10 }, (_, i) => query(1 + i / 10, { message: { id: i } }));
    const { rows, ledger } = run([...steps, answer(2, { message: { id: 9 } })], { limit: 8 });
    assert.deepEqual(
      rows.slice(0, 3).map((row) => [row.outcome, row.id]),
      [
        ['evicted', 0],
        ['evicted', 1],
        ['answered', 9],
      ],
    );
    assert.equal(ledger.messages[OUTCOME.evicted], 2);
    assert.equal(rows.length, 10);
  });
  test('long queries are bounded by their bytes', () => {
    const long = (i: number) =>
      query(1, {
        transport: TCP,
        message: { id: i, edns: { options: [{ code: 65001, name: '', data: `\\# 200 ${'ab'.repeat(200)}` }] } },
      });
    const { ledger } = run(
      Array.from({ length: 100 }, (_, i) => long(i)),
      { keptBytes: 1000 },
    );
    assert.ok(ledger.messages[OUTCOME.evicted] >= 90);
  });
  test('one client with one id for all its questions cannot make look-ups long', () => {
    const steps = Array.from({ length: 3000 }, (_, i) => query(1, { message: { questions: [asks(`n${i}.example`)] } }));
    const { rows, ledger } = run(steps);
    assert.equal(rows.length, 3000);
    assert.equal(ledger.messages[OUTCOME.evicted], 3000 - 32);
    assert.deepEqual([rows[0].outcome, rows[0].frames.query], ['evicted', [1]]);
  });
  test('every copy of a query is told its fate once', () => {
    const { closed } = run([query(1), query(2), answer(2.1), query(10, { message: { id: 9 } }), pass(20)]);
    assert.deepEqual(closed, [
      [1, 1, 3],
      [2, 1, 3],
      [4, 1, 0],
    ]);
  });
});

describe('truncated answers', () => {
  const truncated = (at: number) => answer(at, { message: { flags: ['qr', 'tc', 'rd'], answers: [] } });
  const tcp = { transport: TCP, clientPort: 50_000, message: { id: 99 } };
  test('the TCP retry is a row of its own that the UDP row names', () => {
    const { rows } = run([query(1), truncated(1.1), query(1.2, tcp), answer(1.3, tcp)]);
    assert.deepEqual(outcomes(rows), ['answered', 'answered']);
    assert.equal(rows[0].retry, rows[1].transaction);
    assert.equal(rows[1].retry, '');
    assert.equal(rows[0].responses, 1);
  });
  test('not followed: answered without a retry, closed when its time is over', () => {
    const { rows } = run([query(1), truncated(1.1), pass(10)]);
    assert.deepEqual([only(rows).outcome, only(rows).retry], ['answered', '']);
    assert.deepEqual(only(rows).close.slice(0, 2), [6, 100e6]);
  });
  test('a TCP query for another name, or of another client, follows nothing', () => {
    for (const other of [
      { ...tcp, message: { id: 99, questions: [asks('other.example')] } },
      { ...tcp, client: [192, 0, 2, 11] },
    ]) {
      const { rows } = run([query(1), truncated(1.1), query(1.2, other), answer(1.3, other), pass(10)]);
      assert.deepEqual(
        rows.map((row) => row.retry),
        ['', ''],
      );
    }
  });
  test('only the newest 32 of a name and type are looked at, however many wait', () => {
    const chaos = { questions: [{ name: 'www.example', type: 'A', class: 'CH' }] };
    const others = Array.from({ length: 32 }, (_, i) => i + 100).flatMap((id) => [
      query(1.2, { message: { id, ...chaos } }),
      answer(1.3, { message: { id, ...chaos, flags: ['qr', 'tc', 'rd'], answers: [] } }),
    ]);
    const retries = (count: number) =>
      run([query(1), truncated(1.1), ...others.slice(0, 2 * count), query(1.4, tcp), answer(1.5, tcp)]).rows.filter(
        (row) => row.retry !== '',
      ).length;
    assert.equal(retries(31), 1);
    assert.equal(retries(32), 0);
  });
  test('two truncated answers to one question: each retry follows one', () => {
    const second = { message: { id: 8 } };
    const truncated8 = answer(1.1, { message: { id: 8, flags: ['qr', 'tc', 'rd'], answers: [] } });
    const tcp2 = { ...tcp, clientPort: 50_001 };
    const { rows } = run([
      query(1),
      query(1, second),
      truncated(1.1),
      truncated8,
      query(1.2, tcp),
      query(1.3, tcp2),
      answer(1.4, tcp),
      answer(1.5, tcp2),
    ]);
    assert.equal(new Set(rows.slice(0, 2).map((row) => row.retry)).size, 2);
    assert.deepEqual(
      new Set(rows.slice(0, 2).map((row) => row.retry)),
      new Set(rows.slice(2).map((row) => row.transaction)),
    );
  });
});

describe('zone transfers', () => {
  const tcp = { transport: TCP };
  const part = (at: number, type: string, answers: ReturnType<typeof record>[], questions = [asks('example', type)]) =>
    answer(at, { ...tcp, message: { questions, answers } });
  test('AXFR is one row of many messages', () => {
    const { rows, ledger } = run([
      query(1, { ...tcp, message: { questions: [asks('example', 'AXFR')] } }),
      part(1.1, 'AXFR', [record('example', 'SOA', soa(5)), record('a.example', 'A', '192.0.2.1')]),
      part(1.2, 'AXFR', [record('b.example', 'A', '192.0.2.2')], []),
      part(1.3, 'AXFR', [record('c.example', 'A', '192.0.2.3'), record('example', 'SOA', soa(5))], []),
    ]);
    const row = only(rows);
    assert.deepEqual([row.outcome, row.responses, row.latencyNanos], ['answered', 3, 100e6]);
    assert.deepEqual(row.frames, { query: [1], response: [2, 3, 4] });
    assert.equal(ledger.messages[OUTCOME.joined], 4);
  });
  test('IXFR ends with the third SOA of the new serial, a lone SOA, or like AXFR', () => {
    const ask = query(1, { ...tcp, message: { questions: [asks('example', 'IXFR')] } });
    const steps = [
      record('example', 'SOA', soa(3)),
      record('example', 'SOA', soa(2)),
      record('a.example', 'A', '192.0.2.1'),
    ];
    const difference = run([
      ask,
      part(1.1, 'IXFR', steps),
      part(1.2, 'IXFR', [record('example', 'SOA', soa(3)), record('b.example', 'A', '192.0.2.2')]),
      part(1.3, 'IXFR', [record('example', 'SOA', soa(3))]),
      part(1.4, 'IXFR', []),
    ]);
    assert.deepEqual([difference.rows[0].responses, difference.rows[1].outcome], [3, 'orphan']);
    assert.equal(only(run([ask, part(1.1, 'IXFR', [record('example', 'SOA', soa(3))])]).rows).responses, 1);
    const whole = [
      record('example', 'SOA', soa(3)),
      record('a.example', 'A', '192.0.2.1'),
      record('example', 'SOA', soa(3)),
    ];
    assert.equal(only(run([ask, part(1.1, 'IXFR', whole)]).rows).responses, 1);
  });
  test('a refused transfer ends with its one message', () => {
    const ask = query(1, { ...tcp, message: { questions: [asks('example', 'AXFR')] } });
    const refused = answer(1.1, {
      ...tcp,
      message: { rcode: 'REFUSED', questions: [asks('example', 'AXFR')], answers: [] },
    });
    assert.deepEqual([only(run([ask, refused]).rows).responses, only(run([ask, refused]).rows).rcode], [1, 5]);
  });
});

describe('multicast and broadcast', () => {
  test('mDNS: the first answer to the question pairs, whoever sends it', () => {
    const group = { protocol: MDNS, server: [224, 0, 0, 251], serverPort: 5353, clientPort: 5353 };
    const message = { id: 0, flags: [], questions: [asks('_http._tcp.local', 'PTR')] };
    const answers = [record('_HTTP._tcp.local', 'PTR', 'web._http._tcp.local')];
    const reply = { id: 0, flags: ['qr', 'aa'], questions: [], answers };
    const responder = answer(1.05, { ...group, server: [192, 0, 2, 99], client: [224, 0, 0, 251], message: reply });
    const { rows } = run([query(1, { ...group, message }), responder]);
    assert.deepEqual([only(rows).outcome, only(rows).latencyNanos], ['answered', 50e6]);
  });
  test('mDNS: an announcement is an orphan', () => {
    const reply = { id: 0, flags: ['qr', 'aa'], questions: [], answers: [record('me.local', 'A', '192.0.2.9')] };
    assert.deepEqual(outcomes(run([answer(1, { protocol: MDNS, message: reply }), pass(2)]).rows), ['orphan']);
  });
  test('LLMNR and NBNS: asked of a group, answered by one', () => {
    for (const [protocol, group, port] of [
      [LLMNR, [224, 0, 0, 252], 5355],
      [NBNS, [192, 0, 2, 255], 137],
    ] as const) {
      const clientPort = protocol === NBNS ? 137 : 40_000;
      const more = { protocol, serverPort: port, clientPort };
      const { rows } = run([query(1, { ...more, server: group }), answer(1.1, { ...more, server: [192, 0, 2, 77] })]);
      assert.equal(only(rows).outcome, 'answered');
    }
  });
});

describe('judgements', () => {
  test('role: authoritative answer, else recursion desired or not', () => {
    const aa = answer(1.1, { message: { flags: ['qr', 'aa'] } });
    const iterative = query(1, { message: { flags: [] } });
    assert.equal(only(run([query(1), aa]).rows).role, 'authoritative');
    assert.equal(only(run([query(1), answer(1.1)]).rows).role, 'recursive');
    assert.equal(only(run([iterative, answer(1.1, { message: { flags: ['qr'] } })]).rows).role, 'iterative');
    assert.equal(only(run([iterative]).rows).role, 'iterative');
  });
  test('kind: data, NODATA, NXDOMAIN, referral, error, a chain of names', () => {
    const kinds = (message: NonNullable<Parameters<typeof answer>[1]>['message']) =>
      only(run([query(1), answer(1.1, { message })]).rows).kind;
    const authority = [record('example', 'SOA', soa(1))];
    const cname = record('www.example', 'CNAME', 'web.example');
    assert.equal(kinds({}), 'data');
    assert.equal(kinds({ answers: [], authority }), 'nodata');
    assert.equal(kinds({ answers: [], authority, rcode: 'NXDOMAIN' }), 'nxdomain');
    assert.equal(kinds({ answers: [], authority: [record('example', 'NS', 'ns.example')] }), 'referral');
    assert.equal(kinds({ answers: [], rcode: 'SERVFAIL' }), 'error');
    assert.equal(kinds({ answers: [cname] }), 'data');
    assert.equal(kinds({ answers: [cname], authority }), 'nodata');
  });
  test('a transaction is shown whole when one of its messages passes the filter', () => {
    const responses = { matches: (_: unknown, view: { isResponse: boolean }) => view.isResponse };
    const { rows, ledger } = run([query(1), answer(1.1), query(2, { message: { id: 3 } })], {}, responses);
    assert.deepEqual(outcomes(rows), ['answered']);
    assert.equal(rows[0].queryLength > 0, true);
    assert.equal(ledger.messages[OUTCOME.joined], 3);
  });
});
