import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { alertDocument } from '../../src/alerts/document.ts';
import { OUTPUTS } from '../../src/alerts/outputs/index.ts';
import { redacted } from '../../src/alerts/redact.ts';
import { bundleOf } from '../../src/alerts/outputs/stix.ts';
import type { Finding } from '../../src/core/alert.ts';
import { AlertBook } from '../../src/alerts/book.ts';
import { finding } from './findings.ts';
import { alertConfig, folderOf, notified } from './notifier.ts';
import { until } from '../until.ts';
import { httpReceiver, type Listener, type Mail, type Posted, smtpReceiver, syslogReceiver } from './receivers.ts';

const T = 1_700_000_000;

/** An output's other end: its settings, and the titles that came there, in order. */
interface Target {
  settings: Record<string, unknown>;
  titles(): string[];
  listener?: Listener;
}

const jsonTitles = (posted: Posted[], title: (body: string) => string) => () => posted.map(({ body }) => title(body));

/** A receiver for every kind of output: a new one has to bring its own. */
const TARGETS: Record<keyof typeof OUTPUTS, (folder: string) => Promise<Target>> = {
  async webhook() {
    const posted: Posted[] = [];
    const listener = await httpReceiver(posted);
    const titles = jsonTitles(posted, (body) => (JSON.parse(body) as { alert: { title: string } }).alert.title);
    return { settings: { url: `http://127.0.0.1:${listener.port}/x` }, titles, listener };
  },
  async alertmanager() {
    const posted: Posted[] = [];
    const listener = await httpReceiver(posted);
    const read = (body: string) => (JSON.parse(body) as { annotations: { summary: string } }[])[0].annotations.summary;
    return { settings: { url: `http://127.0.0.1:${listener.port}` }, titles: jsonTitles(posted, read), listener };
  },
  async slack() {
    const posted: Posted[] = [];
    const listener = await httpReceiver(posted);
    const read = (body: string) => (JSON.parse(body) as { attachments: { title: string }[] }).attachments[0].title;
    return { settings: { url: `http://127.0.0.1:${listener.port}/hook` }, titles: jsonTitles(posted, read), listener };
  },
  async email() {
    const mails: Mail[] = [];
    const listener = await smtpReceiver(mails);
    const settings = {
      server: `127.0.0.1:${listener.port}`,
      tls: 'none',
      from: 'n@example.net',
      to: ['a@example.net'],
    };
    return { settings, titles: () => mails.map(({ data }) => /\r\n\r\n(.*?)\r\n/.exec(data)?.[1] ?? ''), listener };
  },
  async syslog() {
    const messages: string[] = [];
    const listener = await syslogReceiver(messages);
    const titles = () => messages.map((message) => message.split('|')[5]);
    return { settings: { to: `tcp:127.0.0.1:${listener.port}` }, titles, listener };
  },
  async file(folder) {
    const path = join(folder, 'alerts.ndjson');
    const lines = () => readFileSync(path, 'utf8').split('\n').slice(0, -1);
    const titles = () => lines().map((line) => (JSON.parse(line) as { title: string }).title);
    return Promise.resolve({ settings: { path }, titles });
  },
  async stix(folder) {
    const path = join(folder, 'stix');
    const read = (name: string) => JSON.parse(readFileSync(join(path, name), 'utf8')) as ReturnType<typeof bundleOf>;
    const titles = () =>
      readdirSync(path)
        .sort()
        .flatMap((name) =>
          (read(name).objects as { type: string; name: string }[]).filter((o) => o.type === 'indicator'),
        )
        .map(({ name }) => name);
    return Promise.resolve({ settings: { folder: path }, titles });
  },
};

const numbered = (i: number): Finding =>
  finding({ time: T + i, domain: `d${String(i).padStart(2, '0')}.example`, title: `alert ${i}` });
const expected = (to: number) => Array.from({ length: to }, (_, i) => `alert ${i}`);

async function forEach(t: TestContext, run: (t: TestContext, type: string, target: Target) => Promise<void>) {
  for (const [type, open] of Object.entries(TARGETS)) {
    await t.test(type, async (inner) => {
      const target = await open(folderOf(inner));
      try {
        await run(inner, type, target);
      } finally {
        await target.listener?.kill();
      }
    });
  }
}

