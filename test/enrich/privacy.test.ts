import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MDNS } from '../../src/core/carrier.ts';
import type { EncryptedFlow } from '../../src/core/encrypted-flow.ts';
import { TransactionBatch } from '../../src/core/transactions.ts';
import { keepsPackets, Privacy, type PrivacySettings, privacyText } from '../../src/enrich/privacy.ts';
import type { MessageInput } from '../../src/rr/encode.ts';
import { type Transaction, transactionValue } from '../../src/rr/transaction.ts';
import { hashName } from '../../src/wire/name.ts';
import { parseName } from '../../src/wire/writer.ts';
import { mutateMessage } from '../fuzz/messages.ts';
import { Random } from '../fuzz/random.ts';
import { SCENARIO } from '../sinks/scenario.ts';
import { addRow, join, type Sent, sent } from '../sinks/rows.ts';
import { batchesOf, CAPTURES } from '../store/batches.ts';

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const EPOCHS = [{ from: 0, key: KEY }];
const DAY = 86_400;

/** A query and its response a millisecond later. */
function exchange(at: number, question: MessageInput, response: MessageInput, more: Partial<Sent> = {}): Sent[] {
  const { id = 1, questions } = question;
  return [
    sent(at, { flags: ['rd'], ...question, id }, more),
    sent(at + 0.001, { flags: ['qr', 'rd'], id, questions, ...response }, more),
  ];
}

function hidden(messages: readonly Sent[], settings: PrivacySettings, epochs = EPOCHS): Transaction[] {
  const privacy = new Privacy(settings, epochs);
  return join(messages).flatMap((batch) => {
    privacy.apply(batch);
    return values(batch);
  });
}
function values(batch: TransactionBatch): Transaction[] {
  return Array.from({ length: batch.count }, (_, i) => transactionValue(batch, i));
}

const asks = (name: string, type = 'A') => [{ name, type }];
const client = [192, 168, 7, 42];

const REVERSE = exchange(
  0,
  { questions: asks('42.7.168.192.In-Addr.arpa', 'PTR') },
  {
    rcode: 'NXDOMAIN',
    authority: [
      { name: '168.192.in-addr.arpa', type: 'SOA', ttl: 9, data: 'ns.test 7.168.192.in-addr.arpa 1 2 3 4 5' },
      { name: '9.7.168.192.in-addr.arpa', type: 'PTR', ttl: 9, data: 'laptop.corp.test' },
    ],
  },
  { client },
);

test('level 1 cuts client addresses, subnets and reverse names of own addresses', () => {
  const [row] = hidden(REVERSE, { level: 1 });
  assert.equal(row.client, '192.168.7.0');
  assert.equal(row.server, '198.51.100.53');
  assert.equal(row.name, 'x.7.168.192.In-Addr.arpa');
  assert.deepEqual(
    row.authority?.map(({ name, data }) => [name, data]),
    [
      ['168.192.in-addr.arpa', 'ns.test 7.168.192.in-addr.arpa 1 2 3 4 5'],
      ['x.7.168.192.in-addr.arpa', 'laptop.corp.test'],
    ],
  );
  const v6 = hidden(exchange(0, { questions: asks('a.test') }, {}, { client: v6Client, server: v6Server }), {
    level: 1,
  });
  assert.equal(v6[0].client, '2001:db8:1::');
  assert.equal(v6[0].server, '2001:db8:ffff:ffff::35');
});
const v6Client = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6];
const v6Server = [0x20, 1, 0xd, 0xb8, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0x35];

