import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, openSync, readFileSync, renameSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { capture, folder, NAMETAP, nametap, ROOT, started } from './nametap.ts';

const UDP = capture('udp.pcap');
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

test('one line per message, in capture order, as fields', () => {
  const { code, out, err } = nametap(['read', '-e', 'frame.number', '-e', 'dns.qry.name', '-e', 'dns.a', UDP]);
  assert.equal(code, 0, err);
  assert.equal(err, '');
  assert.equal(lines(out).length, 33);
  assert.equal(lines(out)[0], '1\tqa.sockets.stackexchange.com\t');
  assert.equal(lines(out)[2], '3\tqa.sockets.stackexchange.com\t198.252.206.25');
});

test('-E shapes the fields', () => {
  const words = ['read', '-r', UDP, '-c', '1', '-T', 'fields', '-e', 'dns.id', '-e', 'dns.qry.name'];
  const shaped = [...words, '-E', 'header=y', '-E', 'separator=/s', '-E', 'quote=d'];
  assert.equal(nametap(shaped).out, 'dns.id dns.qry.name\n"0xcfea" "qa.sockets.stackexchange.com"\n');
  const wrong = nametap([...words, '-E', 'separator=toString']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /^nametap: -E separator=toString is not understood\. It takes header=y\|n/);
});

test('the display filter passes messages, and -c counts what passed', () => {
  const answers = nametap(['read', '-Y', 'dns.flags.response == 1', '-e', 'dns.flags.response', UDP]);
  assert.equal(answers.code, 0, answers.err);
  assert.ok(lines(answers.out).length > 5);
  assert.deepEqual([...new Set(lines(answers.out))], ['1']);
  const two = nametap(['read', '-c', '2', '-Y', 'dns.flags.response == 1', '-e', 'frame.number', UDP]);
  assert.deepEqual([two.code, two.out], [0, '3\n4\n']);
  const none = nametap(['read', '-c', '0', '-e', 'frame.number', UDP]);
  assert.deepEqual([none.code, none.out], [0, '']);
});

test('the fate of a query is known while streaming, and the order stays', () => {
  const fields = ['-e', 'frame.number', '-e', 'dns.response_in', '-e', 'dns.response_to'];
  const rows = lines(nametap(['read', ...fields, UDP]).out).map((line) => line.split('\t'));
  assert.deepEqual(
    rows.map(([number]) => Number(number)),
    Array.from({ length: 33 }, (_, i) => i + 1),
  );
  const answers = new Map(rows.filter(([, , to]) => to !== '').map(([number, , to]) => [to, number]));
  assert.ok(answers.size > 5);
  for (const [number, response] of rows) assert.equal(response, answers.get(number) ?? '', number);
  const numbers = (filter: string) => lines(nametap(['read', '-e', 'frame.number', '-Y', filter, UDP]).out);
  assert.deepEqual(numbers('dns.response_in').length, answers.size);
  const missing = numbers('dns.response_missing');
  const unanswered = lines(nametap(['read', '-T', 'ndjson', '-Y', 'dns.response_missing', UDP]).out);
  assert.ok(missing.length > 0);
  const queries = unanswered.flatMap((line) => (JSON.parse(line) as { frames: { query: number[] } }).frames.query);
  assert.deepEqual(queries.map(String).sort(), [...missing].sort());
});

test('a wrong filter is exit code 4, with a caret under the place', () => {
  const { code, out, err } = nametap(['read', '-Y', 'dns.qry.name == == 1', UDP]);
  assert.equal(code, 4);
  assert.equal(out, '');
  assert.match(err, /\n {4}dns\.qry\.name == == 1\n {4} {16}\^/);
});

test('an unknown field is exit code 4 in a filter, and told which one was meant', () => {
  const filter = nametap(['read', '-Y', 'dns.qry.nam == "x"', UDP]);
  assert.equal(filter.code, 4);
  assert.match(filter.err, /dns\.qry\.name/);
  const field = nametap(['read', '-e', 'dns.qry.nmae', UDP]);
  assert.notEqual(field.code, 0);
  assert.match(field.err, /dns\.qry\.name/);
});

