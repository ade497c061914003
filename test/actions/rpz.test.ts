import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { networkOf } from '../../src/actions/network-setting.ts';
import type { RpzPeer } from '../../src/actions/rpz-primary.ts';
import { RpzVersions } from '../../src/actions/rpz-versions.ts';
import { RpzZone } from '../../src/actions/rpz-zone.ts';
import { checkRequest, Signer } from '../../src/actions/tsig-key.ts';
import { decodeMessage, encodeMessage } from '../../src/rr/encode.ts';
import { MessageView } from '../../src/wire/message.ts';
import { ask, askDatagram, blockOf, KEY, owners, type Primary, primaryOf, query, send, serials } from './secondary.ts';

async function served(t: TestContext, more: Partial<RpzPeer> = {}): Promise<Primary> {
  const one = await primaryOf(more);
  t.after(() => one.primary.close());
  return one;
}

test('a zone says what is blocked as its readers want it: names with what is below, addresses backwards', () => {
  const zone = new RpzZone('RPZ.nametap.', { answer: 'nodata', refresh: 10, expire: 100, ttl: 5 });
  const blocks = [
    blockOf('evil.example'),
    blockOf('10.0.0.7', 'client'),
    blockOf('203.1.114.9', 'address'),
    blockOf('2001:db8:0:1::9', 'client'),
    blockOf('2001:4860:1:2:3:4:5:6', 'address'),
    blockOf(`${'a.'.repeat(120)}example`),
  ];
  assert.equal(
    zone.text(blocks, 7),
    `rpz.nametap. 5 IN SOA localhost. hostmaster.localhost. 7 10 5 100 5
rpz.nametap. 5 IN NS localhost.
evil.example.rpz.nametap. 5 IN CNAME *.
*.evil.example.rpz.nametap. 5 IN CNAME *.
32.7.0.0.10.rpz-client-ip.rpz.nametap. 5 IN CNAME *.
32.9.114.1.203.rpz-ip.rpz.nametap. 5 IN CNAME *.
128.9.zz.1.0.db8.2001.rpz-client-ip.rpz.nametap. 5 IN CNAME *.
128.6.5.4.3.2.1.4860.2001.rpz-ip.rpz.nametap. 5 IN CNAME *.
`,
  );
});

test('a transfer gives the whole zone, in as many messages as it takes, each signed', async (t) => {
  const { versions, port } = await served(t);
  versions.update(
    Array.from({ length: 1000 }, (_, i) => blockOf(`evil${i}.example`)),
    200,
  );
  const messages = await ask({ port });
  assert.ok(messages.length > 5);
  for (const { additional } of messages) assert.equal(additional.at(-1)?.type, 'TSIG');
  const found = owners(messages);
  assert.equal(found.length, 2000);
  assert.equal(found[1999], '*.evil999.example.rpz.nametap');
  assert.deepEqual(serials(messages), [200, 200]);
});

test('an incremental transfer gives what changed since; one too old the whole zone; a current one its version', async (t) => {
  const { versions, port } = await served(t);
  versions.update([blockOf('a.example')], 200);
  versions.update([blockOf('a.example'), blockOf('b.example')], 200);
  versions.update([blockOf('b.example')], 300);
  assert.equal(versions.update([blockOf('b.example')], 400), false);
  const since = await ask({ port, type: 'IXFR', serial: 201 });
  assert.deepEqual(serials(since), [300, 201, 300, 300]);
  assert.deepEqual(owners(since), ['a.example.rpz.nametap', '*.a.example.rpz.nametap']);
  const long = await ask({ port, type: 'IXFR', serial: 200 });
  assert.deepEqual(serials(long), [300, 200, 201, 201, 300, 300]);
  const old = await ask({ port, type: 'IXFR', serial: 99 });
  assert.deepEqual(serials(old), [300, 300]);
  assert.deepEqual(owners(old), ['b.example.rpz.nametap', '*.b.example.rpz.nametap']);
  assert.deepEqual(serials(await ask({ port, type: 'IXFR', serial: 300 })), [300]);
  assert.deepEqual(serials(await ask({ port, type: 'SOA' })), [300]);
  const datagram = await askDatagram(port, query({ port, type: 'IXFR', serial: 200 }));
  assert.deepEqual(serials(datagram === undefined ? [] : [datagram]), [300], 'by datagram only which version there is');
});

