/** Zones whose owners mean harm: what one trace costs is bounded, and told. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type CanonicalRecord, TYPE } from '../../src/client/dnssec/canonical.ts';
import { keyTag } from '../../src/client/dnssec/keys.ts';
import { Validator } from '../../src/client/dnssec/validator.ts';
import { DomainName } from '../../src/client/domain-name.ts';
import { trace } from '../../src/client/trace/trace.ts';
import type { Trace, TraceOptions } from '../../src/client/trace/types.ts';
import { decodeMessage, encodeMessage, type MessageInput } from '../../src/rr/encode.ts';
import { bothServers, framed } from './servers.ts';

type Say = (name: string, type: string) => MessageInput;
type Records = NonNullable<MessageInput['answers']>;

const record = (name: string, type: string, data: string): Records[number] => ({ name, type, ttl: 60, data });
const glue = (name: string) => record(name, 'A', '127.0.0.1');

/** One server that stands for all of them, and what it was asked. */
async function internet(t: TestContext, say: Say): Promise<{ look: typeof look; asked: string[] }> {
  const asked: string[] = [];
  const answer = (query: Buffer): Uint8Array => {
    const { id, questions } = decodeMessage(query);
    const [{ name, type }] = questions;
    asked.push(`${name} ${type}`);
    return encodeMessage({ id, flags: ['qr', 'aa'], questions, ...say(name, type) });
  };
  const { port } = await bothServers(
    t,
    (query, reply) => {
      const bytes = answer(query);
      const [{ name, type }] = decodeMessage(query).questions;
      const cut = { id: query.readUInt16BE(0), flags: ['qr', 'aa', 'tc'], questions: [{ name, type }] };
      reply(bytes.length <= 1232 ? bytes : encodeMessage(cut));
    },
    (query, socket) => socket.write(framed(answer(query))),
  );
  const look = (name: string, type = 'A', options: TraceOptions = {}): Promise<Trace> =>
    trace(name, type, { root: ['127.0.0.1'], port, timeoutMs: 500, tries: 1, dnssec: false, ...options });
  return { look, asked };
}

const remarks = ({ steps }: Trace) => steps.flatMap((step) => step.remarks).join('\n');

test('a referral to many made-up names makes few questions about them', async (t) => {
  const { look, asked } = await internet(t, (name) => {
    if (!name.endsWith('attack.test')) return { rcode: 'NXDOMAIN', authority: [record('.', 'SOA', '. . 1 2 3 4 5')] };
    const servers = Array.from({ length: 100 }, (_, i) => record('attack.test', 'NS', `ns${i}.victim.example`));
    return { flags: ['qr'], authority: servers };
  });
  const found = await look('www.attack.test');
  assert.equal(found.end, 'failed');
  const victims = new Set(asked.filter((one) => one.includes('victim')).map((one) => one.split(' ')[0]));
  assert.ok(victims.size <= 6, `${victims.size} names of the victim`);
  assert.match(remarks(found), /5 servers of attack\.test have no address: no more are looked up/);
  assert.match(remarks(found), /100 servers, of which 32 are looked at/);
});

test('a zone whose many servers do not answer is given up', async (t) => {
  const { look, asked } = await internet(t, () => ({ rcode: 'SERVFAIL' }));
  const root = Array.from({ length: 40 }, () => '127.0.0.1');
  const found = await look('www.test', 'A', { root });
  assert.equal(found.end, 'failed');
  assert.equal(asked.length, 13);
  assert.match(remarks(found), /13 servers of \. gave no answer that leads on/);
});

test('what was silent is asked last, and tries count as queries', async (t) => {
  const { look } = await internet(t, (name, type) =>
    name === 'www.a.b.test' && type === 'A' ? { answers: [glue(name)] } : {},
  );
  const found = await look('www.a.b.test', 'A', { root: ['127.0.0.99', '127.0.0.1'] });
  assert.equal(found.end, 'answer');
  assert.equal(found.steps.filter(({ server }) => server.address === '127.0.0.99').length, 1);
  assert.ok(found.steps.length > 3);
});

