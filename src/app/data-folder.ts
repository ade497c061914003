import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { Account } from './input.ts';

/** A running `nametap serve`, as it announces itself in its data folder. */
export interface Announcement {
  url: string;
  pid: number;
}

/** The folder of everything that nametap keeps: who owns it, what lies where, and who is using it. */
export class DataFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** Path of a part: `store`, `demo`, `packets`, `privacy.keys`. */
  part(name: string): string {
    return join(this.path, name);
  }

  /** Makes the folder, for its owner only. Throws UserError (exit code 3) where nothing can be written. */
  create(): void {
    try {
      if (!existsSync(this.path)) mkdirSync(this.path, { recursive: true, mode: 0o700 });
      if (!statSync(this.path).isDirectory()) throw new Error('it is a file');
      accessSync(this.path, constants.R_OK | constants.W_OK | constants.X_OK);
      // The file system may be read-only whatever its rights say, and root may do everything.
      const probe = this.part(`.probe-${process.pid}`);
      writeFileSync(probe, '');
      rmSync(probe);
    } catch (error) {
      throw new UserError(
        `The data folder ${this.path} cannot be written to: ${reasonOf(error)}. Name another one with --data FOLDER.`,
        EXIT.file,
        { cause: error },
      );
    }
  }

  /** Gives all of it to the user that nametap is about to become. Links are not followed. */
  giveTo({ uid, gid }: Account): void {
    const waiting = [this.path];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const stat = lstatSync(path);
      // A further name of somebody else's file: it is not ours to give.
      if (!stat.isDirectory() && stat.nlink > 1) continue;
      if (stat.uid !== uid || stat.gid !== gid) lchownSync(path, uid, gid);
      if (stat.isDirectory()) for (const name of readdirSync(path)) waiting.push(join(path, name));
    }
  }

  /** The token that signs in as operator: made up once and kept in a file that only its owner reads. */
  token(): string {
    const path = this.part('token');
    const known = readToken(path);
    if (known !== undefined) {
      chmodSync(path, 0o600);
      return known;
    }
    const made = randomBytes(24).toString('base64url');
    writeFileSync(path, `${made}\n`, { mode: 0o600 });
    chmodSync(path, 0o600);
    return made;
  }

  /** Says that this process serves the folder. */
  announce(url: string): void {
    const announcement: Announcement = { url, pid: process.pid };
    writeFileSync(this.part('serve.json'), `${JSON.stringify(announcement)}\n`, { mode: 0o600 });
  }

  /** Takes it back. */
  withdraw(): void {
    if (this.announced()?.pid === process.pid) rmSync(this.part('serve.json'), { force: true });
  }

  /** Who serves the folder, if the process is still there. */
  announced(): Announcement | undefined {
    let found: Partial<Announcement>;
    try {
      found = JSON.parse(readFileSync(this.part('serve.json'), 'utf8')) as Partial<Announcement>;
    } catch {
      // Nobody does, or wrote half of it when the machine went down.
      return undefined;
    }
    const { url, pid } = found;
    if (typeof url !== 'string' || typeof pid !== 'number' || !isAlive(pid)) return undefined;
    return { url, pid };
  }

  /** What a client needs to speak to whoever serves the folder; undefined when nobody does. */
  serving(): { url: string; token: string | undefined } | undefined {
    const found = this.announced();
    return found === undefined ? undefined : { url: found.url, token: readToken(this.part('token')) };
  }
}

/** The folder on the way to a path that a user may not enter; undefined when all are open. Access lists are not looked at. */
export function closedFolder(path: string, { uid, gid }: Pick<Account, 'uid' | 'gid'>): string | undefined {
  const above: string[] = [];
  for (let at = resolve(path); at !== dirname(at); at = dirname(at)) above.unshift(dirname(at));
  return above.find((folder) => {
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat === undefined) return false;
    const bit = stat.uid === uid ? 0o100 : stat.gid === gid ? 0o010 : 0o001;
    return (stat.mode & bit) === 0;
  });
}

function readToken(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Also true for a process of somebody else. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