test('what is remembered of changes is bounded: by versions, and by the owners that they name', () => {
  const versions = new RpzVersions(new RpzZone('rpz.nametap', { answer: 'nxdomain' }), 0);
  for (let i = 1; i <= 201; i++) versions.update([blockOf(`evil${i}.example`)], i);
  assert.deepEqual([versions.since(0), versions.since(1)?.length], [undefined, 200]);
  const many = Array.from({ length: 10_000 }, (_, i) => blockOf(`many${i}.example`));
  for (let i = 202; i < 206; i++) versions.update(i % 2 === 0 ? many : [], i);
  assert.deepEqual([versions.since(202), versions.since(203)?.length], [undefined, 2]);
});

test('changes of a zone, put together, are the zone (property)', () => {
  const names = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 10 });
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 12 }), fc.nat(12), (steps, from) => {
      const versions = new RpzVersions(new RpzZone('rpz.nametap', { answer: 'nxdomain' }), 100);
      const states = new Map([[versions.serial, versions.owners]]);
      for (const step of steps) {
        versions.update(
          [...new Set(step)].map((n) => blockOf(`n${n}.example`)),
          0,
        );
        states.set(versions.serial, versions.owners);
      }
      const [serial, before] = [...states][Math.min(from, states.size - 1)];
      const held = new Set(before);
      for (const { removed, added } of versions.since(serial) ?? []) {
        for (const owner of removed) assert.ok(held.delete(owner));
        for (const owner of added) held.add(owner);
      }
      assert.deepEqual([...held].sort(), [...versions.owners].sort());
    }),
    { numRuns: 300 },
  );
});

test('only listed peers that sign with their key are answered; the others learn why, or nothing', async (t) => {
  const { primary, port } = await served(t);
  const wrong = { ...KEY, secret: Buffer.alloc(32) };
  const cases: [Parameters<typeof ask>[0], string, number | undefined][] = [
    [{ port, key: null }, 'REFUSED', undefined],
    [{ port, key: wrong }, 'NOTAUTH', 16],
    [{ port, key: { ...KEY, name: 'other' } }, 'NOTAUTH', 17],
    [{ port, now: Date.now() / 1000 - 1000 }, 'NOTAUTH', 18],
    [{ port, name: 'example.com' }, 'REFUSED', undefined],
    [{ port, type: 'A' }, 'REFUSED', undefined],
  ];
  for (const [asking, rcode, error] of cases) {
    const [answer, ...more] = await ask(asking);
    assert.deepEqual([answer.rcode, answer.answers, more], [rcode, [], []], JSON.stringify(asking));
    const tsig = answer.additional.find(({ type }) => type === 'TSIG');
    const words = tsig?.data.split(' ') ?? [];
    if (error !== undefined) assert.ok(words.includes(['BADSIG', 'BADKEY', 'BADTIME'][error - 16]), tsig?.data);
  }
  assert.deepEqual([primary.counts.badSignature, primary.counts.refused], [3, 3]);

  const other = await served(t, { network: networkOf('10.0.0.0/8') });
  assert.deepEqual(await ask({ port: other.port }), []);
  assert.equal(await askDatagram(other.port, query({ port: other.port, type: 'SOA' })), undefined);
  assert.equal(other.primary.counts.unlisted, 2);
});

