import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Enforcer } from '../../src/actions/enforcer.ts';
import { ESSENTIAL_NAMES } from '../../src/actions/essential-names.ts';
import type { Action } from '../../src/actions/action.ts';
import { LIST_FORMATS } from '../../src/actions/formats.ts';
import { ACTIONS } from '../../src/actions/index.ts';
import { Journal } from '../../src/actions/journal.ts';
import { NeverBlock } from '../../src/actions/never-block.ts';
import { nftWish } from '../../src/actions/nftables.ts';
import { Policy } from '../../src/actions/policy.ts';
import { blockSettings } from '../../src/actions/settings.ts';
import { schemaOf } from '../../src/app/config-schema.ts';
import { BLOCK_KINDS } from '../../src/core/block.ts';
import { UserError } from '../../src/core/errors.ts';
import { finding, NEVER_FACTS, Remembering } from './facts.ts';
import { ask, KEY, owners } from './secondary.ts';

/** Asks for something harmless too: what comes out has to be that, and nothing else. */
const HARMLESS = ['evil.example', '203.1.114.7', '10.0.0.7'] as const;

const folder = mkdtempSync(join(tmpdir(), 'nametap-never-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const closers: (() => void)[] = [];
after(() => closers.forEach((close) => close()));
/** What actions complained of: nothing. */
const complaints: string[] = [];
const NOW = Date.UTC(2026, 0, 5);

/** An action at work, and what it blocks at the moment, as those who read it see it. */
interface Watched {
  type: string;
  action: Action;
  blocked(): Promise<string[]> | string[];
}

const context = { name: 'test', now: () => NOW, notice: () => {} };

async function opened(type: Exclude<keyof typeof ACTIONS, 'nftables'>, settings: object): Promise<Action> {
  const definition: { settings: object; open(options: never, from: typeof context): Action | Promise<Action> } =
    ACTIONS[type];
  return definition.open(schemaOf(ACTIONS[type].settings).parse(settings) as never, context);
}

/** Every way to block: a new one has to bring how it is read. */
const WAYS: Record<keyof typeof ACTIONS, () => Promise<Watched[]>> = {
  async rpz() {
    const secret = Buffer.from(KEY.secret).toString('base64');
    const peers = { test: { address: '127.0.0.1', notify: 0, key: KEY.name, secret } };
    const port = 20_000 + (process.pid % 20_000);
    const action = await opened('rpz', { listen: `127.0.0.1:${port}`, peers });
    const read = async () =>
      owners(await ask({ port, now: NOW / 1000 })).map((name) => name.replace(/\.rpz\.nametap$/, ''));
    return [{ type: 'rpz', action, blocked: read }];
  },
  async file() {
    return Promise.all(
      LIST_FORMATS.map(async ({ name: format }) => {
        const path = join(folder, format);
        return {
          type: format,
          action: await opened('file', { path, format }),
          blocked: () =>
            readFileSync(path, 'utf8')
              .split('\n')
              .filter((line) => line !== '' && !/^[#!;]| IN (SOA|NS) /.test(line)),
        };
      }),
    );
  },
  async nftables() {
    // The sets themselves need root: what the helper is told is looked at here, the helper in test/integration.
    const told = new Remembering();
    const action: Action = {
      kinds: ['client', 'address'],
      apply: (blocks) => told.apply(blocks),
      close: async () => {},
    };
    const read = () => Object.values(nftWish(told.blocks, NOW)).flatMap((set) => set.map(([address]) => address));
    return [{ type: 'nftables', action, blocked: read }];
  },
  async webhook() {
    const holds = new Set<string>();
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        const { blocked, ended } = JSON.parse(body) as Record<string, { value: string }[]>;
        for (const { value } of blocked) holds.add(value);
        for (const { value } of ended) holds.delete(value);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return [
      {
        type: 'webhook',
        action: await opened('webhook', { url: `http://127.0.0.1:${port}/` }),
        blocked: () => [...holds],
      },
    ];
  },
};

let ways: Watched[];
before(async () => {
  ways = (await Promise.all(Object.values(WAYS).map((open) => open()))).flat();
});
after(() => Promise.all(ways.map(({ action }) => action.close())));

const never = new NeverBlock(NEVER_FACTS);

function policyOf(path: string): { policy: Policy; settled(): Promise<void> } {
  const enforcers = ways.map(
    ({ type, action }) =>
      new Enforcer(
        type,
        type,
        { ...action, kinds: action.kinds, apply: (blocks) => action.apply(blocks), close: async () => {} },
        (_, message) => complaints.push(`${type}: ${message}`),
      ),
  );
  const policy = new Policy({
    config: schemaOf(blockSettings).parse({ new_per_minute: 1000 }) as never,
    enforces: () => true,
    enforcing: () => [],
    knowsClients: true,
    never,
    facts: {
      use: async () => ({ clients: 1, of: 100 }),
      domainsAt: async () => 0,
      answers: async () => false,
      active: async () => 1e6,
    },
    journal: new Journal(path),
    enforcers,
    version: '1',
    now: () => NOW,
    raise: () => {},
    failed: () => {},
  });
  policy.start();
  return { policy, settled: () => policy.settled() };
}

/** Names that must go on resolving, whatever would take them down. */
const KEPT = [...ESSENTIAL_NAMES, 'allowed.example', 'corp.example.net', ...[...NEVER_FACTS.popular].slice(0, 3000)];
/** Names nobody may ever block: the kept ones, what lies above them, below (for what is not only popular), suffixes. */
const label = fc.stringMatching(/^[a-z0-9]{1,12}$/);
const above = fc.tuple(fc.constantFrom(...KEPT), fc.nat(4)).map(([name, cut]) =>
  name
    .split('.')
    .slice(Math.min(cut, name.split('.').length - 1))
    .join('.'),
);
const below = fc
  .tuple(label, fc.constantFrom(...ESSENTIAL_NAMES, 'allowed.example', 'corp.example.net'))
  .map(([first, name]) => `${first}.${name}`);
const suffix = fc.constantFrom(
  'com',
  'example',
  'co.uk',
  'ac.jp',
  'github.io',
  'blogspot.com',
  'local',
  'onion',
  'x.ck',
);
const reverse = fc
  .tuple(label, fc.constantFrom('arpa', 'in-addr.arpa', '10.in-addr.arpa', 'ip6.arpa', 'home.arpa'))
  .map(([first, name]) => (first < 'm' ? name : `${first}.${name}`));
const odd = fc.constantFrom(
  '.',
  '',
  '..',
  '*',
  '*.',
  '*.com',
  'a..b',
  'evil.example/',
  'evil.example\nx',
  'a b.example',
  '"',
  '\\',
  '10.0.0.1.',
  '1.1.1.1',
  '-x.example',
  'x'.repeat(64),
  `${'a.'.repeat(130)}com`,
  'ex%61mple.com',
  'evil.example.\u0000',
);
const keptDomain = fc.oneof(above, below, suffix, reverse);
const spelled = fc
  .tuple(
    fc.oneof({ weight: 8, arbitrary: keptDomain }, { weight: 1, arbitrary: odd }),
    fc.nat(5),
    fc.infiniteStream(fc.boolean()),
  )
  .map(([name, how, bits]) => {
    if (how === 0) return `${name}.`;
    if (how === 1) return `*.${name}`;
    if (how === 2)
      return Array.from(name)
        .map((c) => (bits.next().value === true ? c.toUpperCase() : c))
        .join('');
    if (how === 3) return ` ${name}\t`;
    if (how === 4)
      return Array.from(name)
        .map((c) =>
          /[a-z]/.test(c) && bits.next().value === true ? String.fromCodePoint(c.charCodeAt(0) + 0xfee0) : c,
        )
        .join('');
    return name;
  });
const keptAddress = fc.oneof(
  fc.ipV4().map((address) => address.replace(/^\d+/, '10')),
  fc.ipV4().map((address) => address.replace(/^\d+\.\d+/, '192.168')),
  fc.ipV4().map((address) => address.replace(/^\d+/, '127')),
  fc.ipV4().map((address) => address.replace(/^\d+/, '239')),
  fc.ipV4().map((address) => address.replace(/^\d+\.\d+/, '169.254')),
  fc.ipV4().map((address) => address.replace(/^\d+\.\d+/, '100.64')),
  fc.ipV4().map((address) => address.replace(/^\d+\.\d+\.\d+/, '9.9.9')),
  fc.ipV6().map((address) => `fe80::${address.split(':').at(-1)?.replace(/\..*/, '') || '1'}`),
  fc.constantFrom(
    '192.0.2.53',
    '::ffff:192.0.2.53',
    '8.8.4.4',
    '::ffff:808:404',
    '2620:fe::fe',
    '2620:00fe:0::00fe',
    '::1',
    '::',
    '0.0.0.0',
    '255.255.255.255',
    'fd00::1',
    'fc00::7',
    'ff02::fb',
    'fe80::1%eth0',
    '::ffff:10.1.2.3',
  ),
);
const target = fc.oneof(
  { weight: 3, arbitrary: spelled.map((value) => ({ kind: 'domain', value })) },
  { weight: 1, arbitrary: keptAddress.map((value) => ({ kind: 'address', value })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        '192.0.2.53',
        '9.9.9.9',
        '8.8.4.4',
        '2620:fe::fe',
        '::1',
        '127.0.0.1',
        '224.0.0.251',
        'fe80::1',
        '::',
      )
      .map((value) => ({ kind: 'client', value })),
  },
);

/** What each way shows when only the harmless is blocked. */
async function shown(): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const { type, blocked } of ways) all[type] = (await blocked()).sort();
  return all;
}

test('no name or address that is never blocked can be blocked, by any path, through any action (property)', async () => {
  let run = 0;
  const path = () => join(folder, `journal-${run++}`);
  const order = { by: 'anna', from: '10.9.9.9', reason: 'test' };
  const plain = policyOf(path());
  for (const value of HARMLESS) {
    const kind = value === '10.0.0.7' ? 'client' : value === '203.1.114.7' ? 'address' : 'domain';
    await plain.policy.add({ kind, value }, order);
  }
  await plain.settled();
  const expected = await shown();
  for (const [type, values] of Object.entries(expected)) assert.ok(values.length > 0, `${type} blocks something`);
  const kept = plain.policy.list();

  await fc.assert(
    fc.asyncProperty(fc.array(target, { minLength: 8, maxLength: 24 }), async (targets) => {
      // By people, by a proof, by two detectors.
      for (const { kind, value } of targets) {
        await assert.rejects(plain.policy.add({ kind, value }, order), UserError, `${kind} ${value}`);
        const domain = kind === 'domain' ? value : 'corp.example.net';
        const proposal = { kind: kind as 'domain', value, text: '' };
        plain.policy.finding(
          finding('INTEL', domain, { isProof: true, proposal, client: '192.0.2.53', server: '9.9.9.9' }),
        );
        plain.policy.finding(finding('TUN-BYTES', domain, { proposal }));
        plain.policy.finding(finding('TUN-SHAPE', domain, { proposal }));
      }
      await plain.settled();
      assert.deepEqual(
        plain.policy
          .list()
          .map(({ value }) => value)
          .sort(),
        [...HARMLESS].sort(),
      );
      assert.deepEqual(await shown(), expected);
      // By a journal that somebody, or an older version with shorter lists, has written.
      const journal = path();
      const blocks = [
        ...kept,
        ...targets.map((one, i) => ({ ...kept[0], ...one, id: `j${i}`, isAutomatic: i % 2 === 0 })),
      ];
      for (const block of blocks) appendFileSync(journal, `${JSON.stringify({ op: 'block', time: NOW, block })}\n`);
      const next = policyOf(journal);
      await next.settled();
      const changed = await shown();
      await next.policy.close();
      assert.deepEqual(changed, expected);
      await plain.policy.add({ kind: 'domain', value: 'evil.example' }, order);
      await plain.settled();
    }),
    { numRuns: 60 },
  );
  assert.deepEqual(complaints, []);
});

test('what may be blocked is not refused: below what is only popular by people, private clients, unknown servers', () => {
  const may = (kind: (typeof BLOCK_KINDS)[number], value: string, isAutomatic: boolean) =>
    never.reason({ kind, value }, isAutomatic) === undefined;
  assert.ok(may('domain', 'evil.example', true));
  assert.ok(may('domain', 'tracker.google.com', false));
  assert.ok(!may('domain', 'tracker.google.com', true));
  assert.ok(may('domain', 'someone.github.io', false));
  assert.ok(may('client', '10.1.2.3', true));
  assert.ok(may('client', 'fd00::7', true));
  assert.ok(may('address', '203.1.114.9', true));
  assert.ok(may('address', '2001:4860::1', true));
});

test('every refusal says why', () => {
  const reason = (value: string, kind: (typeof BLOCK_KINDS)[number] = 'domain') => never.reason({ kind, value }, true);
  assert.match(reason('com') ?? '', /top-level/);
  assert.match(reason('co.uk') ?? '', /public suffix/);
  assert.match(reason('github.io') ?? '', /directly below/);
  assert.match(reason('7.0.0.10.in-addr.arpa') ?? '', /arpa/);
  assert.match(reason('update.microsoft.com') ?? '', /kept reachable/);
  assert.match(reason('microsoft.com') ?? '', /Names below it are kept reachable/);
  assert.match(reason('x.allowed.example') ?? '', /kept reachable/);
  assert.match(reason('youtube.com') ?? '', /most popular/);
  assert.match(reason('192.0.2.53', 'client') ?? '', /resolver, an authority or a management station/);
  assert.match(reason('10.0.0.53', 'address') ?? '', /private/);
});
