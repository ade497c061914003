import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runRows } from '../../src/app/run.ts';
import { type Transaction, transactionValue } from '../../src/rr/transaction.ts';

const PORT = 26_553;
const LOGGER = 26_554;
const folder = mkdtempSync(join(tmpdir(), 'nametap-powerdns-'));
after(() => rmSync(folder, { recursive: true }));

/** Transactions that a sender tells of, while `ask` asks it. */
async function told(command: string, words: string[], ask: () => Promise<void>): Promise<Transaction[]> {
  const ending = new AbortController();
  const seen: Transaction[] = [];
  const input = { kind: 'dnstap' as const, from: [{ kind: 'powerdns' as const, host: '127.0.0.1', port: LOGGER }] };
  const running = runRows(
    { input, dissect: { heuristic: true }, threads: 0 },
    { signal: ending.signal },
    (batch, from, to) => {
      for (let i = from; i < to; i++) seen.push(transactionValue(batch, i));
    },
  );
  const child: ChildProcess = spawn(command, words, { stdio: 'ignore' });
  try {
    await ask();
    for (const end = Date.now() + 8000; seen.length < 3 && Date.now() < end; await sleep(50));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    ending.abort();
    await running;
  }
  return seen;
}

function dig(...words: string[]): string {
  try {
    return execFileSync('dig', ['@127.0.0.1', '-p', String(PORT), '+time=1', '+tries=1', ...words], {
      encoding: 'utf8',
    });
  } catch {
    return '';
  }
}

/** Asks for names that the sender knows by itself, once it answers. */
async function ask(): Promise<void> {
  for (const end = Date.now() + 10_000; !dig('+short', 'ready.test').includes('192.0.2.1'); await sleep(100)) {
    assert.ok(Date.now() < end, 'it answers');
  }
  await sleep(2500);
  dig('www.test');
  dig('+tcp', 'www.test', 'AAAA');
  dig('ready.test');
}

function hasTold(seen: readonly Transaction[], server: string): void {
  const [www] = seen.filter(({ name, type }) => name === 'www.test' && type === 'A');
  assert.ok(www !== undefined, JSON.stringify(seen));
  assert.deepEqual([www.client, www.transport, www.outcome, www.rcode], ['127.0.0.1', 'udp', 'answered', 'NOERROR']);
  assert.deepEqual(www.addresses, ['192.0.2.80']);
  assert.ok(www.latency_ms !== undefined && www.latency_ms >= 0 && www.latency_ms < 1000, server);
  const [six] = seen.filter(({ name, type }) => name === 'www.test' && type === 'AAAA');
  assert.deepEqual([six?.transport, six?.outcome], ['tcp', 'answered']);
}

test('what the recursor tells over protobuf becomes transactions', async () => {
  const home = join(folder, 'recursor');
  execFileSync('mkdir', ['-p', home]);
  const hosts = join(home, 'hosts');
  writeFileSync(hosts, '192.0.2.1 ready.test\n192.0.2.80 www.test\n');
  const script = join(home, 'recursor.lua');
  writeFileSync(script, `protobufServer("127.0.0.1:${LOGGER}", {logQueries=true, logResponses=true})\n`);
  writeFileSync(
    join(home, 'recursor.conf'),
    [
      'local-address=127.0.0.1',
      `local-port=${PORT}`,
      `socket-dir=${home}`,
      `lua-config-file=${script}`,
      `etc-hosts-file=${hosts}`,
      'export-etc-hosts=yes',
      'daemon=no',
      'write-pid=no',
      'disable-syslog=yes',
      'quiet=yes',
      'loglevel=0',
      'dnssec=off',
      'setuid=',
      'setgid=',
    ].join('\n'),
  );
  hasTold(await told('pdns_recursor', [`--config-dir=${home}`], ask), 'recursor');
});

test('what dnsdist tells over protobuf becomes transactions', async () => {
  const config = join(folder, 'dnsdist.conf');
  writeFileSync(
    config,
    `setLocal("127.0.0.1:${PORT}")
newServer({address="127.0.0.1:1", healthCheckMode="up"})
logger = newRemoteLogger("127.0.0.1:${LOGGER}", 2, 100, 1)
addAction(AllRule(), RemoteLogAction(logger, nil, {serverID="dist-1"}))
addAction(QNameRule("ready.test"), SpoofAction("192.0.2.1"))
addAction(QNameRule("www.test"), SpoofAction({"192.0.2.80", "2001:db8::80"}))
addSelfAnsweredResponseAction(AllRule(), RemoteLogResponseAction(logger, nil, true, {serverID="dist-1"}))
`,
  );
  hasTold(await told('dnsdist', ['--supervised', '--disable-syslog', '-C', config], ask), 'dnsdist');
});