test('of an encrypted flow the client is hidden, and names that are no public resolver’s', () => {
  const words = [0, 0, 0, 0xc0a8072a] as const;
  const flow: EncryptedFlow = {
    kind: 'dot',
    time: 0,
    closeSeconds: 0,
    closeNanos: 0,
    closeNumber: 1,
    family: 4,
    client: words,
    server: [0, 0, 0, 0xc6336435],
    clientPort: 4000,
    serverPort: 853,
    transport: 6,
    serverName: 'my.resolver.example',
  };
  const cut = new Privacy({ level: 1, names: 'domain' }, EPOCHS).flow(flow);
  const { serverName, ...rest } = flow;
  assert.deepEqual(cut, { ...rest, client: [0, 0, 0, 0xc0a80700] }, serverName);
  const known = { ...flow, serverName: 'dns.google' };
  assert.equal(new Privacy({ level: 0, names: 'hashed' }, EPOCHS).flow(known).serverName, 'dns.google');
  assert.equal(new Privacy({ level: 1 }, EPOCHS).flow(flow).serverName, 'my.resolver.example');
  assert.deepEqual(new Privacy({ level: 0, names: 'hashed' }, EPOCHS).flow(known).client, words);
});

test('from level 2 nothing of an own address is left in reverse names; foreign ones stay', () => {
  for (const level of [2, 3, 4] as const) {
    const [row] = hidden(REVERSE, { level });
    assert.equal(row.name, 'x.In-Addr.arpa');
    assert.ok(!/192|168/.test(JSON.stringify(row.authority)), JSON.stringify(row.authority));
    const foreign = exchange(0, { questions: asks('8.8.8.8.in-addr.arpa', 'PTR') }, {});
    assert.equal(hidden(foreign, { level })[0].name, '8.8.8.8.in-addr.arpa');
  }
  const nibbles = Array.from('fd000001000200030004000500060007').reverse().join('.');
  const own = exchange(0, { questions: asks(`${nibbles}.ip6.arpa`, 'PTR') }, {});
  assert.equal(hidden(own, { level: 2 })[0].name, 'x.ip6.arpa');
  assert.equal(hidden(own, { level: 1 })[0].name, `x.${nibbles.split('.').slice(20).join('.')}.ip6.arpa`);
});

const SUBNET = exchange(
  0,
  {
    questions: asks('a.test'),
    edns: {
      udp_size: 1232,
      options: [
        { code: 8, name: 'ECS', data: '192.168.7.42/32/0' },
        { code: 10, name: 'COOKIE', data: '0102030405060708' },
      ],
    },
  },
  { edns: { udp_size: 1232, options: [{ code: 8, name: 'ECS', data: '2001:db8:1:2:ff00::/72/56' }] } },
  { client },
);

test('client subnets and options that tell clients apart are hidden, and stay readable', () => {
  const options = (level: 1 | 2 | 4): string[] => {
    const [{ edns }] = hidden(SUBNET, { level });
    return [...(edns?.query?.options ?? []), ...(edns?.response?.options ?? [])].map(({ data }) => data);
  };
  assert.deepEqual(options(1), ['192.168.7.0/32/0', '0000000000000000', '2001:db8:1::/72/56']);
  assert.deepEqual(options(4), ['0.0.0.0/32/0', '0000000000000000', '::/72/56']);
  const [row] = hidden(SUBNET, { level: 2 });
  assert.equal(options(2)[0], `${row.client}/32/0`, 'a subnet has the pseudonym of its client');
});

test('level 2 is the same within an epoch and another in the next', () => {
  const next = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
  const rows = hidden(
    [0, 10, 2 * DAY].flatMap((at) => exchange(at, { id: at % 999, questions: asks('a.test') }, {}, { client })),
    { level: 2 },
    [...EPOCHS, { from: 1_700_000_000 + DAY, key: next }],
  );
  assert.equal(rows[0].client, rows[1].client);
  assert.notEqual(rows[1].client, rows[2].client);
});

