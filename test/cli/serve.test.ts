import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { capture, folder, nametap, ROOT, started } from './nametap.ts';

const CAPTURES = [join(ROOT, 'assets', 'demo.pcap.gz'), capture('lookups.pcapng')];
const RANGE = ['--from', '2001-01-01'];

/** `nametap serve` on a port of its own, until its page is there. */
async function served(t: TestContext, data: string, ...words: string[]) {
  const run = started(['serve', '--data', data, '--listen', '127.0.0.1:0', '--user', 'root', ...words]);
  // A test that fails leaves nothing running.
  t.after(() => run.child.kill('SIGKILL'));
  await run.until('#token=');
  return run;
}

/** What a search prints, once it finds as much as it should. */
function searched(words: readonly string[], found: RegExp): string {
  for (let i = 0; i < 40; i++) {
    const { code, out, err } = nametap(['search', ...words]);
    assert.equal(code, 0, err);
    if (found.test(out)) return out;
  }
  return assert.fail(`${words.join(' ')} finds ${found}`);
}

test('serve, search and pdns: the same answers from a running server and from the folder it left', async (t) => {
  const data = folder();
  const serve = await served(t, data, ...CAPTURES);
  const count = ['--data', data, ...RANGE, '--measure', 'transactions'];
  searched(count, /^transactions\n +1,049\n$/m);
  const questions = [
    ['search', '--data', data, ...RANGE, '--group', 'type', '--measure', 'transactions,latency'],
    ['search', '--data', data, ...RANGE, '--group', 'type,rcode', '-T', 'csv', '--limit', '5'],
    ['search', '--data', data, ...RANGE, 'dns.flags.rcode == 3', '-T', 'ndjson', '--limit', '1200'],
    ['search', '--data', data, ...RANGE, 'dns.qry.type == AAAA', '--limit', '7'],
    ['search', '--data', data, ...RANGE, 'dns.qry.type == AAAA', '-T', 'json', '--limit', '3'],
    ['pdns', '--data', data, 'www.fark.com'],
    ['pdns', '--data', data, '64.191.0.0/16', '--type', 'A', '-T', 'ndjson'],
    ['pdns', '--data', data, '*.slashdot.org', '-T', 'cof'],
  ];
  const live = questions.map((words) => nametap(words));
  for (const [i, { code, out, err }] of live.entries()) {
    assert.equal(code, 0, `${questions[i].join(' ')}: ${err}`);
    assert.notEqual(out, '', `${questions[i].join(' ')} finds something`);
  }
  serve.child.kill('SIGTERM');
  const { code, err } = await serve.ended;
  assert.equal(code, 0, err);
  assert.match(err, /1,049 transactions kept; [\d,]+ packets captured, .*, 0 lost/);
  for (const [i, words] of questions.entries()) assert.equal(nametap(words).out, live[i].out, words.join(' '));
});

test('search says what is wrong with a filter, where, and with the right exit code', async (t) => {
  const data = folder();
  const serve = await served(t, data, ...CAPTURES);
  for (const ask of [() => {}, () => serve.child.kill('SIGTERM')]) {
    ask();
    if (serve.child.killed) await serve.ended;
    const wrong = nametap(['search', '--data', data, 'dns.qry.nam == "x"']);
    assert.equal(wrong.code, 4);
    assert.match(wrong.err, /dns\.qry\.nam.*\n.*\n +\^~/);
    assert.match(wrong.err, /dns\.qry\.name/);
    const unstored = nametap(['search', '--data', data, 'frame.len > 100']);
    assert.equal(unstored.code, 4);
    assert.match(unstored.err, /frame\.len/);
    const range = nametap(['search', '--data', data, '--from', 'yesterday']);
    assert.equal(range.code, 1);
    const group = nametap(['search', '--data', data, '--group', 'colour']);
    assert.equal(group.code, 1);
  }
});

