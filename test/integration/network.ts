import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Names that no other run uses at the same time. */
const TAG = `nt${process.pid}`;

/** Two network namespaces joined by a cable, a resolver in one of them. Needs root. */
export class Network {
  readonly client = `${TAG}c`;
  readonly server = `${TAG}s`;
  /** Interface in both. */
  readonly link = 'eth0';
  readonly folder = mkdtempSync(join(tmpdir(), 'nametap-live-'));
  readonly #children = new Set<ChildProcess>();

  constructor() {
    const { client, server, link } = this;
    for (const space of [client, server]) ip('netns', 'add', space);
    ip('-n', client, 'link', 'add', link, 'type', 'veth', 'peer', 'name', link, 'netns', server);
    for (const [space, last] of [
      [client, 2],
      [server, 1],
    ] as const) {
      // No duplicate address detection: addresses can be used at once.
      this.in(space, 'sh', '-c', 'for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 >$f; done');
      ip('-n', space, 'link', 'set', 'lo', 'up');
      ip('-n', space, 'link', 'set', link, 'up');
      ip('-n', space, 'address', 'add', `10.77.0.${last}/24`, 'dev', link);
      ip('-n', space, 'address', 'add', `fd77::${last}/64`, 'dev', link, 'nodad');
    }
    this.mtu(1280);
  }

  /** Most bytes of a packet on the link. */
  mtu(bytes: number): void {
    for (const space of [this.client, this.server]) ip('-n', space, 'link', 'set', this.link, 'mtu', String(bytes));
  }

  /** Runs a command in a namespace and gives its output. */
  in(space: string, ...command: string[]): string {
    return execFileSync('ip', ['netns', 'exec', space, ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
  }

  /** Starts a command in a namespace; it ends with the network. */
  start(space: string, command: readonly string[], stdio: 'pipe' | 'ignore' = 'pipe'): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', space, ...command], { stdio: ['ignore', stdio, stdio] });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** A resolver that answers on every address of the server's namespace. */
  async startResolver(): Promise<void> {
    const long = 'x'.repeat(250);
    const config = join(this.folder, 'unbound.conf');
    writeFileSync(
      config,
      `server:
  interface: 0.0.0.0
  interface: ::0
  interface-automatic: yes
  access-control: 0.0.0.0/0 allow
  access-control: ::0/0 allow
  username: ""
  chroot: ""
  directory: "${this.folder}"
  pidfile: "${this.folder}/unbound.pid"
  use-syslog: no
  logfile: "${this.folder}/unbound.log"
  do-daemonize: no
  edns-buffer-size: 4096
  max-udp-size: 4096
  ip-ratelimit: 0
  local-zone: "example." static
  local-data: "a.example. A 192.0.2.7"
  local-data: "a.example. AAAA 2001:db8::7"
${Array.from({ length: 12 }, (_, i) => `  local-data: 'big.example. TXT "${i} ${long}"'\n`).join('')}remote-control:
  control-enable: no
`,
    );
    this.start(this.server, ['unbound', '-d', '-c', config], 'ignore');
    for (let i = 0; i < 100; i++) {
      const dig = ['dig', '+time=1', '+tries=1', '+short', '@127.0.0.1', 'a.example'];
      if (spawnSync('ip', ['netns', 'exec', this.server, ...dig], { encoding: 'utf8' }).stdout.includes('192.0.2.7'))
        return;
      await sleep(50);
    }
    assert.fail('the resolver answers');
  }

  /** One lookup from the client. */
  dig(...words: string[]): void {
    this.in(this.client, 'dig', '+time=2', '+tries=1', '+noall', '+comments', ...words);
  }

  /** Sends 500 names `times` over as fast as the resolver answers, each once; how many queries. */
  dnsperf(server: string, { times = 1, mode = 'udp' }: { times?: number; mode?: 'udp' | 'tcp' } = {}): number {
    const names = join(this.folder, 'names');
    const lines = Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? `n${i}.example A` : 'a.example AAAA'));
    writeFileSync(names, `${lines.join('\n')}\n`);
    const words = ['-d', names, '-c', '8', '-S', '0', '-s', server, '-n', String(times), '-m', mode];
    const said = this.in(this.client, 'dnsperf', ...words);
    const sent = Number(/Queries sent:\s+(\d+)/.exec(said)?.[1]);
    assert.equal(Number(/Queries completed:\s+(\d+)/.exec(said)?.[1]), sent, said);
    return sent;
  }

  async remove(): Promise<void> {
    for (const child of this.#children) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    for (const space of [this.client, this.server]) spawnSync('ip', ['netns', 'del', space]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
