import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
const LIBRARY = '/usr/lib/postgresql';

/** Settings of a server that is there for a while: small, on loopback, with its statistics. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  wal_level: 'replica',
  max_wal_senders: '8',
  hot_standby: 'on',
  shared_buffers: '256MB',
  max_wal_size: '4GB',
  work_mem: '32MB',
  maintenance_work_mem: '128MB',
  max_connections: '60',
  shared_preload_libraries: 'pg_stat_statements',
  track_io_timing: 'on',
};

/** One server of a cluster. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly folder: string;
  /** CPU seconds of all its processes since it was started (Linux). */
  cpuSeconds(): number;
  /** Ends at once, as after a power cut; the folder stays. */
  kill(): Promise<void>;
  /** Starts again over its folder, on its port. */
  again(): Promise<void>;
}

export interface PostgresService {
  readonly primary: PostgresServer;
  readonly replicas: readonly PostgresServer[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `postgres://user:password@host:port/database` of a server. */
  url(server?: PostgresServer): string;
  /** Ends all servers; their folders go. */
  stop(): Promise<void>;
}

/** Folder of the newest server's programs. */
function programs(): string {
  const newest = existsSync(LIBRARY) ? readdirSync(LIBRARY).sort((a, b) => Number(b) - Number(a))[0] : undefined;
  if (newest === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  return join(LIBRARY, newest, 'bin');
}

/** The server refuses to run as root: then its programs run as user postgres. */
const isRoot = process.getuid?.() === 0;

async function ids(): Promise<{ uid: number; gid: number } | undefined> {
  if (!isRoot) return undefined;
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

/** Where the servers of a service are, and who runs them. */
interface Home {
  readonly root: string;
  readonly bin: string;
  readonly as: { uid: number; gid: number } | undefined;
}

const USER = 'nametap';
const PASSWORD = 'a secret of tests';
const DATABASE = 'nametap';

function execute({ root, bin, as }: Home, program: string, ...args: string[]) {
  const env = { PATH: process.env.PATH, LC_ALL: 'C', PGPASSWORD: PASSWORD };
  return run(join(bin, program), args, { ...as, cwd: root, env });
}

function ask(home: Home, port: number, sql: string, database: string) {
  const to = ['-h', '127.0.0.1', '-p', String(port), '-U', USER, '-d', database];
  return execute(home, 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', ...to, '-c', sql);
}

/** Of a process and its children, those that have ended too: /proc/PID/stat counts them in hundredths of a second. */
function cpuOf(parent: number): number {
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
        .map(Number);
      if (Number(name) === parent) ticks += stat[11] + stat[12] + stat[13] + stat[14];
      else if (stat[1] === parent) ticks += stat[11] + stat[12];
    } catch {
      // It has ended meanwhile.
    }
  }
  return ticks / 100;
}

/** Runs a server over its folder. */
async function serve(home: Home, name: string, settings: Readonly<Record<string, string>>): Promise<PostgresServer> {
  const folder = join(home.root, name);
  const port = await freePort();
  const all = { ...SETTINGS, port: String(port), unix_socket_directories: home.root, ...settings };
  const args = Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const begin = () =>
    spawn(join(home.bin, 'postgres'), ['-D', folder, ...args], {
      ...home.as,
      cwd: home.root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  let child: ReturnType<typeof begin> | undefined;
  const again = async () => {
    const started = begin();
    child = started;
    let said = '';
    started.stderr.on('data', (data: Buffer) => {
      said = `${said}${data.toString()}`.slice(-4000);
    });
    for (let tries = 0; ; tries++) {
      if (started.exitCode !== null || tries > 300) throw new Error(`PostgreSQL did not start: ${said}`);
      const isReady = await execute(home, 'pg_isready', '-q', '-h', '127.0.0.1', '-p', String(port)).then(
        () => true,
        () => false,
      );
      if (isReady) return;
      await setTimeout(50);
    }
  };
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // Immediate shutdown: nothing is written any more, and no child of it stays.
    child.kill('SIGQUIT');
    await once(child, 'exit');
  };
  await again();
  const cpuSeconds = () => cpuOf(child?.pid ?? 0);
  return { host: '127.0.0.1', port, folder, cpuSeconds, kill, again };
}

/** Starts a primary and replicas as plain processes on loopback, in a temporary folder. */
export async function start({
  replicas = 0,
  settings = {},
}: {
  replicas?: number;
  settings?: Readonly<Record<string, string>>;
} = {}): Promise<PostgresService> {
  const as = await ids();
  const root = mkdtempSync(join(tmpdir(), 'nametap-postgres-'));
  const home: Home = { root, bin: programs(), as };
  const secret = join(root, 'password');
  writeFileSync(secret, PASSWORD, { mode: 0o600 });
  if (as !== undefined) for (const path of [root, secret]) chownSync(path, as.uid, as.gid);
  const access = ['-U', USER, '-A', 'scram-sha-256', `--pwfile=${secret}`];
  await execute(home, 'initdb', '-D', join(root, 'primary'), ...access, '-E', 'UTF8', '--no-locale', '--no-sync');
  const primary = await serve(home, 'primary', settings);
  await ask(home, primary.port, `CREATE DATABASE ${DATABASE}`, 'postgres');
  await ask(home, primary.port, 'CREATE EXTENSION pg_stat_statements', DATABASE);
  const others: PostgresServer[] = [];
  for (let n = 1; n <= replicas; n++) {
    const from = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', USER];
    await execute(home, 'pg_basebackup', ...from, '-D', join(root, `replica${n}`), '-R', '-X', 'stream', '-c', 'fast');
    others.push(await serve(home, `replica${n}`, settings));
  }
  return {
    primary,
    replicas: others,
    user: USER,
    password: PASSWORD,
    database: DATABASE,
    url: ({ host, port } = primary) => `postgres://${USER}:${encodeURIComponent(PASSWORD)}@${host}:${port}/${DATABASE}`,
    stop: async () => {
      for (const server of [...others, primary]) await server.kill();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
