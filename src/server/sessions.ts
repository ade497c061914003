import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isSameText, verifyPassword } from './passwords.ts';
import type { Role } from './schema/meta.ts';
import type { ServerOptions, User } from './services.ts';

/** Who asks. `csrf` is set where a cookie says so: what changes something then has to repeat it. */
export interface Identity {
  user: string;
  role: Role;
  /** Came with the token: no user of the list, whatever the name. */
  isToken: boolean;
  csrf: string | null;
}

/** What the page calls those who came with the token. */
const TOKEN_USER = 'operator';
const BY_TOKEN = { user: TOKEN_USER, role: 'operator', isToken: true } as const;
/** Sessions ended before their time that are remembered. */
const MOST_ENDED = 4096;
/** Passwords that were right lately need no scrypt again: clients that send them with every request. */
const MOST_KNOWN = 256;
const KNOWN_MS = 5 * 60_000;

/**
 * Sessions without a table: the cookie says who it is and until when, signed. It outlives a restart, and ends when the
 * token or the user's password is changed.
 */
export class Sessions {
  readonly #options: ServerOptions;
  readonly #now: () => number;
  readonly #known = new Map<string, number>();
  readonly #ended = new Map<string, number>();
  /** Signs sessions of users where there is no token to derive a key from: these end with the process. */
  readonly #key = randomBytes(32).toString('hex');

  constructor(options: ServerOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  /** The identity of a token, null for a wrong one. */
  byToken(token: string): Identity | null {
    const own = this.#options.token;
    return own !== null && isSameText(token, own.value) ? { ...BY_TOKEN, csrf: null } : null;
  }

  /** The identity of a name and password; the token is taken as password of any name. */
  async byPassword(name: string, password: string): Promise<Identity | null> {
    const byToken = this.byToken(password);
    if (byToken !== null) return byToken;
    const user = this.#user(name);
    const digest = createHash('sha256')
      .update(`${name}\0${password}\0${user?.password ?? ''}`)
      .digest('base64url');
    const until = this.#known.get(digest);
    const isKnown = until !== undefined && until > this.#now();
    if (!isKnown && !(await verifyPassword(password, user?.password ?? ''))) return null;
    if (user === undefined) return null;
    remember(this.#known, digest, this.#now() + KNOWN_MS, MOST_KNOWN);
    return { user: user.name, role: user.role, isToken: false, csrf: null };
  }

  /** A cookie's value for an identity, and what protects writes with it. */
  open(identity: Identity): { cookie: string; csrf: string; seconds: number } {
    const id = randomBytes(9).toString('base64url');
    const subject = identity.isToken ? '' : identity.user;
    return { ...this.#issue(id, subject), csrf: this.#csrf(subject, id) };
  }

  /** The same session for longer, once half of its time is over; null before, and when it is not ours. */
  renewed(cookie: string): { cookie: string; seconds: number } | null {
    if (this.byCookie(cookie) === null) return null;
    const [id, until, name] = cookie.split('.');
    if (Number.parseInt(until, 36) - this.#now() > (this.#seconds * 1000) / 2) return null;
    return this.#issue(id, Buffer.from(name, 'base64url').toString());
  }

  get #seconds(): number {
    return Math.round(this.#options.sessionHours * 3600);
  }

  #issue(id: string, subject: string): { cookie: string; seconds: number } {
    const until = this.#now() + this.#seconds * 1000;
    const body = [id, until.toString(36), Buffer.from(subject).toString('base64url')].join('.');
    return { cookie: `${body}.${this.#sign(subject, body)}`, seconds: this.#seconds };
  }

  /** Who a cookie belongs to; null when it is not ours, over, or ended. */
  byCookie(cookie: string): Identity | null {
    const parts = cookie.split('.');
    if (parts.length !== 4 || cookie.length > 512) return null;
    const [id, until, name, signature] = parts;
    const subject = Buffer.from(name, 'base64url').toString();
    const body = [id, until, name].join('.');
    if (!isSameText(signature, this.#sign(subject, body))) return null;
    if (Number.parseInt(until, 36) <= this.#now() || this.#ended.has(id)) return null;
    const csrf = this.#csrf(subject, id);
    if (subject === '') return this.#options.token === null ? null : { ...BY_TOKEN, csrf };
    const user = this.#user(subject);
    return user === undefined ? null : { user: user.name, role: user.role, isToken: false, csrf };
  }

  /** Ends a session before its time. */
  end(cookie: string): void {
    const [id] = cookie.split('.');
    if (this.byCookie(cookie) !== null) remember(this.#ended, id, 0, MOST_ENDED);
  }

  #user(name: string): User | undefined {
    return this.#options.users.find((user) => user.name === name);
  }

  /** `subject`: a user's name, empty for the token. */
  #sign(subject: string, body: string): string {
    const password = this.#user(subject)?.password ?? '';
    return createHmac('sha256', `session\0${this.#options.token?.value ?? this.#key}\0${password}`)
      .update(body)
      .digest('base64url');
  }

  /** Stays the same while a session is renewed. */
  #csrf(subject: string, id: string): string {
    return this.#sign(subject, `csrf ${id}`);
  }
}

/** Adds to a table that forgets its oldest. */
function remember(table: Map<string, number>, key: string, value: number, most: number): void {
  table.delete(key);
  table.set(key, value);
  for (const oldest of table.keys()) {
    if (table.size <= most) break;
    table.delete(oldest);
  }
}