test('transactions are the same bytes with no, one and two workers', () => {
  for (const name of ['truncated-then-tcp.pcap', 'lookups.pcapng']) {
    const [none, one, two] = ['0', '1', '2'].map((threads) => {
      const { code, out, err } = nametap(['read', '-T', 'ndjson', '--threads', threads, capture(name)]);
      assert.equal(code, 0, err);
      return out;
    });
    assert.ok(lines(none).length > 0, name);
    assert.equal(one, none, name);
    assert.equal(two, none, name);
    for (const line of lines(none)) JSON.parse(line);
  }
});

test('a filter on flows means the same with workers', () => {
  const words = ['read', '-T', 'ndjson', '-Y', 'udp.stream == 1', UDP];
  const expected = nametap([...words, '--threads', '0']).out;
  assert.equal(lines(expected).length, 1);
  assert.equal(nametap([...words, '--threads', '2']).out, expected);
});

test('what a worker cannot open is told once, in plain words', () => {
  const { code, err } = nametap(['read', '-T', 'ndjson', '--threads', '2', '/no/such.pcap']);
  assert.equal(code, 3);
  assert.match(err, /^nametap: .*\/no\/such\.pcap.*\n$/);
});

test('-w writes the frames that pass, and they read the same again', () => {
  const to = folder();
  for (const format of ['pcapng', 'pcap']) {
    const out = join(to, `responses.${format}`);
    const words = ['read', '-Y', 'dns.flags.response == 1', '-w', out, '-F', format, UDP];
    assert.deepEqual(nametap(words), { code: 0, out: '', err: '' });
    const fields = ['-e', 'frame.time_epoch', '-e', 'ip.src', '-e', 'dns.id', '-e', 'dns.a'];
    const before = nametap(['read', '-Y', 'dns.flags.response == 1', ...fields, UDP]);
    assert.equal(nametap(['read', ...fields, out]).out, before.out);
  }
  const all = join(to, 'all.pcapng');
  nametap(['read', '-w', all, UDP]);
  const words = ['read', '--unit', 'packet', '-T', 'text'];
  assert.equal(nametap([...words, all]).out, nametap([...words, UDP]).out);
});

test('-w brings all frames of a message that came in several', () => {
  const to = folder();
  for (const name of ['fragments-ipv4.pcap', 'fragments-ipv6.pcap', 'truncated-then-tcp.pcap']) {
    const out = join(to, `${name}.pcapng`);
    const filter = 'dns.flags.response == 1 and dns.flags.truncated == 0';
    nametap(['read', '-Y', filter, '-w', out, capture(name)]);
    const fields = ['-Y', filter, '-e', 'dns.id', '-e', 'dns.count.answers', '-e', 'dns.resp.name'];
    const before = nametap(['read', ...fields, capture(name)]).out;
    assert.ok(lines(before).length > 0, name);
    assert.equal(nametap(['read', ...fields, out]).out, before, name);
  }
});

test('standard input, plain and compressed; -w - is a capture on standard output', () => {
  const expected = nametap(['read', '-e', 'dns.id', UDP]).out;
  assert.equal(nametap(['read', '-e', 'dns.id', '-'], { input: readFileSync(UDP) }).out, expected);
  const script = `"$0" "$1" read -w - "$2" | gzip | "$0" "$1" read -e dns.id -`;
  const piped = spawnSync('sh', ['-c', script, process.execPath, NAMETAP, UDP], { encoding: 'utf8' });
  assert.equal(piped.stdout, expected, piped.stderr);
});

test('a cut file: what came before the cut, one line with the byte offset, exit code 14', () => {
  const file = join(folder(), 'cut.pcap');
  copyFileSync(UDP, file);
  truncateSync(file, statSync(UDP).size - 10);
  const whole = lines(nametap(['read', '-e', 'dns.id', UDP]).out);
  for (const threads of ['0', '2']) {
    const { code, out, err } = nametap(['read', '-T', 'ndjson', '--threads', threads, file]);
    assert.equal(code, 14);
    assert.ok(lines(out).length > 0);
    assert.match(err, /^nametap: .*cut\.pcap: the file ends within .* at byte \d+; what came before was read\n$/);
  }
  const { code, out } = nametap(['read', '-e', 'dns.id', file]);
  assert.equal(code, 14);
  assert.deepEqual(lines(out), whole.slice(0, -1));
});