test('level 3 is the same within a day only, in networks that nobody has', () => {
  const rows = hidden(
    [0, 10, DAY].flatMap((at) => exchange(at, { id: at % 999, questions: asks('a.test') }, {}, { client })),
    { level: 3 },
  );
  assert.equal(rows[0].client, rows[1].client);
  assert.notEqual(rows[1].client, rows[2].client);
  for (const row of rows) {
    assert.match(row.client, /^2[45][0-9]\./);
    assert.equal(row.client_port, 0);
  }
  const [v6] = hidden(exchange(0, { questions: asks('a.test') }, {}, { client: v6Client, server: v6Server }), {
    level: 3,
  });
  assert.match(v6.client, /^fd/);
});

test('level 4 keeps no client; kept addresses stay at every level', () => {
  const [row] = hidden(REVERSE, { level: 4 });
  assert.equal(row.client, '0.0.0.0');
  const keep = [{ family: 4, words: [0, 0, 0, 0xc0a8072a], bits: 32 }] as const;
  assert.equal(hidden(REVERSE, { level: 4, keep })[0].client, '192.168.7.42');
});

test('level 5 leaves what is counted: to the minute, without clients, messages and numbers', () => {
  const messages = exchange(
    83.25,
    { id: 77, questions: asks('very.secret.example.co.uk') },
    { answers: [{ name: 'very.secret.example.co.uk', type: 'A', ttl: 9, data: '203.0.113.9' }], rcode: 'NOERROR' },
    { client },
  );
  const [row] = hidden(messages, { level: 5 });
  const [plain] = join(messages).flatMap((batch) => values(batch));
  assert.equal(plain.time, '2023-11-14T22:14:43.250000000Z');
  assert.deepEqual(
    [row.time, row.client, row.client_port, row.id, row.name],
    ['2023-11-14T22:14:00.000000000Z', '0.0.0.0', 0, 0, 'x.example.co.uk'],
  );
  assert.deepEqual([row.answers, row.frames], [[], { query: [], response: [] }]);
  for (const key of ['type', 'rcode', 'outcome', 'answer_kind', 'latency_ms', 'server'] as const)
    assert.equal(row[key], plain[key], key);
  // One `x` stands for `very.secret`, in the message's length too.
  for (const key of ['query_bytes', 'response_bytes'] as const) assert.equal(row[key], Number(plain[key]) - 10, key);
  assert.ok(!/secret|203\.0\.113/.test(JSON.stringify(row)));
  for (const other of hidden(SCENARIO, { level: 5 })) assert.match(other.time, /:00\.000000000Z$/);
});

test('addresses of own networks are hidden in answers, others are not; on the link all are', () => {
  const answers = [
    { name: 'pc.corp.test', type: 'A', ttl: 1, data: '10.1.2.3' },
    { name: 'pc.corp.test', type: 'A', ttl: 1, data: '203.0.113.9' },
    { name: 'pc.corp.test', type: 'AAAA', ttl: 1, data: 'fd00:1:2:3::4' },
  ];
  const rows = (more: Partial<Sent>) =>
    hidden(exchange(0, { questions: asks('pc.corp.test') }, { answers }, more), { level: 1 });
  assert.deepEqual(
    rows({})[0].answers?.map(({ data }) => data),
    ['10.1.2.0', '203.0.113.9', 'fd00:1:2::'],
  );
  const link = rows({ protocol: MDNS, server: [203, 0, 113, 9] });
  assert.equal(link[0].server, '203.0.113.0');
  assert.ok(link[0].answers?.every(({ data }) => data !== '203.0.113.9'));
});

