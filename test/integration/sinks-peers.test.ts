import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/app/config.ts';
import { Sinks } from '../../src/app/sinks.ts';
import { expected, rows } from '../sinks/numbered.ts';
import { until } from '../until.ts';

const UDP_PORT = 25_514;
const TCP_PORT = 25_515;
const TLS_PORT = 25_516;

const folder = mkdtempSync(join(tmpdir(), 'nametap-peers-'));
const children = new Set<ChildProcess>();
const opened: Sinks[] = [];
afterEach(async () => {
  for (const child of children) await stop(child, 'SIGKILL');
  for (const sinks of opened.splice(0)) await sinks.close();
});
after(() => rmSync(folder, { recursive: true }));

function start(command: string, words: string[]): ChildProcess {
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  child.kill(signal);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

const notices: string[] = [];

/** Sinks by their configuration, as serve opens them. */
function openSinks(settings: object): Sinks {
  const { config } = loadConfig({ environment: {}, flags: { sinks: JSON.stringify(settings) } });
  const say = (_: object, message: string) => notices.push(message);
  const sinks = new Sinks(config.sinks, {
    sensor: 'sensor-1',
    version: '1.2.3',
    folder: join(folder, 'kept'),
    vantage: 'client',
    interfaces: [],
    exporter: null,
    log: { info: say, warn: say, error: say },
  });
  opened.push(sinks);
  return sinks;
}

function write(sinks: Sinks, from: number, to: number): void {
  const batch = rows(from, to);
  sinks.rows(batch, 0, batch.count);
}

/** A certificate of its own authority. */
function certificate(): { certificate: string; key: string } {
  const paths = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const subject = ['-subj', '/CN=logs.test', '-addext', 'subjectAltName=DNS:logs.test'];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject];
  execFileSync('openssl', [...words, '-keyout', paths.key, '-out', paths.certificate], { stdio: 'ignore' });
  return paths;
}

const lines = join(folder, 'lines');
const socket = join(folder, 'log.sock');
const { certificate: certificateFile, key } = certificate();

writeFileSync(
  join(folder, 'rsyslog.conf'),
  `global(workDirectory="${folder}" maxMessageSize="64k" net.enableDNS="off"
  defaultNetstreamDriverCAFile="${certificateFile}" defaultNetstreamDriverCertFile="${certificateFile}"
  defaultNetstreamDriverKeyFile="${key}")
module(load="imudp")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="0" streamDriver.authMode="anon")
module(load="imuxsock" sysSock.use="off")
input(type="imudp" address="127.0.0.1" port="${UDP_PORT}" name="udp")
input(type="imtcp" address="127.0.0.1" port="${TCP_PORT}" name="tcp")
input(type="imtcp" address="127.0.0.1" port="${TLS_PORT}" name="tls" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imuxsock" socket="${socket}" useSpecialParser="off" parseHostname="on" ignoreTimestamp="off" rateLimit.interval="0")
template(name="line" type="string" string="%inputname% %pri% %timegenerated:::date-rfc3339% %timereported:::date-rfc3339% %hostname% %app-name% %msgid% %msg%\\n")
action(type="omfile" file="${lines}" template="line")
`,
);

function startRsyslog(): ChildProcess {
  const config = join(folder, 'rsyslog.conf');
  return start('rsyslogd', ['-n', '-f', config, '-i', 'NONE']);
}

