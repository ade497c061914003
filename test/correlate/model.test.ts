import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TCP } from '../../src/core/carrier.ts';
import { OUTCOME } from '../../src/core/ledger.ts';
import { type MessageView, MessageView as View } from '../../src/wire/message.ts';
import { answer, asks, pass, query, type Row, run, type Step } from './run.ts';

/**
 * The rules once more, as plainly as they can be said: lists searched from end to end, times in whole milliseconds.
 * What the matcher does with tables, rings and deadlines has to come to the same.
 */
interface Open {
  key: string;
  question: string;
  tcp: boolean;
  queries: number[];
  responses: number[];
  copies: number;
  lastMs: number;
  bytes: string;
  state: 'open' | 'early' | 'truncated' | 'closed';
  since: number;
  /** The response's bytes, and when the transaction was closed. */
  reply: string;
  closedMs: number;
}

interface Said {
  outcome: string;
  queries: number[];
  responses: number[];
  late: number;
  duplicates: number;
}

const TIMEOUT = 5000;
const LATE = 30_000;
const SKEW = 1;
const MIRROR = 20;

class Model {
  readonly rows: Said[] = [];
  readonly #all: Open[] = [];

  #now = 0;

  expire(now: number): void {
    this.#now = now;
    for (const one of this.#all) {
      if (one.state === 'open' && now >= one.since + TIMEOUT) this.#close(one, 'unanswered');
      if (one.state === 'truncated' && now >= one.since + TIMEOUT) this.#close(one, 'answered');
      if (one.state === 'early' && now > one.since + SKEW) this.#close(one, 'orphan');
    }
  }

  query(message: Message): void {
    const { key, question, now, number, tcp, bytes } = message;
    const open = this.#all.find((one) => one.state !== 'closed' && one.key === key && one.question === question);
    if (open?.state === 'early') {
      open.queries.push(number);
      open.lastMs = now;
      open.bytes = bytes;
      return this.#close(open, 'answered');
    }
    if (open !== undefined) {
      if (now - open.lastMs <= MIRROR && open.bytes === bytes) open.copies++;
      else {
        open.queries.push(number);
        open.lastMs = now;
        if (open.state === 'open') open.since = now;
      }
      return;
    }
    const before = this.#before(key, question, true);
    if (before !== undefined && now - before.lastMs <= MIRROR) return;
    const retried = this.#all.findLast((one) => one.state === 'truncated' && one.question === question);
    this.#all.push({
      ...message,
      queries: [number],
      responses: [],
      copies: 0,
      lastMs: now,
      state: 'open',
      since: now,
      reply: '',
      closedMs: 0,
    });
    if (tcp && retried !== undefined) this.#close(retried, 'answered');
  }

  response(message: Message, truncated: boolean): void {
    const { key, question, now, number, tcp } = message;
    const open = this.#all.find((one) => one.state !== 'closed' && one.key === key && one.question === question);
    if (open?.state === 'open') {
      open.responses.push(number);
      open.reply = message.bytes;
      open.since = now;
      if (truncated && !tcp) open.state = 'truncated';
      else this.#close(open, 'answered');
      return;
    }
    if (open !== undefined) {
      open.copies++;
      return;
    }
    const answered = this.#before(key, question, true);
    const unanswered = this.#before(key, question, false);
    if (answered !== undefined && answered.lastMs + LATE >= now) {
      const mirrored = now - answered.closedMs <= MIRROR && answered.reply === message.bytes;
      if (!mirrored) this.rows.push({ outcome: 'orphan', queries: [], responses: [number], late: 0, duplicates: 1 });
    } else if (unanswered !== undefined && unanswered.lastMs + LATE >= now) {
      this.rows.push({ outcome: 'orphan', queries: [], responses: [number], late: 1, duplicates: 0 });
    } else {
      this.#all.push({
        ...message,
        queries: [],
        responses: [number],
        copies: 0,
        lastMs: now,
        state: 'early',
        since: now,
        reply: message.bytes,
        closedMs: 0,
      });
    }
  }

  finish(): void {
    for (const one of this.#all) {
      if (one.state === 'open') this.#close(one, 'capture_ended');
      else if (one.state !== 'closed') this.#close(one, one.state === 'early' ? 'orphan' : 'answered');
    }
  }

  /** The last closed transaction of this key with (or without) an answer. */
  #before(key: string, question: string, answered: boolean): Open | undefined {
    return this.#closed.findLast(
      (one) =>
        one.key === key && one.question === question && one.responses.length > 0 === answered && one.queries.length > 0,
    );
  }
  readonly #closed: Open[] = [];

  #close(one: Open, outcome: string): void {
    one.state = 'closed';
    one.closedMs = this.#now;
    this.#closed.push(one);
    const { queries, responses } = one;
    this.rows.push({ outcome, queries, responses, late: 0, duplicates: one.copies });
  }
}

