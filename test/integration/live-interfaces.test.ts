import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { begin, capture } from './live-capture.ts';
import { queriesIn } from './live-rows.ts';
import { Network } from './network.ts';

const FRAMES = fileURLToPath(new URL('live-frames.ts', import.meta.url));
const TUN = fileURLToPath(new URL('tun.ts', import.meta.url));

const network = new Network();
before(() => network.startResolver());
after(() => network.remove());

interface FramesOutcome {
  sources: { frames: string[]; damage: { reason: string }[] }[];
  notices: string[];
}

const ONCE = ' answered queries=1 responses=1 duplicates=0 ';

function local(server: string): void {
  network.in(network.server, 'dig', '+time=2', '+tries=1', `@${server}`, 'a.example');
}

test('on all interfaces every packet of the loopback interface comes once', async () => {
  const { rows, interfaces } = await capture(network, { interfaces: ['any'] }, () => {
    for (let i = 0; i < 5; i++) local('127.0.0.1');
    network.dig('@10.77.0.1', 'a.example');
    network.dig('@fd77::1', 'a.example');
  });
  assert.equal(rows.length, 7);
  assert.ok(rows.every((row) => row.includes(ONCE)));
  assert.deepEqual(interfaces.map(({ name }) => name).slice(0, 1), ['lo']);
  assert.ok(interfaces.some(({ name }) => name === 'eth0'));
});

test('so on the loopback interface alone, with and without workers', async () => {
  for (const threads of [0, 2]) {
    const traffic = () => {
      local('127.0.0.1');
      local('::1');
      network.dig('@10.77.0.1', 'a.example');
    };
    const { rows } = await capture(network, { interfaces: ['lo'] }, traffic, { threads });
    assert.equal(rows.length, 2);
    assert.ok(rows.every((row) => row.includes(ONCE)));
  }
});

test('of several interfaces one may disappear, the others go on', async () => {
  network.in(network.server, 'ip', 'link', 'add', 'mv0', 'link', network.link, 'type', 'macvlan');
  network.in(network.server, 'ip', 'link', 'set', 'mv0', 'up');
  const options = [{ interfaces: [network.link, 'mv0'], filter: 'udp port 53' }, { interfaces: ['mv0'] }];
  const command = [process.execPath, FRAMES, JSON.stringify(options)];
  const { end } = await begin<FramesOutcome>(network, command);
  network.dig('@10.77.0.1', 'a.example');
  network.in(network.server, 'ip', 'link', 'set', 'mv0', 'down');
  await sleep(1000);
  network.in(network.server, 'ip', 'link', 'del', 'mv0');
  await sleep(1000);
  network.dig('@10.77.0.1', 'a.example');
  const { sources, notices } = await end();
  assert.equal(sources[0].frames.length, 4);
  assert.ok(sources[0].frames.every((frame) => frame.startsWith('eth0 1 ')));
  assert.deepEqual(sources[0].damage, []);
  assert.match(sources[1].damage[0].reason, /disappeared/);
  assert.ok(notices.includes('mv0 went down; capture goes on when it is up again.'), notices.join('\n'));
  assert.ok(notices.includes('mv0 has disappeared; capture goes on.'));
});

test('interfaces without a link header are read', async () => {
  const tun = network.start(network.server, [process.execPath, TUN, 'tun0', '10.79.0.1/24']);
  assert.ok(tun.stdout);
  await once(tun.stdout, 'data');
  const ask = () => {
    // Nobody is there to answer.
    for (const server of ['10.79.0.2', '10.79.0.3']) {
      spawnSync('ip', ['netns', 'exec', network.server, 'dig', '+time=1', '+tries=1', `@${server}`, 'a.example']);
    }
  };
  const one = await capture(network, { interfaces: ['tun0'] }, ask);
  assert.equal(queriesIn(one.rows), 2);
  const captureFilter = 'udp port 53 and dst host 10.79.0.3';
  const filtered = await capture(network, { interfaces: ['any'], captureFilter }, ask);
  assert.equal(queriesIn(filtered.rows), 1);
  tun.kill('SIGKILL');
  await once(tun, 'exit');
});