test('what is no capture, or not there, is exit code 3', () => {
  const { code, out, err } = nametap(['read', join(ROOT, 'package.json')]);
  assert.deepEqual([code, out], [3, '']);
  assert.match(err, /^nametap: .*package\.json is no capture file/);
});

test('a reader that goes away ends it quietly', () => {
  const script = `"$0" "$1" read -T ndjson "$2" "$2" "$2"; echo "code $?" >&2`;
  const words = ['-c', `{ ${script}; } | head -1`, process.execPath, NAMETAP, capture('../../assets/demo.pcap.gz')];
  const { stdout, stderr } = spawnSync('sh', words, { encoding: 'utf8' });
  assert.equal(lines(stdout).length, 1);
  assert.equal(stderr, 'code 0\n');
});

test('colours: when asked for, not into a pipe, and never against NO_COLOR', () => {
  const words = ['read', '-T', 'text', '--unit', 'transaction', UDP];
  assert.ok(!nametap(words).out.includes('\x1b'));
  assert.ok(nametap([...words, '--color', 'always']).out.includes('\x1b['));
  assert.ok(nametap(words, { env: { FORCE_COLOR: '1' } }).out.includes('\x1b['));
  assert.ok(!nametap(words, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }).out.includes('\x1b'));
});

test('-q prints no lines, only what was counted', () => {
  const { code, out, err } = nametap(['read', '-q', UDP]);
  assert.deepEqual([code, out], [0, '']);
  assert.match(err, /^33 packets captured, 33 messages decoded, 0 malformed, 0 lost\n$/);
});

test('a watched folder: files as they come, until SIGINT ends it in order', async () => {
  const to = folder();
  copyFileSync(UDP, join(to, 'a.pcap'));
  const run = started(['read', '-e', 'frame.number', '-e', 'dns.id', to]);
  await run.until(`watching ${to} for capture files; Ctrl-C ends it`);
  await run.until('33\t');
  copyFileSync(UDP, join(to, 'b.part'));
  renameSync(join(to, 'b.part'), join(to, 'b.pcap'));
  await run.until('66\t');
  run.child.kill('SIGUSR1');
  await run.until('66 packets captured');
  assert.equal(run.child.exitCode, null, 'it goes on');
  run.child.kill('SIGINT');
  const { code, out } = await run.ended;
  assert.equal(code, 0);
  assert.equal(lines(out).length, 66);
});

test('SIGHUP goes on in a new file when the old one was moved away', async () => {
  const from = folder();
  const to = join(folder(), 'out.pcapng');
  copyFileSync(UDP, join(from, 'a.pcap'));
  const run = started(['read', '-w', to, '-e', 'frame.number', from]);
  await run.until('33\n');
  renameSync(to, `${to}.1`);
  run.child.kill('SIGHUP');
  copyFileSync(UDP, join(from, 'b.part'));
  renameSync(join(from, 'b.part'), join(from, 'b.pcap'));
  await run.until('66\n');
  run.child.kill('SIGTERM');
  assert.equal((await run.ended).code, 0);
  for (const file of [to, `${to}.1`]) assert.equal(lines(nametap(['read', '-e', 'dns.id', file]).out).length, 33);
});

test('a full disk is told, exit code 3', {
  skip: process.platform !== 'linux' && 'it is Linux that has /dev/full',
}, () => {
  const full = openSync('/dev/full', 'w');
  const { code, err } = nametap(['read', UDP], { stdio: ['ignore', full, 'pipe'] });
  assert.equal(code, 3);
  assert.match(err, /^nametap: The output could not be written: ENOSPC/);
});

test('--paths shows the path of a resolution below the client’s query', () => {
  const { code, out, err } = nametap(['read', '--paths', '--color', 'never', capture('resolution.pcap')]);
  assert.equal(code, 0, err);
  const [client, ...hops] = lines(out);
  assert.match(client, /127\.0\.0\.2 +→ 127\.0\.0\.53 +A +www\.example\.test +23\.854 ms {2}192\.0\.2\.80$/);
  assert.deepEqual(
    hops.map((hop) => hop.trim().replace(/^\+[0-9.]+ ms → /, '')),
    [
      '127.0.0.10      NS . 0.289 ms  NOERROR a.root',
      '127.0.0.10      A root 0.038 ms  NOERROR NODATA (zone .)',
      '127.0.0.10      A a.root 0.062 ms  NOERROR 127.0.0.10',
      '127.0.0.10      A test 0.044 ms  NOERROR referral to test (ns.test)',
      '127.0.0.20      A example.test 0.188 ms  NOERROR referral to example.test (ns.example.test)',
      '127.0.0.30      A www.example.test 0.100 ms  NOERROR 192.0.2.80',
    ],
  );
});

