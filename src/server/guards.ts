import { isLoopback, isOwnHost, isSameOrigin } from './hosts.ts';
import { Gate, RateLimit } from './limits.ts';
import { isSameText } from './passwords.ts';
import { ProblemError } from './problem.ts';
import type { Access } from './endpoint.ts';
import type { ServerOptions } from './services.ts';
import type { Identity, Sessions } from './sessions.ts';

/** Nothing comes from elsewhere, nothing is framed, nothing is inline. */
export const CONTENT_POLICY = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY_HEADERS: readonly (readonly [string, string])[] = [
  ['Content-Security-Policy', CONTENT_POLICY],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()'],
  ['X-Robots-Tag', 'noindex'],
];

const REQUESTS = { rate: 100, burst: 500 };
/** Wrong passwords and tokens of one address. */
const FAILURES = { rate: 1 / 12, burst: 10 };
/** Passwords checked at a time: each takes 32 MiB and a thread. */
const CHECKS = { most: 2, queue: 16 };

/** Says who asks and whether they may, before a handler sees the request. */
export class Guards {
  readonly requests = new RateLimit(REQUESTS);
  readonly failures = new RateLimit(FAILURES);
  readonly #checks = new Gate(CHECKS.most, CHECKS.queue);
  readonly #options: ServerOptions;
  readonly #sessions: Sessions;
  readonly #now: () => number;
  /** Set once it is known which port is listened on: cookies of other ports are not ours. */
  port = 0;

  constructor(options: ServerOptions, sessions: Sessions, now: () => number) {
    this.#options = options;
    this.#sessions = sessions;
    this.#now = now;
  }

  /** Throws where a request comes from elsewhere, or too often. */
  admit(request: Request, remote: string): void {
    const { headers } = request;
    const host = headers.get('host') ?? '';
    if (!isOwnHost(host, this.#options.hosts)) {
      throw new ProblemError(421, `nametap does not answer to the name in Host. Add it to 'hosts' of layer 'server'.`);
    }
    const origin = headers.get('origin');
    const site = headers.get('sec-fetch-site');
    const isNavigation = headers.get('sec-fetch-mode') === 'navigate' && request.method === 'GET';
    const isForeign =
      (origin !== null && !isSameOrigin(origin, host, this.#options.tls !== null, this.#options.hosts)) ||
      (!isNavigation && (site === 'cross-site' || site === 'same-site'));
    if (isForeign) throw new ProblemError(403, 'Requests from pages of other sites are not answered.');
    const wait = this.requests.take(remote, this.#now());
    if (wait > 0) throw tooMany(wait);
  }

  /** Who asks; null when nobody says so. Throws for wrong credentials. */
  async identify(request: Request, remote: string): Promise<Identity | null> {
    const header = request.headers.get('authorization');
    const key = request.headers.get('x-api-key');
    if (header === null && key === null) {
      const cookie = this.cookieOf(request);
      return cookie === undefined ? null : this.#sessions.byCookie(cookie);
    }
    const [scheme, value = ''] = header?.split(/ +/, 2) ?? ['Bearer', key ?? ''];
    if (/^bearer$/i.test(scheme)) return this.#tried(remote, () => this.#sessions.byToken(value));
    if (!/^basic$/i.test(scheme)) throw new ProblemError(401, 'Authorization has to be Bearer or Basic.');
    const pair = Buffer.from(value, 'base64').toString();
    const colon = pair.indexOf(':');
    return this.signIn(remote, pair.slice(0, Math.max(0, colon)), pair.slice(colon + 1));
  }

  /** The identity of a name and password. Throws 401, 429. */
  async signIn(remote: string, name: string, password: string): Promise<Identity> {
    return this.#tried(remote, async () => {
      const leave = await this.#checks.enter();
      if (leave === null) throw tooMany(5);
      try {
        return await this.#sessions.byPassword(name, password);
      } finally {
        leave();
      }
    });
  }

  /** The identity of a token. Throws 401, 429. */
  signInByToken(remote: string, token: string): Promise<Identity> {
    return this.#tried(remote, () => this.#sessions.byToken(token));
  }

  async #tried(remote: string, attempt: () => Identity | null | Promise<Identity | null>): Promise<Identity> {
    const wait = this.failures.look(remote, this.#now());
    if (wait > 0) throw tooMany(wait);
    const identity = await attempt();
    if (identity !== null) return identity;
    this.failures.take(remote, this.#now());
    throw new ProblemError(401, 'The token, or the name and password, are not right.');
  }

  /** Throws where an identity may not do what it asks for. */
  authorize(request: Request, access: Access, identity: Identity | null): void {
    if (access === 'anyone') return;
    if (identity === null) {
      throw new ProblemError(401, 'Open the address with its token that nametap printed, or sign in.', {}, CHALLENGE);
    }
    if (access === 'operator' && identity.role !== 'operator') {
      throw new ProblemError(403, `'${identity.user}' may look, but not change anything.`);
    }
    this.protectWrite(request, identity);
  }

  /** What a cookie alone may not do: change something (CSRF). */
  protectWrite(request: Request, { csrf }: Identity): void {
    if (csrf === null || request.method === 'GET' || request.method === 'HEAD') return;
    if (!isSameText(request.headers.get('x-nametap-csrf') ?? '', csrf)) {
      throw new ProblemError(403, 'The header X-Nametap-CSRF is missing or not that of the session.');
    }
  }

  mayReadMetrics(identity: Identity | null, remote: string): boolean {
    const { metrics } = this.#options;
    return metrics === 'open' || identity !== null || (metrics === 'loopback' && isLoopback(remote));
  }

  /** The name has the port in it: browsers send cookies to all ports of a machine. */
  get cookieName(): string {
    return this.#options.tls === null ? `nametap_${this.port}` : `__Host-nametap_${this.port}`;
  }

  cookieOf(request: Request): string | undefined {
    const wanted = this.cookieName;
    for (const part of (request.headers.get('cookie') ?? '').split(';')) {
      const [name, value] = part.trim().split('=', 2);
      if (name === wanted && value !== '') return value;
    }
    return undefined;
  }

  /** `Set-Cookie` that makes a session last while it is used; null where it is too early, or none. */
  renewal(request: Request): string | null {
    const cookie = this.cookieOf(request);
    const fresh = cookie === undefined ? null : this.#sessions.renewed(cookie);
    return fresh === null ? null : this.cookieHeader(fresh.cookie, fresh.seconds);
  }

  /** `Set-Cookie`; without seconds it takes the cookie away. */
  cookieHeader(value: string, seconds: number): string {
    const secure = this.#options.tls === null ? '' : '; Secure';
    return `${this.cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`;
  }
}

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="nametap"' };

function tooMany(seconds: number): ProblemError {
  return new ProblemError(429, `Too many requests: try again in ${seconds} s.`, {}, { 'Retry-After': String(seconds) });
}

/** Adds what every response carries; a handler's own headers stay. */
export function secure(headers: Headers, isTls: boolean): void {
  for (const [name, value] of SECURITY_HEADERS) if (!headers.has(name)) headers.set(name, value);
  if (isTls) headers.set('Strict-Transport-Security', 'max-age=31536000');
}