test('every output hands over every alert, in order', async (t) => {
  await forEach(t, async (inner, type, { settings, titles }) => {
    const { book, notifier } = notified(inner, { one: { type, ...settings } });
    for (let i = 0; i < 20; i++) book.raise(numbered(i));
    await until(() => notifier.states()[0].sent === 20, `${type} to take all`);
    await until(() => titles().length === 20, `${type} to have all`);
    assert.deepEqual(titles(), expected(20));
    assert.deepEqual(notifier.states()[0], { name: 'one', sent: 20, waiting: 0, dead: 0, failed: 0, error: null });
  });
});

test('a receiver that dies gets everything once it is back, also over a restart of ours', async (t) => {
  await forEach(t, async (inner, type, { settings, titles, listener }) => {
    if (listener === undefined) return assert.ok(['file', 'stix'].includes(type), 'only files cannot die');
    const outputs = { one: { type, ...settings } };
    const first = notified(inner, outputs);
    for (let i = 0; i < 5; i++) first.book.raise(numbered(i));
    await until(() => titles().length === 5, 'the first five');
    await listener.kill();
    for (let i = 5; i < 10; i++) first.book.raise(numbered(i));
    await until(() => first.notifier.states()[0].error !== null, 'the loss to be seen');
    for (let i = 10; i < 15; i++) first.book.raise(numbered(i));
    await first.notifier.close();

    const second = notified(inner, outputs, { folder: first.folder });
    await until(() => second.notifier.states()[0].failed > 1, 'attempts in vain');
    await listener.start();
    for (let i = 15; i < 20; i++) second.book.raise(numbered(i));
    await until(() => new Set(titles()).size === 20, `all of them, not ${titles().join()}`);
    assert.deepEqual([...new Set(titles())], expected(20), 'in order');
    await until(() => second.notifier.states()[0].error === null, 'all to be well');
    assert.equal(second.notifier.states()[0].dead, 0);
  });
});

test('what is refused, too old or too much goes to the dead letters, the rest on', async (t) => {
  const posted: Posted[] = [];
  let status = 400;
  const listener = await httpReceiver(posted, () => status);
  t.after(() => listener.kill());
  const url = `http://127.0.0.1:${listener.port}/`;
  const { book, notifier, folder, said } = notified(t, { hook: { type: 'webhook', url, queue: 3, give_up: '1s' } });
  book.raise(numbered(0));
  await until(() => notifier.states()[0].dead === 1, 'a refusal');
  status = 503;
  for (let i = 1; i < 8; i++) book.raise(numbered(i));
  await until(() => notifier.states()[0].dead === 8, 'three to be too old, four to find no room');
  status = 200;
  book.raise(numbered(8));
  await until(() => posted.length === 1, 'the one after');
  const letters = readFileSync(join(folder, 'hook.queue.dead.ndjson'), 'utf8').trim().split('\n');
  const read = letters.map((line) => JSON.parse(line) as { why: string; alert: { title: string } });
  assert.deepEqual(read.map(({ alert }) => alert.title).sort(), expected(8));
  assert.match(read[0].why, /answers 400/);
  assert.equal(read.filter(({ why }) => why === 'queue full').length, 4);
  assert.ok(said.some((line) => line.includes('dead.ndjson')));
});

test('a disk that takes nothing stops no message, and none is counted twice', async (t) => {
  const posted: Posted[] = [];
  let status = 400;
  const listener = await httpReceiver(posted, () => status);
  t.after(() => listener.kill());
  const url = `http://127.0.0.1:${listener.port}/`;
  const { book, notifier, folder, said } = notified(t, { hook: { type: 'webhook', url } });
  const queue = join(folder, 'hook.queue');
  // Not even root writes over a folder.
  mkdirSync(`${queue}.new`);
  book.raise(numbered(0));
  await until(() => notifier.states()[0].dead === 1, 'a refusal');
  assert.ok(said.some((line) => line.startsWith(`Alert output hook: ${queue} cannot be written`)));
  status = 200;
  book.raise(numbered(1));
  await until(() => posted.length === 1 && notifier.states()[0].waiting === 0, 'the one after');
  rmSync(queue);
  mkdirSync(queue);
  book.raise(numbered(2));
  assert.deepEqual(notifier.states()[0], { name: 'hook', sent: 1, waiting: 0, dead: 2, failed: 1, error: null });
});