test('names: the registrable domain only, or hashes left of it', () => {
  const messages = exchange(
    0,
    { questions: asks('Secret.Host.example.co.uk') },
    {
      answers: [
        { name: 'secret.host.example.co.uk', type: 'CNAME', ttl: 1, data: 'host.example.co.uk' },
        { name: 'host.example.co.uk', type: 'A', ttl: 1, data: '203.0.113.9' },
      ],
    },
  );
  const [domain] = hidden(messages, { level: 0, names: 'domain' });
  assert.equal(domain.client, '192.0.2.10');
  assert.equal(domain.name, 'x.example.co.uk');
  assert.deepEqual(
    domain.answers?.map(({ name }) => name),
    ['x.example.co.uk', 'x.example.co.uk'],
  );
  const [hashed] = hidden(messages, { level: 1, names: 'hashed' });
  assert.match(hashed.name ?? '', /^[a-z2-7]{6}\.[a-z2-7]{4}\.example\.co\.uk$/);
  assert.equal(hashed.answers?.[0].name, hashed.name);
  assert.deepEqual(hashed.cnames, [hashed.name?.slice(7)]);
  const again = hidden(exchange(5, { questions: asks('SECRET.host.EXAMPLE.co.uk') }, {}), {
    level: 1,
    names: 'hashed',
  });
  assert.equal(again[0].name?.toLowerCase(), hashed.name);
  const link = hidden(exchange(0, { questions: asks('Johns-Phone._ipp._tcp.local') }, {}, { protocol: MDNS }), {
    level: 1,
    names: 'domain',
  });
  assert.equal(link[0].name, 'x._ipp._tcp.local');
});

test('ids cannot be made from addresses any more, and still link rows', () => {
  const plain = join(SCENARIO).flatMap((batch) => values(batch));
  const rows = hidden(SCENARIO, { level: 1 });
  const retried = rows.filter(({ tcp_retry }) => tcp_retry !== undefined);
  assert.ok(retried.length > 0);
  for (const { tcp_retry } of retried) assert.ok(rows.some(({ transaction }) => transaction === tcp_retry));
  const before = new Set(plain.map(({ transaction }) => transaction));
  for (const { transaction } of rows) assert.ok(!before.has(transaction));
  assert.equal(new Set(rows.map(({ transaction }) => transaction)).size, plain.length);
});

test('every message decodes as before, but for what is hidden', () => {
  const plain = join(SCENARIO).flatMap((batch) => values(batch));
  const shape = (row: Transaction) => ({
    type: row.type,
    rcode: row.rcode,
    outcome: row.outcome,
    kind: row.answer_kind,
    latency: row.latency_ms,
    isAsked: (row.query_bytes ?? 0) > 0,
    isAnswered: (row.response_bytes ?? 0) > 0,
    frames: row.frames,
    fault: row.fault,
    records: [row.answers, row.authority, row.additional].map((list) => list?.map(({ type, ttl }) => `${type} ${ttl}`)),
    options: [row.edns?.query, row.edns?.response].map((edns) => edns?.options.map(({ code }) => code)),
  });
  for (const level of [1, 2, 3, 4] as const) {
    for (const names of ['full', 'domain', 'hashed'] as const) {
      assert.deepEqual(
        hidden(SCENARIO, { level, names }).map(shape),
        plain.map(shape),
        `level ${level}, names ${names}`,
      );
    }
  }
});

test('the hash of a hidden name is that of the name shown', () => {
  const privacy = new Privacy({ level: 2, names: 'hashed' }, EPOCHS);
  for (const batch of join(SCENARIO)) {
    privacy.apply(batch);
    values(batch).forEach(({ name }, i) => {
      if (name !== undefined) assert.equal(batch.col.nameHash[i], hashName(parseName(name), 0, 0));
    });
  }
});

test('only level 0 with whole names keeps packets; every level says what it does', () => {
  assert.ok(keepsPackets({ level: 0 }));
  assert.ok(!keepsPackets({ level: 0, names: 'domain' }) && !keepsPackets({ level: 1 }));
  const texts = ([0, 1, 2, 3, 4, 5] as const).map((level) => privacyText({ level }));
  assert.equal(new Set(texts).size, 6);
  assert.throws(() => new Privacy({ level: 1 }, []), /key/);
});