test('report --paths adds up the steps of resolutions', () => {
  const words = ['report', '--paths', capture('resolution.pcap')];
  const { paths } = JSON.parse(nametap([...words, '-T', 'json']).out);
  const { transactions, resolved, hops, steps } = paths;
  assert.deepEqual([transactions, resolved, hops], [1, 1, 6]);
  const referrals = steps.filter(({ kind }: { kind: string }) => kind === 'referral');
  assert.deepEqual(
    referrals.map((step: Record<string, unknown>) => [step.step_mean, step.server, step.zone, step.count]),
    [
      [4, '127.0.0.10', 'test', 1],
      [5, '127.0.0.20', 'example.test', 1],
    ],
  );
  assert.ok(Math.abs(referrals[1].latency_mean_ms - 0.188) < 1e-9);
  const text = nametap(words).out;
  assert.match(text, /Resolution paths\n {2}1 of 1 clients' queries made their resolver ask, 6 times each\n/);
  assert.match(text, / 5 +1 +0\.188 +127\.0\.0\.20 +referral +example\.test\n/);
});

test('--resolver says whose queries are upstream, where the traffic does not', () => {
  const filter = ['-Y', 'ip.dst == 127.0.0.20', '-T', 'ndjson', capture('resolution.pcap')];
  const leg = (...words: string[]) => JSON.parse(nametap(['read', ...words, ...filter]).out).leg;
  assert.equal(leg('--paths'), 'unknown');
  assert.equal(leg('--resolver', '127.0.0.53'), 'upstream');
  assert.equal(leg('--resolver', '2001:db8::/32', '--resolver', '127.0.0.32/27'), 'upstream');
  assert.equal(leg('--resolver', '127.0.0.64/26'), 'unknown');
  const { code, err } = nametap(['read', '--resolver', '127.0.0.53/33', ...filter]);
  assert.equal(code, 1);
  assert.match(err, /--resolver wants an address or a network such as 192\.0\.2\.0\/24, not "127\.0\.0\.53\/33"/);
});

test('--paths shows hops of a client that the filter left out on their own', () => {
  const { out } = nametap(['read', '--paths', '-Y', 'ip.dst == 127.0.0.30', capture('resolution.pcap')]);
  assert.equal(lines(out).length, 1);
  assert.match(out, /127\.0\.0\.53 +→ 127\.0\.0\.30 +A +www\.example\.test/);
});

test('the times of joining and the place of the capture are options', () => {
  const rows = (words: string[], file: string) => {
    const { code, out, err } = nametap(['read', '-T', 'ndjson', ...words, file]);
    assert.equal(code, 0, err);
    return lines(out).map((line) => JSON.parse(line) as { outcome: string; leg?: string; late?: number });
  };
  const outcomes = (words: string[]) => rows(words, UDP).map(({ outcome }) => outcome);
  assert.ok(outcomes([]).includes('answered'));
  const hasty = rows(['--timeout', '1ms'], UDP);
  assert.ok(hasty.every(({ outcome }) => outcome !== 'answered'));
  const late = (words: string[]) => rows(words, UDP).filter((row) => row.late === 1).length;
  assert.deepEqual([late(['--timeout', '1ms']), late(['--timeout', '1ms', '--late', '2ms'])], [16, 1]);
  const legs = (words: string[]) => rows(words, capture('resolution.pcap')).map((row) => `${row.leg}`);
  assert.deepEqual([...new Set(legs(['--vantage', 'client']))], ['client']);
  for (const words of [[], ['--resolver', '127.0.0.53']]) {
    const found = legs(['--vantage', 'resolver', ...words]);
    assert.deepEqual([found.length, found.filter((leg) => leg === 'client').length], [7, 1]);
    assert.equal(found.filter((leg) => leg === 'upstream').length, 6);
  }
  const wrong = nametap(['read', '--timeout', '5', UDP]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /--timeout wants a span of at most an hour, such as 500ms or 5s, not "5"/);
});