test('aliases without an end, and in a circle, in one answer', async (t) => {
  const { look } = await internet(t, (name) => {
    const [, kind] = name.split('.');
    if (kind === 'round')
      return { answers: [record(name, 'CNAME', 'b.round.test'), record('b.round.test', 'CNAME', name)] };
    const chain = Array.from({ length: 200 }, (_, i) =>
      record(i === 0 ? name : `n${i}.long.test`, 'CNAME', `n${i + 1}.long.test`),
    );
    return { answers: chain };
  });
  const round = await look('a.round.test');
  assert.deepEqual(
    [round.end, round.sentence],
    ['alias_loop', 'The aliases of a.round.test lead back to a.round.test.'],
  );
  const long = await look('a.long.test');
  assert.deepEqual([long.end, long.sentence], ['alias_loop', 'a.long.test leads through more than 16 aliases.']);
  assert.ok(long.queries < 10);
});

test('answers of 64 KiB are looked at in part, and take no room', async (t) => {
  // Names of 240 octets behind two octets of compression: each record is a thousand characters when written out.
  const long = `${`${'\\003'.repeat(60)}.`.repeat(3)}test`;
  const { look } = await internet(t, (name, type) => {
    if (type !== 'NS') return {};
    return { answers: Array.from({ length: 1200 }, () => record(name, 'NS', long)) };
  });
  const found = await look('test', 'NS', { minimise: false });
  assert.match(remarks(found), /more than 1000 records are not looked at/);
  assert.ok(found.steps.every(({ answers }) => answers.length <= 64));
  assert.ok(found.answers.length <= 1000);
});

test('keys made to have the same tag cost a bounded number of digests', () => {
  const zone = DomainName.parse('test');
  const rdata = (i: number) => Uint8Array.of(1, 1, 3, 13, i >> 8, i & 255, (0xffff - i) >> 8, (0xffff - i) & 255);
  const keys: CanonicalRecord[] = Array.from({ length: 900 }, (_, i) => ({
    name: zone,
    type: TYPE.DNSKEY,
    class: 1,
    ttl: 60,
    rdata: rdata(i),
    section: 0,
    text: '',
  }));
  const tag = keyTag(rdata(0));
  assert.equal(keyTag(rdata(899)), tag);
  const signers = Array.from({ length: 900 }, (_, i) => ({
    tag,
    algorithm: 13,
    digestType: 2,
    digest: new Uint8Array(32).fill(i),
  }));
  const began = performance.now();
  const { state, reason } = new Validator(0).keysOf(zone, signers, keys);
  assert.deepEqual([state, reason], ['bogus', 'more than 256 keys would have to be compared with its DS']);
  assert.ok(performance.now() - began < 1000);
});

test('a zone with a name as long as may be has no room for a made-up one', async (t) => {
  const zone = `${`${'a'.repeat(60)}.`.repeat(4)}test`;
  let isReferred = false;
  const { look } = await internet(t, (name, type) => {
    if (!isReferred) {
      isReferred = true;
      return { flags: ['qr'], authority: [record(zone, 'NS', `n.${zone}`)], additional: [glue(`n.${zone}`)] };
    }
    if (type === 'SOA') return { answers: [record(zone, 'SOA', '. . 7 2 3 4 5')] };
    return type === 'NS' ? { answers: [record(zone, 'NS', `n.${zone}`)] } : { answers: [glue(name)] };
  });
  const { end, check } = await look(`w.${zone}`, 'A', { all: true, minimise: false });
  assert.equal(end, 'answer');
  assert.deepEqual([check?.zone, check?.servers[0].serial, check?.servers[0].random], [zone, 7, null]);
  assert.deepEqual(check?.remarks, []);
});
