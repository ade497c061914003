import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { readFileSync } from 'node:fs';
import type { Carrier } from '../../src/core/carrier.ts';
import { openDnstap } from '../../src/sources/dnstap.ts';
import { until } from '../until.ts';

const PORT = 25_399;

function unboundConfig(folder: string, tap: string): string {
  return `server:
  interface: 127.0.0.1@${PORT}
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: "${folder}/unbound.pid"
  use-syslog: no
  do-daemonize: no
  local-zone: "example." static
  local-data: "a.example. A 192.0.2.7"
dnstap:
  dnstap-enable: yes
  ${tap}
  dnstap-send-identity: yes
  dnstap-identity: "tester"
  dnstap-log-client-query-messages: yes
  dnstap-log-client-response-messages: yes
`;
}

interface Line {
  type: number;
  seconds: number;
  nanos: number;
  length: number;
  transport: number;
  sender: string | undefined;
}

const lineOf = (c: Carrier): Line => ({
  type: c.tapType,
  seconds: c.seconds,
  nanos: c.nanos,
  length: c.length,
  transport: c.transport,
  sender: c.interfaces[c.interfaceId].name,
});

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** Asks until it is answered: where nobody listens yet, dig uses up its tries at once. */
async function ask(name: string, ...more: string[]): Promise<void> {
  let code: unknown;
  for (let i = 0; i < 100 && code !== 0; i++) {
    if (i > 0) await sleep(50);
    const dig = spawn('dig', ['@127.0.0.1', '-p', String(PORT), name, '+tries=3', '+time=1', ...more], {
      stdio: 'ignore',
    });
    [code] = (await once(dig, 'exit')) as [number | null];
  }
  assert.equal(code, 0, `an answer about ${name}`);
}

/** Runs the resolver against a listener of ours and asks it twice, by UDP and TCP. */
async function withUnbound(folder: string, tap: string, seen: Line[]): Promise<void> {
  const config = join(folder, 'unbound.conf');
  writeFileSync(config, unboundConfig(folder, tap));
  const unbound = spawn('unbound', ['-d', '-c', config], { stdio: 'ignore' });
  try {
    await ask('a.example');
    await ask('b.example', '+tcp');
    await until(() => seen.length >= 4, `4 messages, ${seen.length} came`);
  } finally {
    await stop(unbound);
  }
}

function check(seen: readonly Line[]): void {
  assert.deepEqual(
    seen.map(({ type, transport, sender }) => [type, transport, sender]),
    [
      [5, 17, 'tester'],
      [6, 17, 'tester'],
      [5, 6, 'tester'],
      [6, 6, 'tester'],
    ],
  );
}

for (const [kind, twoWay] of [
  ['unix', 'yes'],
  ['unix', 'no'],
  ['tcp', 'yes'],
] as const) {
  test(`unbound speaks dnstap over ${kind}, ${twoWay === 'yes' ? 'with' : 'without'} the handshake`, async () => {
    const folder = mkdtempSync('/tmp/nametap-tap-');
    const path = join(folder, 'tap.sock');
    const source = await openDnstap(kind === 'unix' ? { kind, path } : { kind, host: '127.0.0.1', port: PORT + 1 });
    const end = new AbortController();
    const seen: Line[] = [];
    const done = source.messages(end.signal, (c) => seen.push(lineOf(c)));
    const where =
      kind === 'unix' ? `dnstap-socket-path: "${path}"` : `dnstap-ip: "127.0.0.1@${PORT + 1}"\n  dnstap-tls: no`;
    await withUnbound(folder, `${where}\n  dnstap-bidirectional: ${twoWay}`, seen);
    end.abort();
    await done;
    check(seen);
    assert.deepEqual(source.damage, []);
    rmSync(folder, { recursive: true });
  });
}

test('unbound speaks dnstap over TLS', async () => {
  const folder = mkdtempSync('/tmp/nametap-tap-');
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=tap.test'].concat([
      '-addext',
      'subjectAltName=DNS:tap.test',
      '-keyout',
      key,
      '-out',
      certificate,
    ]),
    { stdio: 'ignore' },
  );
  const tls = { certificate, key };
  const source = await openDnstap({ kind: 'tcp', host: '127.0.0.1', port: PORT + 1, tls });
  const end = new AbortController();
  const seen: Line[] = [];
  const done = source.messages(end.signal, (c) => seen.push(lineOf(c)));
  const tap = `dnstap-ip: "127.0.0.1@${PORT + 1}"
  dnstap-tls: yes
  dnstap-tls-server-name: "tap.test"
  dnstap-tls-cert-bundle: "${certificate}"`;
  await withUnbound(folder, tap, seen);
  const other = connectTls({
    host: '127.0.0.1',
    port: PORT + 1,
    ca: readFileSync(certificate),
    servername: 'tap.test',
  });
  await once(other, 'secureConnect');
  other.destroy();
  // One that never begins the handshake.
  const silent = connect(PORT + 1, '127.0.0.1').on('error', () => {});
  await once(silent, 'connect');
  const asked = performance.now();
  end.abort();
  await done;
  assert.ok(performance.now() - asked < 5000, 'the end waits for a silent sender');
  check(seen);
  rmSync(folder, { recursive: true });
});

test('a file written by fstrm_capture reads as dnstap-ldns reads it', async () => {
  const folder = mkdtempSync('/tmp/nametap-tap-');
  const [path, file] = [join(folder, 'tap.sock'), join(folder, 'tap.fstrm')];
  const capture = spawn('fstrm_capture', ['-t', 'protobuf:dnstap.Dnstap', '-u', path, '-w', file], { stdio: 'ignore' });
  await until(() => existsSync(path), 'fstrm_capture listens');
  const config = join(folder, 'unbound.conf');
  writeFileSync(config, unboundConfig(folder, `dnstap-socket-path: "${path}"`));
  const unbound = spawn('unbound', ['-d', '-c', config], { stdio: 'ignore' });
  try {
    await ask('a.example');
    await ask('b.example', '+tcp');
    await sleep(1500);
  } finally {
    await stop(unbound);
    await sleep(300);
    await stop(capture);
  }
  const source = await openDnstap({ kind: 'file', path: file });
  const lines: string[] = [];
  await source.messages(new AbortController().signal, (c) => {
    const time = new Date(c.seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
    const micros = String(Math.floor(c.nanos / 1000)).padStart(6, '0');
    lines.push(
      `${time}.${micros} ${c.tapType === 5 ? 'CQ' : 'CR'} 127.0.0.1 ${c.transport === 6 ? 'TCP' : 'UDP'} ${c.length}b`,
    );
  });
  const expected = execFileSync('dnstap-ldns', ['-q', '-r', file], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
  });
  assert.equal(lines.length, 4);
  assert.deepEqual(
    lines,
    expected
      .trim()
      .split('\n')
      .map((line) => line.replace(/b ".*$/, 'b')),
  );
  assert.deepEqual(source.damage, []);
  rmSync(folder, { recursive: true });
});