test('a webhook is signed over time and body, and says the same id with every attempt', async (t) => {
  const posted: Posted[] = [];
  let isDown = true;
  const all: Posted[] = [];
  const listener = await httpReceiver(posted, () => (isDown ? 500 : 200));
  t.after(() => listener.kill());
  const settings = { type: 'webhook', url: `http://127.0.0.1:${listener.port}/`, secret: 'key' };
  const { book, notifier } = notified(
    t,
    {
      hook: { ...settings, headers: { Authorization: 'Bearer x' } },
    },
    { page: 'https://nametap.example.net/' },
  );
  book.raise(finding());
  await until(() => notifier.states()[0].failed > 1, 'attempts in vain');
  isDown = false;
  await until(() => posted.length === 1, 'the alert');
  all.push(...posted);
  const { headers, body } = all[0];
  const timestamp = String(headers['x-nametap-timestamp']);
  const signature = createHmac('sha256', 'key').update(`${timestamp}.${body}`).digest('hex');
  assert.equal(headers['x-nametap-signature'], `sha256=${signature}`);
  assert.ok(Math.abs(Number(timestamp) - Date.now() / 1000) < 10);
  assert.equal(headers.authorization, 'Bearer x');
  const read = JSON.parse(body) as { event: string; url: string; alert: { id: string; attack: string[] } };
  assert.equal(read.event, 'raised');
  assert.equal(read.url, `https://nametap.example.net/alerts?sel=${read.alert.id}`);
  assert.deepEqual(read.alert.attack, ['T1048.003']);
});

test('outputs hear of what passes their severity and detectors, and of no muted alert', async (t) => {
  const folder = folderOf(t);
  const path = (name: string) => join(folder, name);
  const { book, notifier } = notified(t, {
    all: { type: 'file', path: path('all'), severity: 'low' },
    grave: { type: 'file', path: path('grave'), severity: 'critical' },
    tunnels: { type: 'file', path: path('tunnels'), detectors: ['TUN-*'] },
  });
  const detectors = ['TUN-BYTES', 'DGA-NX', 'BEACON'];
  for (const [i, severity] of (['low', 'medium', 'critical'] as const).entries()) {
    book.raise(finding({ detector: detectors[i], key: `${i}`, severity, title: severity, time: T + i }));
  }
  const [low] = book.incidents();
  await book.act(low.id, { kind: 'mute', scope: 'detector', until: null }, { by: 'ada', time: T });
  book.raise(finding({ key: 'other', severity: 'critical', title: 'muted' }));
  await notifier.close();
  const titles = (name: string) =>
    readFileSync(path(name), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { title: string }).title);
  assert.deepEqual(titles('all'), ['low', 'medium', 'critical']);
  assert.deepEqual(titles('grave'), ['critical']);
  assert.deepEqual(titles('tunnels'), []);
});

test('redacted messages hold no address of a client', async (t) => {
  const folder = folderOf(t);
  const { book, notifier } = notified(t, { one: { type: 'file', path: join(folder, 'a'), redact: true } });
  const client = '192.0.2.7';
  book.raise(
    finding({
      subject: client,
      title: `${client} asks`,
      text: `${client}, 192.0.2.70 and 192.0.2.7. Also 1192.0.2.7, and (192.0.2.7:53).`,
      proposal: { kind: 'client', value: client, text: `Slow ${client} down` },
    }),
  );
  await notifier.close();
  const line = readFileSync(join(folder, 'a'), 'utf8');
  assert.doesNotMatch(line, /(?<![\d.])192\.0\.2\.7(?!\d)/);
  assert.match(line, /\[client\], 192\.0\.2\.70 and \[client\]\. Also 1192\.0\.2\.7/);
  const document = alertDocument(book.incidents()[0]);
  assert.equal(redacted(document).evidence.length, document.evidence.length);
});