test('a server elsewhere is asked with its token, and says when it is wrong', async (t) => {
  const data = folder();
  const serve = await served(t, data, ...CAPTURES);
  const page = /http:\S+#token=\S+/.exec(serve.said.err)?.[0] ?? '';
  const elsewhere = ['--data', folder(), ...RANGE, '--measure', 'transactions', '--url'];
  const origin = new URL(page).origin;
  const token = new URL(page).hash.slice('#token='.length);
  searched([...elsewhere, page], /1,049/);
  searched([...elsewhere, origin, '--token', token], /1,049/);
  const wrong = nametap(['search', ...elsewhere, origin, '--token', 'guess']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /--token/);
  const without = nametap(['search', ...elsewhere, origin]);
  assert.equal(without.code, 1);
  assert.match(without.err, /wants a token/);
  serve.child.kill('SIGTERM');
  await serve.ended;
  const gone = nametap(['search', ...elsewhere, origin, '--token', token]);
  assert.equal(gone.code, 2);
  assert.match(gone.err, /No nametap answers at/);
  const nothing = nametap(['search', '--data', folder()]);
  assert.equal(nothing.code, 3);
  assert.match(nothing.err, /There is no history in/);
});

test('pdns takes in what others saw', async (t) => {
  const data = folder();
  const serve = await served(t, data, ...CAPTURES);
  serve.child.kill('SIGTERM');
  await serve.ended;
  const file = join(data, 'others.ndjson');
  const entry = {
    rrname: 'elsewhere.example',
    rrtype: 'A',
    rdata: '192.0.2.99',
    time_first: 1e9,
    time_last: 1.1e9,
    count: 7,
  };
  writeFileSync(file, `${JSON.stringify(entry)}\nno json\n`);
  const done = nametap(['pdns', '--data', data, '--import', file, '--format', 'cof']);
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /^1 records imported from 2 lines\n$/);
  assert.match(done.err, /passed over/);
  const { out } = nametap(['pdns', '--data', data, '192.0.2.99', '-T', 'ndjson']);
  assert.deepEqual(
    [JSON.parse(out).rrname, JSON.parse(out).count, JSON.parse(out).time_first.slice(0, 10)],
    ['elsewhere.example', 7, '2001-09-09'],
  );
});

test('a second one on the same store is told who holds it', async (t) => {
  const data = folder();
  await served(t, data, ...CAPTURES);
  const again = ['serve', '--data', data, '--listen', '127.0.0.1:0', '--user', 'root', ...CAPTURES];
  const announced = nametap(again);
  assert.equal(announced.code, 3);
  assert.match(announced.err, /is served already, by process \d+ at http:.*--data/);
  // One that did not say so, or whose word was lost.
  rmSync(join(data, 'serve.json'));
  const unannounced = nametap(again);
  assert.equal(unannounced.code, 3);
  assert.match(unannounced.err, /is in use by process \d+/);
});

test('wrong configurations are told with their place; --print-config shows what holds', () => {
  const path = join(folder(), 'nametap.yaml');
  writeFileSync(path, 'server:\n  lisen: 127.0.0.1:80\n');
  const wrong = nametap(['serve', '--config', path]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /nametap\.yaml:2:3: server\.lisen is no setting.*listen/);
  const printed = nametap(['serve', '--print-config', '--listen', '127.0.0.1:81'], {
    env: { NAMETAP_SENSOR: 'attic' },
  });
  assert.equal(printed.code, 0, printed.err);
  assert.match(printed.out, /listen: 127\.0\.0\.1:81 +# --server-listen/);
  assert.match(printed.out, /sensor: attic +# NAMETAP_SENSOR/);
});

test('the first start: nothing is asked, a page is there, and what is shown says what it is', async (t) => {
  const data = folder();
  const words = ['start', '--data', data, '--listen', '127.0.0.1:0', '--user', 'root'];
  const run = started(words, { NAMETAP_DEMO: 'on', NAMETAP_DEMOS: 'on' });
  t.after(() => run.child.kill('SIGKILL'));
  await run.until('#token=');
  await run.until('Ctrl-C');
  assert.match(run.said.err, /This is a demo/);
  assert.match(run.said.err, /NAMETAP_DEMOS is no setting, and changes nothing/);
  const page = /http:\S+#token=\S+/.exec(run.said.err)?.[0] ?? '';
  const { origin, hash } = new URL(page);
  const token = hash.slice('#token='.length);
  assert.equal(readFileSync(join(data, 'token'), 'utf8').trim(), token);
  const index = await fetch(origin, { headers: { Accept: 'text/html' } });
  assert.match(await index.text(), /<title>nametap/);
  const overview = await fetch(`${origin}/api/v1/overview`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(overview.status, 200);
  run.child.kill('SIGINT');
  const { code } = await run.ended;
  assert.equal(code, 0);
});