test('a changed octet anywhere in a signed request is noticed', async (t) => {
  const { port } = await served(t);
  const request = query({ port, type: 'SOA' });
  for (let i = 2; i < request.length; i += 3) {
    const changed = request.slice();
    changed[i] ^= 0x04;
    const answer = await askDatagram(port, changed).catch(() => undefined);
    assert.deepEqual(answer?.answers ?? [], [], `octet ${i}`);
    if (i > 12 && i < 24) assert.notEqual(answer?.rcode, 'NOERROR');
  }
  assert.equal((await askDatagram(port, request))?.answers.length, 1);
});

test('whatever comes instead of a signed request is no good one, and never throws (property)', () => {
  const signed = query({ port: 0, type: 'IXFR', serial: 7, now: 1000 });
  const view = new MessageView();
  const verdict = (bytes: Uint8Array) => {
    view.read(bytes, 0, bytes.length);
    return checkRequest(view, [KEY], 1000).kind;
  };
  assert.equal(verdict(signed), 'good');
  // Whoever forwards a message may give it another id: the one that was signed is in the signature.
  const changes = fc.array(fc.tuple(fc.integer({ min: 2, max: signed.length - 1 }), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(changes, fc.nat(signed.length), fc.boolean(), (all, length, isCut) => {
      const bytes = signed.slice(0, isCut ? length : signed.length);
      for (const [at, octet] of all) if (at < bytes.length) bytes[at] = octet;
      const isSame = bytes.length === signed.length && bytes.every((octet, i) => octet === signed[i]);
      // Names fold: the key's, and the algorithm's, in another case are the same.
      const isFolded =
        Buffer.from(bytes).toString('latin1').toLowerCase() === Buffer.from(signed).toString('latin1').toLowerCase();
      if (!isSame && !isFolded) assert.notEqual(verdict(bytes), 'good');
      else verdict(bytes);
    }),
    { numRuns: 3000 },
  );
});

test('noise from a listed peer is counted, harms nobody, and is not answered', async (t) => {
  const { primary, port } = await served(t);
  for (const bytes of [new Uint8Array(0), new Uint8Array(7), Buffer.alloc(512, 0xff), Buffer.alloc(3000, 1)]) {
    assert.deepEqual(await send(port, bytes), []);
    assert.equal(await askDatagram(port, bytes), undefined);
  }
  // A length beyond what any request has.
  assert.deepEqual(await send(port, Buffer.from([0xff, 0xff, 1, 2, 3])), []);
  const response = encodeMessage({ id: 1, flags: ['qr'], questions: [{ name: 'rpz.nametap', type: 'AXFR' }] });
  assert.equal(await askDatagram(port, new Signer(KEY).sign(response, Date.now() / 1000)), undefined);
  assert.ok(primary.counts.malformed >= 2);
  assert.equal((await ask({ port, type: 'SOA' }))[0].answers.length, 1);
});

test('a peer is told of a change until it has heard', async (t) => {
  const secondary = createSocket('udp4');
  t.after(() => secondary.close());
  await new Promise<void>((resolve) => secondary.bind(0, '127.0.0.1', resolve));
  const { port: heardAt } = secondary.address();
  const { primary, versions } = await served(t, { notify: { address: '127.0.0.1', port: heardAt } });
  const times: number[] = [];
  const heard = new Promise<void>((resolve) => {
    secondary.on('message', (bytes, from) => {
      const message = decodeMessage(bytes);
      assert.deepEqual(
        [message.opcode, message.questions[0].name, serials([message]), message.additional[0].type],
        ['NOTIFY', 'rpz.nametap', [versions.serial], 'TSIG'],
      );
      times.push(performance.now());
      // The first one is lost.
      if (times.length < 2) return;
      const { id, questions } = message;
      secondary.send(encodeMessage({ id, opcode: 'NOTIFY', flags: ['qr', 'aa'], questions }), from.port, from.address);
      resolve();
    });
  });
  versions.update([blockOf('evil.example')], 500);
  primary.notify();
  await heard;
  for (let i = 0; i < 50 && primary.counts.notified === 0; i++) await sleep(20);
  assert.equal(primary.counts.notified, 1);
  assert.ok(times[1] - times[0] > 900 && times[1] - times[0] < 3000);
});