test('CEF escapes what the wire holds', async (t) => {
  const messages: string[] = [];
  const listener = await syslogReceiver(messages);
  t.after(() => listener.kill());
  const { book } = notified(t, { siem: { type: 'syslog', to: `tcp:127.0.0.1:${listener.port}` } });
  book.raise(finding({ title: 'a|b\\c=d', text: 'x=1\nCEF:0|forged|', client: '2001:db8::7', server: '192.0.2.53' }));
  await until(() => messages.length === 1, 'a message');
  const [message] = messages;
  assert.match(
    message,
    /^<131>1 \d{4}-\d\d-\d\dT[\d:.]+Z office nametap \d+ alert - \u{feff}CEF:0\|nametap\|nametap\|1\.2\.3\|TUN-BYTES\|a\\\|b\\\\c=d\|8\|/u,
  );
  assert.ok(message.includes(' c6a2=2001:db8::7 dst=192.0.2.53 '));
  assert.ok(message.endsWith(' msg=x\\=1\\nCEF:0|forged|'));
  assert.ok(!message.includes('\n'));
});

test('mail is one conversation per alert, in plain text', async (t) => {
  const mails: Mail[] = [];
  const listener = await smtpReceiver(mails, (to) => to.startsWith('nobody'));
  t.after(() => listener.kill());
  const server = `127.0.0.1:${listener.port}`;
  const { book, notifier } = notified(t, {
    people: { type: 'email', server, tls: 'none', from: 'n@example.net', to: ['soc@example.net', 'b@example.net'] },
    gone: { type: 'email', server, tls: 'none', from: 'n@example.net', to: ['nobody@example.net'] },
  });
  book.raise(finding({ title: 'one\r\nBcc: all@example.net' }));
  book.tick(T + 4000);
  await until(() => mails.length === 2, 'both mails');
  await until(() => notifier.states()[1].dead === 2, 'the refusals');
  assert.deepEqual(mails[0].to, ['soc@example.net', 'b@example.net']);
  const heads = mails.map(({ data }) => data.slice(0, data.indexOf('\r\n\r\n')));
  assert.match(heads[0], /^Subject: \[nametap\] high: one Bcc: all@example\.net$/m);
  assert.doesNotMatch(heads[0], /^Bcc/m);
  const id = /^Message-ID: (<.*>)$/m.exec(heads[0])?.[1];
  assert.equal(/^In-Reply-To: (<.*>)$/m.exec(heads[1])?.[1], id);
  assert.match(heads[1], /^Subject: \[nametap\] over: high: /m);
});

test('names from the wire are no links and calls in a chat', async (t) => {
  const posted: Posted[] = [];
  const listener = await httpReceiver(posted);
  t.after(() => listener.kill());
  const { book } = notified(t, { chat: { type: 'slack', url: `http://127.0.0.1:${listener.port}/` } });
  book.raise(finding({ title: '<!channel> & <http://evil.example|x>' }));
  await until(() => posted.length === 1, 'the message');
  assert.ok(!posted[0].body.includes('<'));
  assert.ok(posted[0].body.includes('&lt;!channel&gt; &amp; '));
});

test('Alertmanager: labels say which, an end always stands there, and getting worse ends what was before', async (t) => {
  const posted: Posted[] = [];
  const listener = await httpReceiver(posted);
  t.after(() => listener.kill());
  const settings = { type: 'alertmanager', url: `http://127.0.0.1:${listener.port}/`, labels: { team: 'dns' } };
  const { book } = notified(t, { am: settings });
  book.raise(finding({ severity: 'high' }));
  book.raise(finding({ severity: 'critical', time: T + 60 }));
  await book.act(book.incidents()[0].id, { kind: 'close' }, { by: 'ada', time: T + 61 });
  await until(() => posted.length === 3, 'three messages');
  const read = posted.map(({ body, path }) => {
    assert.equal(path, '/api/v2/alerts');
    return JSON.parse(body) as { labels: Record<string, string>; startsAt: string; endsAt: string }[];
  });
  const [raised, worse, closed] = read;
  const { id } = book.incidents()[0];
  assert.deepEqual(raised[0].labels, {
    team: 'dns',
    alertname: 'TUN-BYTES',
    severity: 'high',
    sensor: 'office',
    incident: id,
    client: '192.0.2.7',
    domain: 'evil.example',
  });
  assert.equal(Date.parse(raised[0].endsAt) - Date.parse(raised[0].startsAt), 40 * 60_000);
  const severities = worse.map(({ labels }) => labels.severity);
  assert.deepEqual(severities, ['critical', 'low', 'medium', 'high']);
  assert.ok(worse.slice(1).every(({ endsAt }) => Date.parse(endsAt) <= Date.now()));
  assert.ok(Date.parse(closed[0].endsAt) <= Date.now());
});

