import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LeanForm, type MessageColumns, restoreMessage } from '../../src/store/message-form.ts';
import { StoredName } from '../../src/store/stored-name.ts';
import { MessageView } from '../../src/wire/message.ts';
import { encodeMessage } from '../../src/rr/encode.ts';

const view = new MessageView();
const form = new LeanForm();

/** What the store's columns would say of a message. */
function columnsOf(bytes: Uint8Array, name: StoredName): MessageColumns {
  const sections = [0, 0, 0, 0];
  for (let r = 0; r < view.records; r++) sections[view.section[r]]++;
  name.clear();
  if (view.questions > 0) name.read(bytes, view.questionName[0], view.start);
  const [, answers, authority, additional] = sections;
  const type = view.questions > 0 ? view.questionType[0] : 0;
  return {
    id: view.id,
    flags: view.flags,
    name: name.wire,
    nameLength: name.wireLength,
    type,
    class: view.questions > 0 ? view.questionClass[0] : 0,
    answers,
    authority,
    additional,
    isResponse: view.isResponse,
  };
}

function roundTrip(bytes: Uint8Array): Uint8Array {
  view.read(bytes, 0, bytes.length);
  const name = new StoredName();
  const say = columnsOf(bytes, name);
  form.write(view, say);
  const kept = form.bytes.slice(0, form.length);
  const ttls = form.ttls.slice(0, form.ttlsLength);
  const again = new StoredName();
  again.restore(name.text.slice(0, name.textLength), name.upper.slice(0, name.upperLength));
  assert.deepEqual(again.wire.slice(0, again.wireLength), name.wire.slice(0, name.wireLength));
  const out = new Uint8Array(70_000);
  const length = restoreMessage(kept, ttls, { ...say, name: again.wire, nameLength: again.wireLength }, out, 5);
  return out.slice(5, 5 + length);
}

const sound = encodeMessage({
  id: 4711,
  flags: ['qr', 'rd', 'ra'],
  questions: [{ name: 'wWw.ExAmPle\\.x.com', type: 'A' }],
  answers: [
    { name: 'wWw.ExAmPle\\.x.com', type: 'CNAME', ttl: 300, data: 'edge.cdn.net' },
    { name: 'edge.cdn.net', type: 'A', ttl: 17, data: '192.0.2.1' },
  ],
  edns: { udp_size: 1232, version: 0, do: true, options: [] },
});

test('a sound message is kept without what columns say, and comes back octet for octet', () => {
  assert.deepEqual(roundTrip(sound), sound);
  assert.ok(form.length < sound.length - 25, `${form.length} of ${sound.length} octets`);
});

test('a name that runs through a TTL comes back, and so does the TTL', () => {
  const bytes = sound.slice();
  // The owner of the second answer points at the TTL of the first.
  const owner = sound.length - 11 - 16;
  assert.deepEqual([...bytes.subarray(owner + 2, owner + 4)], [0, 1], 'it is the address record');
  bytes[owner] = 0xc0;
  for (let target = 12; target < owner; target++) {
    bytes[owner + 1] = target;
    assert.deepEqual(roundTrip(bytes), bytes, `pointer to ${target}`);
  }
});

test('whatever the octets, they come back', () => {
  const mutated = fc
    .array(fc.tuple(fc.nat({ max: sound.length - 1 }), fc.nat({ max: 255 })), { maxLength: 6 })
    .map((changes) => {
      const bytes = sound.slice();
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const cut = fc.nat({ max: sound.length }).map((length) => sound.slice(0, length));
  const random = fc.uint8Array({ minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(
      fc.oneof(
        mutated,
        cut.filter((bytes) => bytes.length > 0),
        random,
      ),
      (bytes) => {
        assert.deepEqual(roundTrip(bytes), bytes);
      },
    ),
    { numRuns: 3000 },
  );
});
