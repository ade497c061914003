import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { EXIT, UserError } from '../../core/errors.ts';

/** A user of the system. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Gives root's rights up for good, for all threads: call it when every socket is open. Becomes `user` (a name or
 * number), by default the user who called sudo, else nobody; `root` keeps the rights. Returns the name of the user, or
 * undefined when nothing changed. Throws UserError when there is no such user.
 */
export function dropRights(user?: string): string | undefined {
  const account = accountToBecome(user);
  if (account === undefined || process.setuid === undefined) return undefined;
  const { name, uid, gid } = account;
  // In this order: without root's uid nothing else can be given up. libc does it in every thread.
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid(uid);
  return name;
}

/** Whom `dropRights` will become; undefined when nothing will change. Throws UserError when there is no such user. */
export function accountToBecome(user?: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const wanted = user ?? (process.env.SUDO_USER || 'nobody');
  return wanted === 'root' || wanted === '0' ? undefined : findAccount(wanted);
}

/** What nobody is where the system has no users at all, as in a container that holds only libc. */
const NOBODY: Account = { name: 'nobody', uid: 65_534, gid: 65_534 };

/** An account by name or number, from /etc/passwd or wherever the system keeps its users. */
function findAccount(wanted: string): Account {
  const account =
    accountIn(readText('/etc/passwd'), wanted) ??
    (/^[\w.@-]+$/.test(wanted) ? accountIn(getent(wanted), wanted) : undefined);
  if (account !== undefined && account.uid !== 0) return account;
  // A number needs no entry.
  if (/^[1-9]\d{0,8}$/.test(wanted)) return { name: wanted, uid: Number(wanted), gid: Number(wanted) };
  if (account === undefined && wanted === NOBODY.name) return NOBODY;
  throw new UserError(
    `There is no user ${wanted} to become after opening the interface. Give one with --user, or --user root to stay root.`,
    EXIT.interface,
  );
}

function accountIn(passwd: string, wanted: string): Account | undefined {
  for (const line of passwd.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === wanted || (uid !== undefined && uid === wanted)) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function getent(name: string): string {
  try {
    return execFileSync('getent', ['passwd', '--', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

/** The words that started this program, without its arguments: the one file that holds all of it, or a runtime and a script. */
export function startedBy(): string[] {
  const { NAMETAP_EXECUTABLE: executable } = process.env;
  return executable ? [executable] : [process.execPath, ...process.argv.slice(1, 2)];
}

/** The system does not let this user capture; says what to do about it. */
export class NoRightError extends UserError {
  constructor(options?: ErrorOptions) {
    super(rightsAdvice(), EXIT.interface, options);
    this.name = 'NoRightError';
  }
}

/** What to do without the right to capture, with the exact command that gives this run the right and nothing more. */
function rightsAdvice(): string {
  if (process.platform !== 'linux') {
    return 'Capturing needs a right that this user does not have. Run it by sudo: rights are given up once the interface is open.';
  }
  return `Capturing needs a right that this user does not have (CAP_NET_RAW). Run:\n\n  ${rightsCommand([...startedBy(), ...process.argv.slice(2)])}\n`;
}

/**
 * The command that runs `words` as this user with CAP_NET_RAW, which ends with the process. A capability on the node
 * binary itself would give the right to every program that anybody runs with it.
 */
export function rightsCommand(
  words: readonly string[],
  id = { uid: process.getuid?.(), gid: process.getgid?.() },
): string {
  const setpriv = [
    'sudo setpriv',
    `--reuid=${id.uid} --regid=${id.gid} --init-groups`,
    '--inh-caps=+net_raw --ambient-caps=+net_raw --',
  ];
  return [...setpriv, ...words.map(quoted)].join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
