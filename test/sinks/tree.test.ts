import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageJoin } from '../../src/core/join.ts';
import { ByteWriter } from '../../src/sinks/byte-writer.ts';
import { tree } from '../../src/sinks/tree.ts';
import { MessageView } from '../../src/wire/message.ts';
import { seedMessages } from '../fuzz/messages.ts';
import { carrierOf, sent } from './rows.ts';
import { capture, show, showAll } from './show.ts';

interface Row {
  frame: number;
  message: number;
  length: number;
  bits: boolean;
  depth: number;
  text: string;
}

/** The fields of a tree with offsets; −1 where a field has no place. */
function rowsOf(text: string): Row[] {
  const rows: Row[] = [];
  for (const line of text.split('\n')) {
    const match = /^ *(-|\d+) +(-|\d+) +(-|\d+)( bits?)? {1,2}( *)(.*)$/.exec(line);
    if (match === null) continue;
    const number = (value: string) => (value === '-' ? -1 : Number(value));
    rows.push({
      frame: number(match[1]),
      message: number(match[2]),
      length: number(match[3]),
      bits: match[4] !== undefined,
      depth: match[5].length / 2,
      text: match[6],
    });
  }
  return rows;
}

test('header, question and name stand where RFC 1035 puts them, in message and frame', async () => {
  const rows = rowsOf((await show(capture('udp.pcap'), tree, 'message', { offsets: true })).split('\n\n')[0]);
  const at = (start: string) => {
    const row = rows.find(({ text }) => text.startsWith(start));
    assert.ok(row !== undefined, start);
    return [row.message, row.frame, row.length];
  };
  // 14 octets of Ethernet, 20 of IPv4, 8 of UDP.
  assert.deepEqual(at('IPv4: 192.168.1.17 → 192.168.1.222'), [-1, 14, 20]);
  assert.deepEqual(at('UDP: 56618 → 53'), [-1, 34, 8]);
  assert.deepEqual(at('DNS: QUERY query, 57 octets'), [0, 42, 57]);
  assert.deepEqual(at('ID: 53226 (0xcfea)'), [0, 42, 2]);
  assert.deepEqual(at('QR: 0'), [2, 44, 1]);
  assert.deepEqual(at('OPCODE: QUERY (0)'), [2, 44, 4]);
  assert.deepEqual(at('RD: 1'), [2, 44, 1]);
  assert.deepEqual(at('RA: 0'), [3, 45, 1]);
  assert.deepEqual(at('RCODE: NOERROR (0)'), [3, 45, 4]);
  assert.deepEqual(at('Question count: 1'), [4, 46, 2]);
  assert.deepEqual(at('Answer count: 0'), [6, 48, 2]);
  assert.deepEqual(at('Authority count: 0'), [8, 50, 2]);
  assert.deepEqual(at('Additional count: 1'), [10, 52, 2]);
  assert.deepEqual(at('Question 1: qa.sockets.stackexchange.com A IN'), [12, 54, 34]);
  assert.deepEqual(at('Name: qa.sockets.stackexchange.com'), [12, 54, 30]);
  assert.deepEqual(at('Type: A (1)'), [42, 84, 2]);
  assert.deepEqual(at('Class: IN (1)'), [44, 86, 2]);
  assert.deepEqual(at('Additional 1: EDNS'), [46, 88, 11]);
});

test('every octet of a message of every type belongs to one field, in order', () => {
  const messages = seedMessages();
  assert.ok(messages.length > 90);
  for (const [n, bytes] of messages.entries()) {
    const shown = showAll([{ bytes, at: 0 }], tree, 'message', { offsets: true });
    // OPT as a record like any other is a fault of its own.
    if (shown.includes('!!')) continue;
    const rows = rowsOf(shown);
    // HIP's two lengths stand before both values: it is shown as a whole. DSO is one field per TLV.
    const fields = rows.filter(({ message, bits, depth }) => message >= 0 && !bits && depth > 0);
    let end = 0;
    fields.forEach((field, i) => {
      assert.ok(field.message + field.length <= bytes.length, `message ${n}: ${field.text}`);
      const next = fields[i + 1];
      // What has parts is covered by them.
      if (next !== undefined && next.depth > field.depth) {
        assert.equal(next.message, field.message, `message ${n}: the parts of ${field.text}`);
        return;
      }
      if (field.length === 0) return;
      assert.equal(field.message, end, `message ${n}: ${field.text}`);
      end = field.message + field.length;
    });
    assert.equal(end, bytes.length, `message ${n} to its end`);
  }
});

test('a fault is marked where it lies', () => {
  const bytes = Uint8Array.from([0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]);
  const a = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 3, 1, 2, 3];
  const text = showAll([{ bytes: Uint8Array.from([...bytes, ...a]), at: 0 }], tree, 'message', { offsets: true });
  const marks = rowsOf(text).filter(({ text }) => text.startsWith('!!'));
  // Three octets are no address; then the second answer is missing.
  assert.deepEqual(
    marks.map((row) => [row.message, row.text]),
    [
      [31, '!! malformed: rdata_malformed'],
      [34, '!! malformed: count_short at octet 34 (answer)'],
    ],
  );
});

test('a message over TCP has its length in front, one from dnstap the event it was', async () => {
  const [first] = (await show(capture('tcp-pipelined.pcap'), tree, 'message', { offsets: true })).split('\n\n');
  const prefix = rowsOf(first).find(({ text }) => text.startsWith('Length: 30'));
  assert.deepEqual([prefix?.frame, prefix?.message, prefix?.length], [66, -1, 2]);

  const carrier = carrierOf(sent(0, { id: 1, questions: [{ name: 'a.test', type: 'A' }] }), 7);
  carrier.tapType = 6;
  carrier.tapProtocol = 4;
  const view = new MessageView();
  view.read(carrier.bytes, carrier.at, carrier.length);
  const writer = new ByteWriter(64);
  tree.message?.({ interfaces: [] }, writer).message(carrier, view, new MessageJoin());
  const lines = new TextDecoder().decode(writer.take()).split('\n');
  assert.equal(lines[0], 'dnstap message 7: CLIENT_RESPONSE over doh, 2023-11-14T22:13:20.000000000Z');
  assert.equal(lines[1], 'DNS: QUERY query, 24 octets');
});