interface Message {
  key: string;
  question: string;
  now: number;
  number: number;
  tcp: boolean;
  bytes: string;
}

const event = fc.record({
  wait: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 30 }) },
    { weight: 2, arbitrary: fc.integer({ min: 100, max: 6000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 6000, max: 40_000 }) },
  ),
  kind: fc.constantFrom('query', 'query', 'answer', 'answer', 'truncated', 'pass'),
  id: fc.constantFrom(1, 1, 1, 2),
  name: fc.constantFrom('a.example', 'a.example', 'b.example'),
  port: fc.constantFrom(1, 1, 1, 2),
  tcp: fc.constantFrom(false, false, true),
});
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

function steps(events: readonly Event[]): { step: Step; ms: number; one: Event }[] {
  let ms = 0;
  return events.map((one) => {
    ms += one.wait;
    const at = ms / 1000;
    const more = {
      clientPort: one.port,
      transport: one.tcp ? TCP : 17,
      message: { id: one.id, questions: [asks(one.name)] },
    };
    if (one.kind === 'pass') return { step: pass(at), ms, one };
    if (one.kind === 'query') return { step: query(at, more), ms, one };
    const truncated = { flags: ['qr', 'tc', 'rd'], answers: [] };
    const message = { ...more.message, ...(one.kind === 'truncated' ? truncated : {}) };
    return { step: answer(at, { ...more, message }), ms, one };
  });
}

/** What the model says to the same messages. */
function expected(list: readonly { step: Step; ms: number; one: Event }[]): Said[] {
  const model = new Model();
  const views = new View();
  list.forEach(({ step, ms, one }, i) => {
    model.expire(ms);
    if (one.kind === 'pass') return;
    const view: MessageView = views;
    view.read(step.bytes, 0, step.bytes.length);
    const message = {
      key: `${one.tcp} ${one.port} ${one.id}`,
      question: one.name,
      now: ms,
      number: i + 1,
      tcp: one.tcp,
      bytes: Buffer.from(step.bytes).toString('hex'),
    };
    if (one.kind === 'query') model.query(message);
    else model.response(message, one.kind === 'truncated');
  });
  model.finish();
  return model.rows;
}

const byFrame = (a: Said, b: Said): number =>
  Math.min(...a.queries, ...a.responses) - Math.min(...b.queries, ...b.responses);
const said = ({ outcome, frames, late, duplicates }: Row): Said => ({
  outcome,
  queries: frames.query,
  responses: frames.response,
  late,
  duplicates,
});

test('random traffic gives the rows of a model that only follows the rules', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const list = steps(events);
      const { rows } = run(list.map(({ step }) => step));
      assert.deepEqual(rows.map(said).sort(byFrame), expected(list).sort(byFrame));
    }),
    { numRuns: 2000, seed: 20_261_124 },
  );
});

test('any interleaving: rows in order, each message has one outcome and each frame one row', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), fc.integer({ min: 1, max: 6 }), (events, limit) => {
      const list = steps(events).map(({ step }) => step);
      const { rows, ledger, closed } = run(list, { limit });
      for (let i = 1; i < rows.length; i++) {
        const [a, b] = [rows[i - 1].close, rows[i].close];
        assert.ok((a[0] - b[0] || a[1] - b[1] || a[2] - b[2]) <= 0, `${a.join()} before ${b.join()}`);
      }
      const frames = rows.flatMap((row) => [...row.frames.query, ...row.frames.response]);
      assert.equal(new Set(frames).size, frames.length);
      const { messages } = ledger;
      const copies = rows.reduce((sum, row) => sum + row.duplicates, 0);
      assert.ok(copies <= messages[OUTCOME.duplicate]);
      assert.equal(
        rows.reduce((sum, row) => sum + row.late, 0),
        messages[OUTCOME.late],
      );
      const strays = rows.filter(
        (row) => row.outcome === 'orphan' && row.duplicates === 1 && row.responses === 1,
      ).length;
      assert.ok(frames.length - strays <= ledger.decoded);
      const queries = events.filter(({ kind }) => kind === 'query').length;
      assert.equal(closed.length, queries, 'every query is told its fate once');
    }),
    { numRuns: 500, seed: 20_261_124 },
  );
});

test('rows and their ids do not depend on the run', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const list = steps(events).map(({ step }) => step);
      assert.deepEqual(run(list).rows, run(list).rows);
    }),
    { numRuns: 100, seed: 20_261_124 },
  );
});
