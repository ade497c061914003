import { createHmac, randomBytes } from 'node:crypto';
import type { Message } from '../rr/value.ts';
import { type Server, serverText } from './server.ts';

const COOKIE = 10;
/** Most servers whose cookie is kept; the oldest goes first. */
const MOST = 4096;

/** DNS cookies (RFC 7873, RFC 9018): one of our own for each server, and what the server gave for it. */
export class CookieJar {
  readonly #secret = randomBytes(32);
  readonly #given = new Map<string, string>();

  /** Octets of the option for a query to a server, hexadecimal. */
  cookieFor(server: Server): string {
    const key = serverText(server);
    return this.#own(key) + (this.#given.get(key) ?? '');
  }

  /** Keeps the server's cookie of an answer. False: the answer carries another client's cookie, so it is not for us. */
  learn(server: Server, message: Message): boolean {
    const data = message.edns?.options.find(({ code }) => code === COOKIE)?.data.toLowerCase();
    if (data === undefined || !/^[0-9a-f]+$/.test(data)) return true;
    const key = serverText(server);
    if (!data.startsWith(this.#own(key))) return false;
    const theirs = data.slice(16);
    if (theirs === '') return true;
    this.#given.delete(key);
    this.#given.set(key, theirs);
    if (this.#given.size > MOST) {
      for (const oldest of this.#given.keys()) {
        this.#given.delete(oldest);
        break;
      }
    }
    return true;
  }

  #own(key: string): string {
    return createHmac('sha256', this.#secret).update(key).digest('hex').slice(0, 16);
  }
}
