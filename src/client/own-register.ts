import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { noteOwnSocket, type OwnProtocol, tellOwnSockets } from './own-traffic.ts';

/**
 * How commands of nametap tell a nametap that serves on the same machine which sockets are theirs: a file of the serving
 * one, to which a command appends a line before it sends a packet, and which is read before rows are judged. Only root and
 * whoever started the serving one may write to it: whoever could, could hide his traffic from detectors.
 */
const NAME = /^own-(\d{1,10})$/;
/** `+ udp 192.0.2.1 53211 PID TIME` when a socket opens, `-` when it closes. */
const LINE = /^([+-]) (udp|tcp|icmp) (\S{2,64}) (\d{1,5}) (\d{1,10}) (\d{1,14})$/;
/** Longest line, with room. */
const MOST_LINE = 256;
/** The file is emptied beyond that; a command writes no more into one that nobody empties. */
const MOST_BYTES = 1 << 20;
const MOST_UNREAD = 8 << 20;
/** Sockets of others that are remembered as open. */
const MOST_OPEN = 65_536;
/** Programs that ended without a word, and addresses of this machine, are looked at so often. */
const LOOK_MS = 2000;

/** Where registers are, the best place first. `NAMETAP_RUN` names another, for both. */
function folders(): string[] {
  const { NAMETAP_RUN, RUNTIME_DIRECTORY, XDG_RUNTIME_DIR } = process.env;
  if (NAMETAP_RUN !== undefined && NAMETAP_RUN !== '') return [NAMETAP_RUN];
  const user = process.getuid?.() ?? 0;
  return [
    ...(RUNTIME_DIRECTORY === undefined ? [] : RUNTIME_DIRECTORY.split(':').slice(0, 1)),
    '/run/nametap',
    ...(XDG_RUNTIME_DIR === undefined ? [] : [join(XDG_RUNTIME_DIR, 'nametap')]),
    join(tmpdir(), `nametap-${user}`),
  ];
}

/** Whether nobody else can have put anything there. */
function isSafe(folder: string): boolean {
  const { uid, mode } = lstatSync(folder);
  return (uid === 0 || uid === process.getuid?.()) && (mode & 0o022) === 0;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's, whom we may not signal.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** From now on every nametap that serves on this machine, and lets us, hears of the sockets of this program. */
export function tellServing(): void {
  const files = folders().flatMap(registersIn);
  if (files.length === 0) return;
  tellOwnSockets((sign, protocol, address, port) => {
    const line = `${sign} ${protocol} ${address} ${port} ${process.pid} ${Date.now()}\n`;
    for (const [i, file] of files.entries()) {
      try {
        writeSync(file, line);
      } catch {
        // It has no room, or is gone: that one takes us for others.
        files.splice(i, 1);
      }
    }
  });
}

/** Registers of a folder, open for writing. */
function registersIn(folder: string): number[] {
  try {
    return readdirSync(folder).flatMap((name) => opened(folder, name));
  } catch {
    // Nobody serves there.
    return [];
  }
}

function opened(folder: string, name: string): number[] {
  const pid = NAME.exec(name)?.[1];
  if (pid === undefined || !isAlive(Number(pid))) return [];
  try {
    const file = openSync(join(folder, name), constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
    if (fstatSync(file).size < MOST_UNREAD) return [file];
    closeSync(file);
  } catch {
    // Not for us.
  }
  return [];
}

/** The register of a nametap that serves. */
export class OwnRegister {
  readonly #file: number;
  readonly #path: string;
  readonly #buffer = Buffer.alloc(65_536);
  #at = 0;
  /** What did not end with a line. */
  #rest = '';
  /** Sockets that commands have open: whose, and what to call when they are closed. */
  readonly #open = new Map<string, { pid: number; forget: () => void }>();
  #addresses = new Set<string>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens one in the first place where that can be done, for who runs it now only; null where there is none. */
  static open(): OwnRegister | null {
    if (process.getuid === undefined) return null;
    for (const folder of folders()) {
      try {
        mkdirSync(folder, { recursive: true, mode: 0o755 });
        if (!isSafe(folder)) continue;
        dropStale(folder);
        const path = join(folder, `own-${process.pid}`);
        const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
        return new OwnRegister(path, file);
      } catch {
        // The next place may do.
      }
    }
    return null;
  }

  get path(): string {
    return this.#path;
  }

  /** Takes what commands have written since. A look at the file's size where that is nothing. */
  read(): void {
    const { size } = fstatSync(this.#file);
    if (size !== this.#at) this.#take(size);
    if (performance.now() - this.#lookedAt > LOOK_MS) this.#look();
  }

  close(): void {
    closeSync(this.#file);
    for (const { forget } of this.#open.values()) forget();
    try {
      unlinkSync(this.#path);
    } catch {
      // Without the right to: whoever comes next sees that we are gone.
    }
  }

  #take(size: number): void {
    if (size < this.#at) this.#at = 0;
    for (;;) {
      const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#at);
      if (length === 0) break;
      this.#at += length;
      const lines = (this.#rest + this.#buffer.toString('latin1', 0, length)).split('\n');
      this.#rest = (lines.pop() ?? '').slice(0, MOST_LINE);
      for (const line of lines) this.#line(line);
    }
    if (this.#at < MOST_BYTES) return;
    // What comes between reading to the end and this is lost: a socket or two in a million.
    ftruncateSync(this.#file, 0);
    this.#at = 0;
    this.#rest = '';
  }

  #line(line: string): void {
    const [, sign, protocol, address, port, pid, time] = LINE.exec(line) ?? [];
    if (sign === undefined || Number(port) > 65_535) return;
    const key = `${protocol} ${address} ${port} ${pid}`;
    if (sign === '-') {
      this.#open.get(key)?.forget();
      this.#open.delete(key);
      return;
    }
    // Of other machines nobody here can tell.
    if (isIP(address) === 0 || !this.#isHere(address)) return;
    const now = Date.now();
    const at = Math.abs(now - Number(time)) < 60_000 ? Number(time) : now;
    this.#open.set(key, {
      pid: Number(pid),
      forget: noteOwnSocket(protocol as OwnProtocol, address, Number(port), at),
    });
    if (this.#open.size <= MOST_OPEN) return;
    for (const [oldest, { forget }] of this.#open) {
      forget();
      this.#open.delete(oldest);
      break;
    }
  }

  #isHere(address: string): boolean {
    // All of 127.0.0.0/8 is.
    if (/^127\.|^::1$/.test(address)) return true;
    if (!this.#addresses.has(address)) this.#look();
    return this.#addresses.has(address);
  }

  #look(): void {
    const now = performance.now();
    // A flood of strange addresses makes no flood of looks.
    if (now - this.#lookedAt < LOOK_MS / 10) return;
    this.#lookedAt = now;
    this.#addresses = new Set(
      Object.values(networkInterfaces()).flatMap((ends) => ends?.map((end) => end.address) ?? []),
    );
    const gone = new Set([...new Set([...this.#open.values()].map(({ pid }) => pid))].filter((pid) => !isAlive(pid)));
    if (gone.size === 0) return;
    for (const [key, { pid, forget }] of this.#open) {
      if (!gone.has(pid)) continue;
      forget();
      this.#open.delete(key);
    }
  }
}

/** Registers of those that ended without closing theirs. */
function dropStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid)))) unlinkSync(join(folder, name));
  }
}
