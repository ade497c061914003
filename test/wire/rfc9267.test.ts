import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MDNS } from '../../src/core/carrier.ts';
import { checkRdata } from '../../src/rr/check.ts';
import { recordReader } from '../../src/rr/define.ts';
import { messageText } from '../../src/rr/show.ts';
import { messageValue } from '../../src/rr/value.ts';
import { FAULTS } from '../../src/wire/fault.ts';
import { MessageView } from '../../src/wire/message.ts';
import { nameText, skipName } from '../../src/wire/name.ts';
import { Writer } from '../../src/wire/writer.ts';

/** A message with a header, these octets behind it, and these counts. */
function message(octets: readonly number[], questions: number, answers = 0): MessageView {
  const bytes = Uint8Array.from([0, 1, 0x80, 0, 0, questions, answers >> 8, answers & 255, 0, 0, 0, 0, ...octets]);
  const view = new MessageView();
  view.read(bytes, 0, bytes.length);
  return view;
}
const cause = (view: MessageView): string => FAULTS[view.fault];
const IN_A = [0, 1, 0, 1];

describe('section 2: compression pointers and offsets', () => {
  test('a pointer to itself is refused', () => {
    assert.equal(cause(message([0xc0, 12, ...IN_A], 1)), 'pointer_not_backward');
  });
  test('two pointers at each other are refused', () => {
    assert.equal(cause(message([0xc0, 14, 0xc0, 12, ...IN_A], 1)), 'pointer_not_backward');
  });
  test('a pointer into its own labels is refused', () => {
    assert.equal(cause(message([1, 97, 0xc0, 12, ...IN_A], 1)), 'pointer_not_backward');
  });
  test('a forward pointer is refused', () => {
    assert.equal(cause(message([0xc0, 20, ...IN_A, 0, 0, 1, 97, 0], 1)), 'pointer_not_backward');
  });
  test('a pointer beyond the message is refused', () => {
    assert.equal(cause(message([0xff, 0xff, ...IN_A], 1)), 'pointer_outside');
  });
  test('label types 01 and 10 are no pointers', () => {
    assert.equal(cause(message([0x41, 97, 0, ...IN_A], 1)), 'label_type');
    assert.equal(cause(message([0x81, 97, 0, ...IN_A], 1)), 'label_type');
  });
  test('a pointer whose second octet is missing is refused', () => {
    assert.equal(cause(message([0xc0], 1)), 'name_overrun');
  });
  test('a pointer to a pointer is read, and flagged on demand', () => {
    const record = [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];
    const view = message([1, 97, 0, ...IN_A, 0xc0, 12, ...record, 0xc0, 19, ...record], 1, 2);
    assert.equal(view.fault, 0);
    assert.equal(messageValue(view).answers[1].name, 'a');
    assert.equal(FAULTS[checkRdata(view)], 'pointer_to_pointer');
  });
  test('a chain of 8191 backward pointers ends after 127 hops, without recursion', () => {
    const bytes = new Uint8Array(16384);
    for (let at = 2; at + 1 < bytes.length; at += 2) {
      bytes[at] = 0xc0 | ((at - 2) >> 8);
      bytes[at + 1] = (at - 2) & 255;
    }
    assert.equal(skipName(bytes, 16382, 0, bytes.length), -1);
  });
  test('many records that point at one long name cost no more than 64 steps per octet', () => {
    const w = new Writer();
    const count = 3000;
    for (const part of [1, 0x8000, 1, count, 0, 0]) w.u16(part);
    const labels = 120;
    for (let i = 0; i < labels; i++) w.put(Uint8Array.of(1, 0x07));
    w.u8(0);
    w.put(Uint8Array.from(IN_A));
    for (let i = 0; i < count; i++) {
      // MINFO: three names per record, each another suffix of the long one, so that remembering names does not help.
      w.u16(0xc000 | (12 + 2 * (i % 19)));
      w.put(Uint8Array.of(0, 14, 0, 1, 0, 0, 0, 1, 0, 4));
      w.u16(0xc000 | (12 + 2 * ((i + 40) % 17)));
      w.u16(0xc000 | (12 + 2 * ((i + 60) % 13)));
    }
    const bytes = w.result();
    const view = new MessageView();
    assert.equal(view.read(bytes, 0, bytes.length), 0);
    const value = messageValue(view);
    assert.ok(recordReader.work <= 64 * bytes.length, `${recordReader.work} steps`);
    assert.equal(value.fault?.cause, 'too_costly');
    assert.ok(value.answers.length > 100 && value.answers.length < count);
    messageText(view);
    assert.ok(recordReader.work <= 64 * bytes.length);
    checkRdata(view);
    assert.ok(recordReader.work <= 64 * bytes.length);
  });
});

