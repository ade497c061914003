import type { OpenedSession } from './https.ts';
import { randomId } from './question.ts';
import type { Server, TransportName } from './server.ts';
import type { MessageStream } from './stream.ts';
import type { OpenedStream } from './tcp.ts';

/** How long a connection nobody asks on stays open (RFC 7766 §6.2.3: a few seconds). */
const IDLE_MS = 10_000;
/** Most connections kept; the oldest goes first. */
const MOST = 256;

interface Kept {
  opened: Promise<OpenedStream>;
  stream: MessageStream | null;
  timer: NodeJS.Timeout | undefined;
}

/** Streams to servers that stay open between questions, one for each server and transport. */
export class Connections {
  readonly #kept = new Map<string, Kept>();
  /** Ids under way, by server. */
  readonly #ids = new Map<string, Set<number>>();
  readonly #sessions = new Map<string, Promise<OpenedSession>>();

  /** The open stream to a server, or a new one: those who ask while it opens share it. */
  async stream(
    transport: TransportName,
    server: Server,
    open: () => Promise<OpenedStream>,
  ): Promise<{ opened: OpenedStream; isNew: boolean }> {
    const key = keyOf(transport, server);
    const known = this.#kept.get(key);
    if (known !== undefined && (known.stream === null || known.stream.isUsable)) {
      clearTimeout(known.timer);
      known.stream?.idle(false);
      const opened = await known.opened;
      if (opened.stream?.isUsable === true) return { opened, isNew: false };
    }
    const kept: Kept = { opened: open(), stream: null, timer: undefined };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    this.#shrink();
    const opened = await kept.opened;
    kept.stream = opened.stream;
    if (opened.stream === null && this.#kept.get(key) === kept) this.#kept.delete(key);
    return { opened, isNew: true };
  }

  /** An answer came, or none will. */
  done(transport: TransportName, server: Server, stream: MessageStream): void {
    const kept = this.#kept.get(keyOf(transport, server));
    if (kept?.stream !== stream) {
      if (stream.waiting === 0) stream.close();
      return;
    }
    if (stream.waiting > 0) return;
    clearTimeout(kept.timer);
    if (!stream.isUsable) {
      this.#kept.delete(keyOf(transport, server));
      stream.close();
      return;
    }
    stream.idle(true);
    kept.timer = setTimeout(() => stream.close(), IDLE_MS).unref();
  }

  /** A random id that no query to a server has now; give it back with `releaseId`. */
  reserveId(transport: TransportName, server: Server): number {
    const key = keyOf(transport, server);
    let used = this.#ids.get(key);
    if (used === undefined) this.#ids.set(key, (used = new Set()));
    let id = randomId();
    while (used.has(id)) id = randomId();
    used.add(id);
    return id;
  }

  releaseId(transport: TransportName, server: Server, id: number): void {
    const key = keyOf(transport, server);
    const used = this.#ids.get(key);
    used?.delete(id);
    if (used?.size === 0) this.#ids.delete(key);
  }

  /** The open HTTP/2 session to a server, or a new one: those who ask while it opens share it. */
  async session(
    server: Server,
    open: () => Promise<OpenedSession>,
  ): Promise<{ opened: OpenedSession; isNew: boolean }> {
    const key = keyOf('https', server);
    const known = this.#sessions.get(key);
    if (known !== undefined) {
      const opened = await known;
      if (opened.session?.closed === false && !opened.session.destroyed) return { opened, isNew: false };
    }
    // Of those who found it closed the first opens it again.
    const other = this.#sessions.get(key);
    if (other !== undefined && other !== known) return { opened: await other, isNew: false };
    const opening = open();
    this.#sessions.delete(key);
    this.#sessions.set(key, opening);
    if (this.#sessions.size > MOST) {
      for (const [oldest, session] of this.#sessions) {
        this.#sessions.delete(oldest);
        void session.then((one) => one.session?.close());
        break;
      }
    }
    const opened = await opening;
    const forget = () => {
      if (this.#sessions.get(key) === opening) this.#sessions.delete(key);
    };
    if (opened.session === null) forget();
    else {
      opened.session.setTimeout(IDLE_MS, () => opened.session?.close());
      opened.session.once('close', forget);
      // Each request keeps the program running until it is answered; the session alone does not.
      opened.session.unref();
    }
    return { opened, isNew: true };
  }

  close(): void {
    for (const session of this.#sessions.values()) void session.then((one) => one.session?.destroy());
    this.#sessions.clear();
    for (const { stream, timer, opened } of this.#kept.values()) {
      clearTimeout(timer);
      if (stream !== null) stream.close();
      else void opened.then((one) => one.stream?.close());
    }
    this.#kept.clear();
  }

  #shrink(): void {
    if (this.#kept.size <= MOST) return;
    for (const [key, { stream, timer }] of this.#kept) {
      if (stream === null || stream.waiting > 0) continue;
      clearTimeout(timer);
      stream.close();
      this.#kept.delete(key);
      return;
    }
  }
}

function keyOf(transport: TransportName, { address, port, name }: Server): string {
  return `${transport} ${address} ${port} ${name ?? ''}`;
}