test('a STIX bundle has the ids that the standard gives, and refers only to what is in it', () => {
  const book = new AlertBook();
  book.raise(finding({ domain: "o'b.example", server: '2001:db8::53' }));
  const bundle = bundleOf(alertDocument(book.incidents()[0]), 'office');
  const objects = bundle.objects as { id: string; type: string; [key: string]: unknown }[];
  const ids = new Set(objects.map(({ id }) => id));
  assert.equal(ids.size, objects.length);
  for (const one of objects) {
    assert.match(
      one.id,
      new RegExp(`^${one.type}--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
    );
    for (const [key, value] of Object.entries(one)) {
      const refs = key.endsWith('_ref') ? [value] : key.endsWith('_refs') ? (value as unknown[]) : [];
      for (const ref of refs) assert.ok(ids.has(String(ref)), `${one.type} ${key}`);
    }
  }
  const types = new Set(objects.map(({ type }) => type));
  for (const type of ['identity', 'domain-name', 'ipv4-addr', 'ipv6-addr', 'observed-data', 'indicator', 'sighting']) {
    assert.ok(types.has(type), type);
  }
  // The example of STIX 2.1 §2.9: an address has the same id everywhere.
  const again = bundleOf({ ...alertDocument(book.incidents()[0]), client: '198.51.100.3' }, 'elsewhere');
  const address = (again.objects as { id: string; value?: string }[]).find(({ value }) => value === '198.51.100.3');
  assert.equal(address?.id, 'ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4');
  assert.ok(objects.some(({ pattern }) => pattern === "[domain-name:value = 'o\\'b.example']"));
});

test('a configuration that is read again changes only what changed', async (t) => {
  const folder = folderOf(t);
  const { book, notifier } = notified(t, {
    a: { type: 'file', path: join(folder, 'a') },
    b: { type: 'file', path: join(folder, 'b') },
  });
  book.raise(numbered(0));
  await until(() => notifier.states().every(({ sent }) => sent === 1), 'both');
  await notifier.apply(
    alertConfig({
      outputs: { a: { type: 'file', path: join(folder, 'a') }, c: { type: 'file', path: join(folder, 'c') } },
    }),
  );
  book.raise(numbered(1));
  await until(() => notifier.states().every(({ waiting }) => waiting === 0), 'the second');
  assert.deepEqual(
    notifier.states().map(({ name, sent }) => [name, sent]),
    [
      ['a', 2],
      ['c', 1],
    ],
  );
});

test('settings: assets weigh, and mistakes are told', async () => {
  const { rulesOf } = await import('../../src/alerts/settings.ts');
  const rules = rulesOf(
    alertConfig({
      quiet: '10m',
      assets: { bank: { networks: ['192.0.2.0/28'], domains: ['bank.example'], weight: '2.5' } },
    }),
  );
  assert.equal(rules.quiet, 600);
  assert.equal(rules.weight?.(finding()), 2.5);
  assert.equal(rules.weight?.(finding({ client: '192.0.2.77' })), 1);
  assert.equal(rules.weight?.(finding({ client: '192.0.2.77', domain: 'bank.example' })), 2.5);
  assert.throws(() => alertConfig({ assets: { x: { weight: '11' } } }));
  assert.throws(() => alertConfig({ outputs: { x: { type: 'webhook', url: 'ftp://x' } } }));
  assert.throws(() => alertConfig({ outputs: { x: { type: 'email', server: 'h:99999', from: 'a' } } }));
});