test('captures decode as before; no address of a private network is left in names and records', async () => {
  for (const path of CAPTURES) {
    const shape = ({ fault, ...row }: Transaction) =>
      fault === undefined && [
        row.type,
        row.rcode,
        // Of hidden names one letter is left: what holds them is shorter.
        (row.response_bytes ?? 0) > 0,
        row.answers?.length,
        row.additional?.length,
        row.edns?.query?.options.length,
      ];
    for (const level of [1, 3] as const) {
      const privacy = new Privacy({ level, names: level === 1 ? 'domain' : 'hashed' }, EPOCHS);
      for (const batch of (await batchesOf(path)).batches) {
        const before = values(batch);
        privacy.apply(batch);
        const after = values(batch);
        assert.deepEqual(after.map(shape), before.map(shape), path);
        if (level === 1) continue;
        const text = after
          .map(({ name, answers, authority, additional, ecs }) =>
            JSON.stringify([name, answers, authority, additional, ecs]),
          )
          .join('\n');
        assert.doesNotMatch(text, /"(?:10|192\.168)\.\d+\.\d+(?:\.\d+)?"|\.(?:10|168\.192)\.in-addr\.arpa/i, path);
      }
    }
  }
});

test('whatever the octets, hiding does not throw and makes nothing longer', () => {
  const random = new Random(11);
  const seeds = SCENARIO.map(({ bytes }) => bytes);
  const privacy = ([1, 2, 3, 4, 5] as const).flatMap((level) =>
    (['hashed', 'domain'] as const).map((names) => new Privacy({ level, names }, EPOCHS)),
  );
  const space = new Uint8Array(8192);
  for (let n = 0; n < 1500; n++) {
    const batch = TransactionBatch.create(8, 65_536);
    for (let k = 0; k < 4; k++) {
      const length = mutateMessage(space, random.pick(seeds), random.pick(seeds), random);
      const bytes = space.slice(0, length);
      const columns = {
        family: 4,
        client3: 0x0a000001,
        protocol: random.below(4),
        queryBytes: length,
        responseBytes: length,
      };
      addRow(batch, { query: bytes, response: bytes.slice(0, random.below(length + 1)), columns });
    }
    const lengths = [...batch.col.responseLength.subarray(0, 4)];
    const one = random.pick(privacy);
    one.apply(batch);
    for (let k = 0; k < 4; k++) assert.ok(batch.col.responseLength[k] <= lengths[k]);
    assert.equal(values(batch).length, 4);
  }
});

test('hidden labels tell nothing of their number and length, wherever a name stands and points', () => {
  const of = (left: string) => {
    const names = exchange(
      0,
      { questions: asks(`${left}.example.co.uk`, 'MX') },
      {
        answers: [
          { name: `${left}.example.co.uk`, type: 'CNAME', ttl: 1, data: `a.${left}.example.co.uk` },
          { name: `a.${left}.example.co.uk`, type: 'MX', ttl: 1, data: `10 mail.${left}.example.co.uk` },
          { name: 'example.co.uk', type: 'TXT', ttl: 1, data: '"as it is"' },
        ],
        authority: [
          { name: 'example.co.uk', type: 'SOA', ttl: 1, data: `ns.${left}.example.co.uk b.example.co.uk 1 2 3 4 5` },
        ],
      },
    );
    const [row] = hidden(names, { level: 4, names: 'domain' });
    return { ...row, transaction: '' };
  };
  const [short, long] = [of('q'), of('quite.a-long-label.and-another-one')];
  assert.deepEqual(short, long);
  assert.equal(short.name, 'x.example.co.uk');
  assert.deepEqual(
    [...(short.answers ?? []), ...(short.authority ?? [])].map(({ name, data }) => `${name} ${data}`),
    [
      'x.example.co.uk x.example.co.uk',
      'x.example.co.uk 10 x.example.co.uk',
      'example.co.uk "as it is"',
      'example.co.uk x.example.co.uk x.example.co.uk 1 2 3 4 5',
    ],
  );
});
