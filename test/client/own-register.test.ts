import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OwnRegister } from '../../src/client/own-register.ts';
import { isOwnTraffic } from '../../src/client/own-traffic.ts';
import { address, answerTo, tcpServer, framed, udpServer } from './servers.ts';

const NAMETAP = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nametap-own-'));
after(() => rmSync(folder, { recursive: true }));

function opened(t: TestContext): OwnRegister {
  process.env.NAMETAP_RUN = mkdtempSync(join(folder, 'run-'));
  const register = OwnRegister.open();
  assert.ok(register !== null);
  t.after(() => register.close());
  return register;
}

function nametap(...words: string[]): ChildProcess {
  return spawn(process.execPath, [NAMETAP, ...words], { stdio: 'ignore' });
}

test('who serves hears of the sockets of commands beside it, before their packets come', async (t) => {
  const register = opened(t);
  const heard: boolean[] = [];
  const isKnown = (port: number, protocol: 'udp' | 'tcp'): void => {
    register.read();
    heard.push(isOwnTraffic(protocol, '127.0.0.1', port, Date.now()));
  };
  const udp = await udpServer(t, (query, reply, { port }) => {
    isKnown(port, 'udp');
    reply(answerTo(query, { answers: [address('www.example')] }));
  });
  const tcp = await tcpServer(t, (query, socket) => {
    isKnown(socket.remotePort ?? 0, 'tcp');
    socket.write(framed(answerTo(query)));
  });
  const names = join(folder, 'names.txt');
  writeFileSync(names, 'www.example A\n');
  for (const words of [
    ['query', `@127.0.0.1:${udp.port}`, 'www.example'],
    ['query', `@tcp://127.0.0.1:${tcp.port}`, 'www.example'],
    ['probe', 'dns', `127.0.0.1:${udp.port}`],
    ['replay', names, `@127.0.0.1:${udp.port}`],
    ['trace', 'www.example', '--root', '127.0.0.1', '-p', String(udp.port), '--no-dnssec'],
  ])
    await once(nametap(...words), 'exit');
  assert.ok(heard.length >= 5, `${heard.length} questions`);
  assert.deepEqual(
    heard.filter((isOwn) => !isOwn),
    [],
  );
});

test('what another writes there cannot hide other machines, and is bounded', (t) => {
  const register = opened(t);
  const now = Date.now();
  const line = (of: string, port: number, sign = '+') => `${sign} udp ${of} ${port} ${process.pid} ${now}\n`;
  const own = Object.values(networkInterfaces()).flatMap((ends) => ends ?? []);
  const here = own.find(({ internal }) => !internal)?.address.split('%')[0] ?? '127.0.0.1';
  appendFileSync(register.path, line(here, 5001) + line('192.0.2.99', 5002) + line('127.0.0.1', 99_999));
  appendFileSync(register.path, `\x00\xff nonsense\n${'x'.repeat(3 << 20)}\n+ udp 127.0.0.1 50`);
  register.read();
  appendFileSync(register.path, `03 ${process.pid} ${now}\n`);
  register.read();
  assert.equal(isOwnTraffic('udp', here, 5001, now), true);
  assert.equal(isOwnTraffic('udp', '192.0.2.99', 5002, now), false);
  assert.equal(statSync(register.path).size < 1 << 20, true, 'it is emptied when it has grown');
  appendFileSync(register.path, line('127.0.0.1', 5004));
  register.read();
  assert.equal(isOwnTraffic('udp', '127.0.0.1', 5004, now), true);
  appendFileSync(register.path, line('127.0.0.1', 5004, '-'));
  register.read();
  assert.equal(isOwnTraffic('udp', '127.0.0.1', 5004, now + 30_000), true, 'an answer may be on its way');
  assert.equal(isOwnTraffic('udp', '127.0.0.1', 5004, now + 60_000), false);
});

test('sockets of a command that ended without a word are forgotten', async (t) => {
  const register = opened(t);
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  appendFileSync(register.path, `+ tcp 127.0.0.1 5010 ${child.pid} ${Date.now()}\n`);
  register.read();
  child.kill('SIGKILL');
  await once(child, 'exit');
  await sleep(2100);
  register.read();
  assert.equal(isOwnTraffic('tcp', '127.0.0.1', 5010, Date.now()), true);
  assert.equal(isOwnTraffic('tcp', '127.0.0.1', 5010, Date.now() + 60_000), false);
});

test('a register is left by its owner, and never kept where others may write', (t) => {
  process.env.NAMETAP_RUN = join(folder, 'open');
  mkdirSync(process.env.NAMETAP_RUN);
  chmodSync(process.env.NAMETAP_RUN, 0o777);
  assert.equal(OwnRegister.open(), null);
  process.env.NAMETAP_RUN = join(folder, 'stale');
  mkdirSync(process.env.NAMETAP_RUN, { mode: 0o755 });
  writeFileSync(join(process.env.NAMETAP_RUN, 'own-999999999'), '');
  const register = OwnRegister.open();
  assert.ok(register !== null);
  assert.equal(existsSync(join(process.env.NAMETAP_RUN, 'own-999999999')), false);
  register.close();
  assert.equal(existsSync(register.path), false);
  t.diagnostic(register.path);
});