test('frames cut by the snapshot length are counted as cut', async () => {
  const { rows, ledger } = await capture(network, { snaplen: 70 }, () => void network.dnsperf('10.77.0.1'));
  assert.equal(queriesIn(rows), 500);
  // Headers take 42 octets, a question 27 or more.
  assert.ok(ledger.cut > 300, `${ledger.cut} cut`);
  assert.ok(rows.some((row) => row.includes(' 28:')));
});

test('rights are given up when the sockets are open, in every thread', async () => {
  for (const threads of [0, 2]) {
    let sent = 0;
    const traffic = (pid: number) => {
      const tasks = readdirSync(`/proc/${pid}/task`);
      assert.ok(tasks.length > threads);
      for (const task of tasks) {
        const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
        assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
        assert.match(status, /^CapEff:\t0000000000000000$/m);
        assert.match(status, /^Groups:\t65534 $/m);
      }
      sent = network.dnsperf('10.77.0.1');
    };
    const { rows, opened } = await capture(network, {}, traffic, { threads, user: 'nobody' });
    assert.deepEqual([opened.became, opened.uid], ['nobody', 65_534]);
    assert.equal(queriesIn(rows), sent);
  }
});

test('without the right to capture the printed command gives it', () => {
  const user = `ntu${process.pid}`;
  execFileSync('useradd', ['--no-create-home', user]);
  try {
    const uid = execFileSync('id', ['-u', user], { encoding: 'utf8' }).trim();
    const gid = execFileSync('id', ['-g', user], { encoding: 'utf8' }).trim();
    const become = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups'];
    const probe = [process.execPath, FRAMES, JSON.stringify([{ interfaces: [network.link] }])];
    const words = ['netns', 'exec', network.server, ...become, ...probe];
    const without = spawnSync('ip', words, { encoding: 'utf8' });
    assert.notEqual(without.status, 0);
    const command = /^ {2}sudo (setpriv .*)$/m.exec(without.stderr)?.[1];
    assert.ok(command, without.stderr);
    assert.doesNotMatch(without.stderr, /setcap/);
    const script = `${command} & sleep 1; grep -E '^(Uid|CapEff)' /proc/$!/status; kill -INT $!; wait $!`;
    const said = network.in(network.server, 'bash', '-c', script);
    assert.match(said, /^\{"open":true\}$/m);
    assert.match(said, new RegExp(`^Uid:\\t${uid}\\t${uid}`, 'm'));
    // CAP_NET_RAW and nothing else.
    assert.match(said, /^CapEff:\t0000000000002000$/m);
  } finally {
    execFileSync('userdel', [user]);
  }
});

test('libpcap is a source too', async () => {
  let sent = 0;
  const traffic = () => {
    sent = network.dnsperf('10.77.0.1') + network.dnsperf('fd77::1', { mode: 'tcp' });
  };
  const { rows } = await capture(network, {}, traffic, { env: { NAMETAP_CAPTURE: 'libpcap' } });
  assert.equal(queriesIn(rows), sent);
});

// The last one: a link that went down has lost its IPv6 addresses.
test('capture goes on when an interface was down for a while', async () => {
  for (const threads of [0, 1]) {
    const { rows } = await capture(
      network,
      {},
      () => {
        network.dig('@10.77.0.1', 'a.example');
        network.in(network.server, 'ip', 'link', 'set', network.link, 'down');
        execFileSync('sleep', ['0.8']);
        network.in(network.server, 'ip', 'link', 'set', network.link, 'up');
        network.dig('@10.77.0.1', 'a.example');
      },
      { threads },
    );
    assert.equal(queriesIn(rows), 2);
  }
});