/** What rsyslog wrote: of an input, the fields and the name in each message. */
function received(input: string): { fields: string; name: string }[] {
  if (!existsSync(lines)) return [];
  return readFileSync(lines, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${input} `))
    .map((line) => {
      const [, priority, , time, host, app, id, json] = /^(\S+) (\S+) (\S+) (\S+) (\S+) (\S+) ?(\{.*)$/.exec(
        line.slice(input.length + 1),
      ) ?? [line];
      return {
        fields: [priority, time, host, app, id].join(' '),
        name: json === undefined ? line : (JSON.parse(json) as { name: string }).name,
      };
    });
}

test('rsyslog takes every message over UDP, TCP, TLS and its Unix socket, with all fields', async () => {
  const rsyslog = startRsyslog();
  await until(() => existsSync(socket), 'rsyslog listens');
  const sinks = openSinks({
    udp: { type: 'syslog', to: `udp:127.0.0.1:${UDP_PORT}` },
    tcp: { type: 'syslog', to: `tcp:127.0.0.1:${TCP_PORT}` },
    tls: { type: 'syslog', to: `tls:127.0.0.1:${TLS_PORT}`, tls: { authority: certificateFile, name: 'logs.test' } },
    unix: { type: 'syslog', to: `unix:${socket}` },
  });
  for (let i = 0; i < 1000; i += 50) {
    write(sinks, i, i + 50);
    await sinks.ready();
    await sleep(5);
  }
  await sinks.close();
  assert.deepEqual(notices, []);
  for (const input of ['udp', 'tcp', 'tls', 'imuxsock']) {
    await until(() => received(input).length >= 1000, `${input}: ${received(input).length} of 1000`);
    const got = received(input);
    assert.deepEqual(
      got.map(({ name }) => name),
      expected(0, 1000),
      input,
    );
    assert.equal(got[1].fields, '134 2023-11-14T22:13:21.123456Z sensor-1 nametap transaction', input);
  }
  await stop(rsyslog);
  rmSync(lines);
  rmSync(socket, { force: true });
});

test('rsyslog is killed and started again: nothing is missing, and all is in order', async () => {
  let rsyslog = startRsyslog();
  await until(() => existsSync(socket), 'rsyslog listens');
  const sinks = openSinks({
    tcp: { type: 'syslog', to: `tcp:127.0.0.1:${TCP_PORT}` },
    unix: { type: 'syslog', to: `unix:${socket}` },
  });
  notices.length = 0;
  for (let i = 0; i < 2000; i += 20) {
    write(sinks, i, i + 20);
    await sleep(10);
    if (i === 600) await stop(rsyslog, 'SIGKILL');
    if (i === 1200) rsyslog = startRsyslog();
  }
  await until(() => sinks.states().every(({ queue }) => queue === 0), JSON.stringify(sinks.states()));
  await sinks.close();
  await until(() => new Set(received('tcp').map(({ name }) => name)).size >= 2000, `${received('tcp').length} of 2000`);
  // Over TCP what was on its way comes again; what rsyslog had in its memory too.
  assert.deepEqual([...new Set(received('tcp').map(({ name }) => name))], expected(0, 2000));
  // A Unix datagram is with the receiver once it is sent: what it had not written when it was killed is lost with it.
  const unix = new Set(received('imuxsock').map(({ name }) => name));
  assert.deepEqual(
    [...unix],
    expected(0, 2000).filter((name) => unix.has(name)),
  );
  assert.ok(unix.size > 1900, `${unix.size} of 2000`);
  assert.ok(
    notices.some((text) => text.includes('works again')),
    notices.join('\n'),
  );
  await stop(rsyslog);
});

test('a receiver whose certificate is not known gets nothing', async () => {
  startRsyslog();
  await until(() => existsSync(socket), 'rsyslog listens');
  notices.length = 0;
  const sinks = openSinks({
    unknown: { type: 'syslog', to: `tls:127.0.0.1:${TLS_PORT}` },
    other: { type: 'syslog', to: `tls:127.0.0.1:${TLS_PORT}`, tls: { authority: certificateFile, name: 'other.test' } },
  });
  write(sinks, 0, 10);
  await until(() => sinks.states().every(({ error }) => error !== null), 'both are refused');
  assert.match(notices.join('\n'), /unknown: Cannot reach tls:127\.0\.0\.1:\d+: self-signed certificate/);
  assert.match(notices.join('\n'), /other: Cannot reach .*Hostname\/IP does not match certificate/);
});

test('dnstap goes to fstrm_capture, and dnstap-ldns reads it as it was', async () => {
  const path = join(folder, 'tap.sock');
  const file = join(folder, 'out.fstrm');
  const capture = start('fstrm_capture', ['-t', 'protobuf:dnstap.Dnstap', '-u', path, '-w', file]);
  await until(() => existsSync(path), 'fstrm_capture listens');
  notices.length = 0;
  const sinks = openSinks({ tap: { type: 'dnstap', to: `unix:${path}` } });
  for (let i = 0; i < 1000; i += 50) {
    write(sinks, i, i + 50);
    await sleep(2);
  }
  await sinks.close();
  assert.deepEqual(notices, []);
  await stop(capture, 'SIGINT');
  const text = execFileSync('dnstap-ldns', ['-r', file], { encoding: 'utf8' }).trimEnd().split('\n');
  assert.equal(text.length, 2000);
  assert.equal(text[2], '2023-11-14 22:13:21.123456 CQ 192.0.2.10 UDP 30b "n000001.test." IN A');
  assert.equal(text[3], '2023-11-14 22:13:21.133456 CR 192.0.2.10 UDP 46b "n000001.test." IN A');
  const yaml = execFileSync('dnstap-ldns', ['-y', '-r', file], { encoding: 'utf8', maxBuffer: 1 << 24 });
  const [query] = yaml.split('---\n');
  for (const wanted of [
    'identity: "sensor-1"',
    'version: "nametap 1.2.3"',
    'type: CLIENT_QUERY',
    'query_time: !!timestamp 2023-11-14 22:13:20.123456',
    'socket_family: INET',
    'socket_protocol: UDP',
    'query_address: "192.0.2.10"',
    'response_address: "198.51.100.53"',
    'query_port: 40000',
    'response_port: 53',
  ]) {
    assert.ok(query.includes(wanted), `${wanted} in ${query}`);
  }
});

test('tshark finds nothing wrong with packets that were built again', async () => {
  const path = join(folder, 'dns.pcapng');
  const sinks = openSinks({ file: { type: 'pcapng', path } });
  write(sinks, 0, 100);
  await sinks.close();
  const checks = ['ip', 'udp', 'tcp'].flatMap((layer) => ['-o', `${layer}.check_checksum:TRUE`]);
  const fields = [
    'frame.time_epoch',
    'ip.src',
    'udp.srcport',
    'dns.qry.name',
    'dns.a',
    'dns.time',
    'ip.checksum.status',
    'udp.checksum.status',
  ];
  const words = [
    '-r',
    path,
    ...checks,
    '-T',
    'fields',
    '-E',
    'separator=/s',
    ...fields.flatMap((field) => ['-e', field]),
  ];
  const out = execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .trimEnd()
    .split('\n');
  assert.equal(out.length, 200);
  assert.equal(out[0], '1700000000.123456789 192.0.2.10 40000 n000000.test   1 1');
  assert.equal(out[1], '1700000000.133456789 198.51.100.53 53 n000000.test 192.0.2.7 0.010000000 1 1');
  const expert = execFileSync('tshark', ['-r', path, ...checks, '-Y', '_ws.expert || _ws.malformed'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  assert.equal(expert, '');
});
