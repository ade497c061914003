import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Starts a primary and replicas as plain processes on loopback, in a temporary folder. */
export async function start({
  replicas = 0,
  settings = {},
}: {
  replicas?: number;
  settings?: Readonly<Record<string, string>>;
} = {}): Promise<PostgresService> {
  const bin = programs();
  const as = await ids();
  const root = mkdtempSync(join(tmpdir(), 'nametap-postgres-'));
  if (as !== undefined) chownSync(root, as.uid, as.gid);
  const [user, password, database] = ['nametap', 'a secret of tests', 'nametap'];
  const execute = (program: string, args: readonly string[], env: Record<string, string> = {}) =>
    run(join(bin, program), args, { ...as, cwd: root, env: { PATH: process.env.PATH, LC_ALL: 'C', ...env } });

  const ask = (port: number, sql: string, to = 'postgres') =>
    execute(
      'psql',
      ['-qX', '-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p', String(port), '-U', user, '-d', to, '-c', sql],
      {
        PGPASSWORD: password,
      },
    );
  const serve = async (name: string, port: number): Promise<PostgresServer> => {
    const folder = join(root, name);
    let child: ReturnType<typeof spawn>;
    const again = async () => {
      const all = { ...SETTINGS, port: String(port), unix_socket_directories: root, ...settings };
      const args = Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
      child = spawn(join(bin, 'postgres'), ['-D', folder, ...args], {
        ...as,
        cwd: root,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr?.on('data', (data: Buffer) => {
        said = `${said}${data.toString()}`.slice(-4000);
      });
      for (let tries = 0; ; tries++) {
        if (child.exitCode !== null || tries > 300) throw new Error(`PostgreSQL did not start: ${said}`);
        try {
          await execute('pg_isready', ['-q', '-h', '127.0.0.1', '-p', String(port)]);
          return;
        } catch {
          await setTimeout(50);
        }
      }
    };
    const kill = async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      // Immediate shutdown: nothing is written any more, and no child of it stays.
      child.kill('SIGQUIT');
      await once(child, 'exit');
    };
    await again();
    return { host: '127.0.0.1', port, folder, kill, again };
  };

  const secret = join(root, 'password');
  writeFileSync(secret, password, { mode: 0o600 });
  if (as !== undefined) chownSync(secret, as.uid, as.gid);
  await execute('initdb', [
    ...['-D', join(root, 'primary'), '-U', user, '-A', 'scram-sha-256', `--pwfile=${secret}`],
    ...['-E', 'UTF8', '--no-locale', '--no-sync'],
  ]);
  const primary = await serve('primary', await freePort());
  await ask(primary.port, `CREATE DATABASE ${database}`);
  await ask(primary.port, 'CREATE EXTENSION pg_stat_statements', database);
  const others: PostgresServer[] = [];
  for (let n = 1; n <= replicas; n++) {
    await execute(
      'pg_basebackup',
      [
        '-h',
        '127.0.0.1',
        '-p',
        String(primary.port),
        '-U',
        user,
        '-D',
        join(root, `replica${n}`),
        '-R',
        '-X',
        'stream',
        '-c',
        'fast',
      ],
      { PGPASSWORD: password },
    );
    others.push(await serve(`replica${n}`, await freePort()));
  }
  return {
    primary,
    replicas: others,
    user,
    password,
    database,
    url: (server = primary) =>
      `postgres://${user}:${encodeURIComponent(password)}@${server.host}:${server.port}/${database}`,
    stop: async () => {
      for (const server of [...others, primary]) await server.kill();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
