import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerAddresses } from '../../src/baseline/answers.ts';
import { ANSWER, MessageView } from '../../src/wire/message.ts';

/** A response about `a.b` with these records (owner: a pointer to the name), as octets. */
function response(counts: readonly [number, number, number], ...records: readonly number[][]): Uint8Array {
  const header = [0, 1, 0x81, 0x80, 0, 1, ...counts.flatMap((count) => [0, count])];
  return Uint8Array.from([...header, 1, 0x61, 1, 0x62, 0, 0, 1, 0, 1, ...records.flat()]);
}

function record(type: number, ttl: number, ...data: number[]): number[] {
  return [0xc0, 12, 0, type, 0, 1, 0, 0, ttl >> 8, ttl & 0xff, 0, data.length, ...data];
}

const OPT = [0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0];
const A = record(1, 300, 192, 0, 2, 1);

function read(bytes: Uint8Array, length = bytes.length): AnswerAddresses {
  const answers = new AnswerAddresses();
  answers.read(bytes, 0, length);
  return answers;
}

test('answers: addresses with their TTL, and whether an alias stands before them', () => {
  const answers = read(response([3, 0, 0], record(5, 60, 2, 0x78, 0x79, 0), A, record(1, 30, 198, 51, 100, 7)));
  assert.equal(answers.count, 2);
  assert.deepEqual([answers.text(0), answers.text(1)], ['192.0.2.1', '198.51.100.7']);
  assert.deepEqual([answers.ttl, answers.hasAlias, answers.longestAlias, answers.questions], [30, true, 2, 1]);
});

test('answers: what is cut or points nowhere ends the walk, what came before it stays', () => {
  const whole = response([2, 0, 0], A, A);
  assert.equal(read(whole, whole.length - 1).count, 1);
  assert.equal(read(response([2, 0, 0], A, [0xc0, 0xff, ...A.slice(2)])).count, 1);
  assert.equal(read(response([1, 0, 0]).subarray(0, 11)).count, 0);
});

test('answers: OPT alone behind them is nothing more, whatever else looks like it', () => {
  assert.equal(read(response([1, 0, 0], A)).isAll, true);
  assert.equal(read(response([1, 0, 1], A, OPT)).isAll, true);
  assert.equal(read(response([0, 0, 1], OPT)).isAll, true);
  // An address that ends in the octets of OPT.
  const alike = [0x20, 1, 0x0d, 0xb8, 0, ...OPT];
  assert.equal(read(response([1, 0, 1], A, record(28, 60, ...alike))).isAll, false);
  assert.equal(read(response([1, 1, 0], A, A)).isAll, false);
  assert.equal(read(response([1, 0, 2], A, OPT, A)).isAll, false);
});

test('answers: the walk finds what a whole reading of the message finds, however broken it is', () => {
  let state = 20_261_125;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const V6 = record(28, 60, ...Array.from({ length: 16 }, (_, i) => i));
  const sound = response([4, 1, 1], record(5, 60, 1, 0x7a, 0xc0, 12), A, V6, record(1, 9, 198, 51, 100, 7), A, OPT);
  const view = new MessageView();
  let read = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = sound.slice();
    for (let n = random(4); n > 0; n--) bytes[random(bytes.length)] = random(256);
    const length = random(8) === 0 ? random(bytes.length + 1) : bytes.length;
    view.read(bytes, 0, length);
    const found: string[] = [];
    for (let i = 0; i < view.records && view.section[i] === ANSWER && found.length < 64; i++) {
      const [type, size, at] = [view.type[i], view.rdlength[i], view.rdata[i]];
      const is4 = type === 1 && size === 4;
      if (is4 || (type === 28 && size === 16)) found.push(`${view.ttl[i]} ${bytes.subarray(at, at + size).join('.')}`);
    }
    const answers = new AnswerAddresses();
    answers.read(bytes, 0, length);
    const own = Array.from({ length: answers.count }, (_, i) => {
      const words = answers.words.slice(i * 4 + (answers.family[i] === 4 ? 3 : 0), i * 4 + 4);
      const octets = [...words].flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
      return `${answers.ttls[i]} ${octets.join('.')}`;
    });
    assert.deepEqual(own, found, `round ${round}: ${bytes.subarray(0, length).join(' ')}`);
    // Where nothing more is said to be there, nothing more can be read, but OPT.
    const types = view.type.subarray(0, view.records);
    if (answers.isAll) assert.ok(types.every((type, i) => view.section[i] === ANSWER || type === 41));
    read += own.length;
  }
  assert.ok(read > 20_000);
});