describe('section 3: label and name length', () => {
  test('a name of 255 octets is the longest', () => {
    const label = (n: number) => [n, ...new Array(n).fill(97)];
    const longest = [...label(63), ...label(63), ...label(63), ...label(61), 0];
    assert.equal(longest.length, 255);
    assert.equal(message([...longest, ...IN_A], 1).fault, 0);
    const longer = [...label(63), ...label(63), ...label(63), ...label(62), 0];
    assert.equal(cause(message([...longer, ...IN_A], 1)), 'name_too_long');
  });
  test('a name made longer than 255 octets by compression is refused', () => {
    const label = [63, ...new Array(63).fill(97)];
    const first = [...label, ...label, ...label, 0];
    assert.equal(cause(message([...first, ...IN_A, ...label, 0xc0, 12, ...IN_A], 2)), 'name_too_long');
  });
  test('a label that passes the end of the message is refused', () => {
    assert.equal(cause(message([63, 97, 97], 1)), 'name_overrun');
  });
});

describe('section 4: terminator', () => {
  test('a name without its terminating zero is refused', () => {
    assert.equal(cause(message([1, 97], 1)), 'name_overrun');
  });
  test('a zero octet within a label does not end the name', () => {
    const bytes = Uint8Array.of(3, 97, 0, 98, 0);
    assert.equal(skipName(bytes, 0, 0, 5), 5);
    assert.equal(nameText(bytes, 0, 0), 'a\\000b');
  });
});

describe('section 5: RDLENGTH', () => {
  const record = (type: number, length: number, rdata: number[]) => [0, 0, type, 0, 1, 0, 0, 0, 1, 0, length, ...rdata];
  test('rdata that passes the end of the message is refused', () => {
    assert.equal(cause(message(record(1, 4, [192, 0]), 0, 1)), 'rdata_overrun');
  });
  test('rdata longer or shorter than its type is malformed, and shown as octets', () => {
    for (const rdata of [[1, 2, 3], [1, 2, 3, 4, 5], []]) {
      const view = message(record(1, rdata.length, rdata), 0, 1);
      const value = messageValue(view);
      assert.match(value.answers[0].data, /^\\# \d/);
      assert.deepEqual([value.fault?.cause, value.fault?.in], ['rdata_malformed', 'answer']);
      assert.equal(FAULTS[checkRdata(view)], 'rdata_malformed');
    }
  });
  test('a name in rdata must end where rdata ends', () => {
    assert.match(messageValue(message(record(5, 4, [1, 97, 0, 0]), 0, 1)).answers[0].data, /^\\# 4/);
    const cut = message([...record(5, 2, [1, 97]), 0], 0, 1);
    assert.match(messageValue(cut).answers[0].data, /^\\# 2/);
  });
  test('compression where it is forbidden is read, and flagged on demand; mDNS allows it', () => {
    const view = message([1, 97, 0, ...IN_A, ...record(39, 2, [0xc0, 12])], 1, 1);
    assert.equal(messageValue(view).answers[0].data, 'a');
    assert.equal(checkRdata(view, MDNS), 0);
    assert.equal(FAULTS[checkRdata(view)], 'compression_forbidden');
  });
});

describe('section 6: record counts', () => {
  test('counts that claim more than there is are refused, and allocate nothing', () => {
    const view = message([1, 97, 0, ...IN_A], 1, 65535);
    assert.equal(cause(view), 'count_short');
    assert.equal(view.records, 0);
    assert.ok(view.owner.length <= 64);
  });
  test('what could be read before the fault stays readable', () => {
    const record = [0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];
    const value = messageValue(message([...record, 1], 0, 2));
    assert.equal(value.answers[0].data, '192.0.2.1');
    assert.equal(value.fault?.cause, 'name_overrun');
  });
});

test('text from the wire stays text: controls and quotes are escaped', () => {
  const octets = [0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x22, 0x0a];
  const rdata = [octets.length, ...octets];
  const view = message([0, 0, 16, 0, 1, 0, 0, 0, 1, 0, rdata.length, ...rdata], 0, 1);
  assert.equal(messageValue(view).answers[0].data, '"\\027[31m\\"\\010"');
  for (const c of messageText(view)) assert.ok(c === '\n' || c === '\t' || (c >= ' ' && c <= '~'));
});
