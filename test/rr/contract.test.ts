import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkRdata } from '../../src/rr/check.ts';
import type { RRType } from '../../src/rr/define.ts';
import { encodeMessage } from '../../src/rr/encode.ts';
import { NBNS_RR_TYPES, RR_TYPES } from '../../src/rr/index.ts';
import { rrTypeOf } from '../../src/rr/registry.ts';
import { messageText, rdataText } from '../../src/rr/show.ts';
import { messageValue } from '../../src/rr/value.ts';
import { TYPES } from '../../src/wire/iana.ts';
import { MessageView } from '../../src/wire/message.ts';
import { RdataReader } from '../../src/wire/rdata.ts';
import { Writer } from '../../src/wire/writer.ts';
import { tryMessage } from '../fuzz/messages.ts';
import { EXAMPLES } from './examples.ts';

function wireOf(type: RRType, text: string): Uint8Array {
  const writer = new Writer();
  type.write(type.parse(text), writer);
  return writer.result();
}

function messageOf(type: RRType, text: string): Uint8Array {
  const owner = type.name === 'OPT' ? '.' : 'owner.example.com';
  const record = { name: owner, type: type.name, ttl: 300, data: text };
  return encodeMessage({ id: 7, flags: ['qr'], answers: [record, { ...record, type: 'A', data: '192.0.2.1' }] });
}

for (const type of RR_TYPES) {
  describe(type.name, () => {
    const examples = EXAMPLES[type.name] ?? [];

    test('has its registered number, a reference, a summary and an example', () => {
      assert.equal(TYPES.number(type.name), type.type);
      assert.equal(rrTypeOf(type.type), type);
      assert.ok(type.reference !== '' && type.summary !== '');
      assert.ok(examples.length > 0, 'test/rr/examples.ts has no text of this type');
      for (const field of type.fields) {
        assert.ok(field.summary !== '', `${field.name} has no summary`);
        assert.match(field.wireshark ?? 'dns.x', /^dns\.[a-z0-9_.]+$/);
      }
    });

    test('shows the text it has parsed, over the wire', () => {
      for (const text of examples) {
        const view = new MessageView();
        const bytes = messageOf(type, text);
        assert.equal(view.read(bytes, 0, bytes.length), 0, text);
        assert.equal(rdataText(view, 0), text);
        assert.deepEqual(type.read(view, 0), type.parse(text));
      }
    });

    test('rdata cut at any octet never throws, and hides no other record', () => {
      for (const text of examples) {
        const wire = wireOf(type, text);
        for (let cut = 0; cut < wire.length; cut++) {
          const shorter = new RdataReader().bare(wire.subarray(0, cut));
          type.decode(shorter);
          const view = new MessageView();
          const bytes = withRdata(type.type, wire.subarray(0, cut));
          view.read(bytes, 0, bytes.length);
          tryMessage(view, bytes);
          const value = messageValue(view);
          const sections = [...value.answers, ...value.additional];
          const last = sections[sections.length - 1];
          assert.deepEqual([last.type, last.data], ['A', '192.0.2.1'], `cut at ${cut} of '${text}'`);
        }
      }
    });

    test('a message cut at any octet never throws', () => {
      for (const text of examples) {
        const bytes = messageOf(type, text);
        for (let cut = 0; cut <= bytes.length; cut++) tryMessage(new MessageView(), bytes.subarray(0, cut));
      }
    });

    test('octets at random are shown, and what is shown is read back to what was understood', () => {
      const view = new MessageView();
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 80 }), (rdata) => {
          const bytes = withRdata(type.type, rdata);
          view.read(bytes, 0, bytes.length);
          const text = rdataText(view, 0);
          const value = type.read(view, 0);
          if (value === undefined) assert.match(text, /^\\# \d+/);
          // LOC writes one size in several ways (0 m has ten): its text is tested by examples.
          else if (type.name !== 'LOC') assert.deepEqual(type.parse(text), value);
          checkRdata(view);
          messageText(view);
        }),
        { numRuns: 200 },
      );
    });

    test('a value written is the value read', () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.constantFrom(...examples), (noise, text) => {
          const reader = new RdataReader().bare(mixed(wireOf(type, text), noise));
          const value = type.decode(reader);
          if (!reader.sound || reader.left > 0) return;
          const writer = new Writer();
          type.write(value, writer);
          const again = new RdataReader().bare(writer.result());
          assert.deepEqual(type.decode(again), value);
          assert.ok(again.sound && again.left === 0);
        }),
        { numRuns: 200 },
      );
    });
  });
}

test('every number of the registry decodes, or falls back to RFC 3597', () => {
  for (const [number] of TYPES.entries) {
    const bytes = withRdata(number, Uint8Array.of(1, 2, 3));
    const view = new MessageView();
    view.read(bytes, 0, bytes.length);
    assert.notEqual(rdataText(view, 0), '', TYPES.name(number));
  }
});

test('on NetBIOS, type 33 is NBSTAT and not SRV', () => {
  assert.deepEqual(
    NBNS_RR_TYPES.map((type) => [type.type, type.name]),
    [
      [32, 'NB'],
      [33, 'NBSTAT'],
    ],
  );
  assert.equal(rrTypeOf(33)?.name, 'SRV');
  assert.equal(rrTypeOf(33, 3)?.name, 'NBSTAT');
  const nb = rrTypeOf(32, 3) as RRType;
  assert.equal(nb.show(nb.parse('6000/192.0.2.1')), '6000/192.0.2.1');
});

/** A response with one record of `type` with this rdata, and an A record behind it. */
function withRdata(type: number, rdata: Uint8Array): Uint8Array {
  const writer = new Writer();
  for (const count of [7, 0x8000, 0, 2, 0, 0]) writer.u16(count);
  writer.u8(0);
  writer.u16(type);
  writer.u16(1);
  writer.u32(300);
  writer.u16(rdata.length);
  writer.put(rdata);
  writer.put(Uint8Array.of(0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1));
  return writer.result();
}

/** `base` with some octets replaced. */
function mixed(base: Uint8Array, noise: Uint8Array): Uint8Array {
  const bytes = base.slice();
  for (let i = 1; i < noise.length; i += 7) if (bytes.length > 0) bytes[noise[i] % bytes.length] = noise[i - 1];
  return bytes;
}
