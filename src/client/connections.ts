import type { ClientHttp2Session } from 'node:http2';
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
  readonly #sessions = new Map<string, ClientHttp2Session>();

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
    stream.idle(true);
    kept.timer = setTimeout(() => stream.close(), IDLE_MS).unref();
  }

  /** True when a query of this id is under way on the stream to a server. */
  isAsking(transport: TransportName, server: Server, id: number): boolean {
    return this.#kept.get(keyOf(transport, server))?.stream?.isAsking(id) === true;
  }

  /** The open HTTP/2 session to a server. */
  session(server: Server): ClientHttp2Session | undefined {
    const session = this.#sessions.get(keyOf('https', server));
    return session?.closed === false && !session.destroyed ? session : undefined;
  }

  /** Keeps a session for others; of two that were opened at once the later one. */
  keepSession(server: Server, session: ClientHttp2Session): void {
    const key = keyOf('https', server);
    const before = this.#sessions.get(key);
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    before?.close();
    session.setTimeout(IDLE_MS, () => session.close());
    session.once('close', () => {
      if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    });
    // Ends when its requests are answered, the program need not wait for it.
    session.unref();
    if (this.#sessions.size <= MOST) return;
    for (const [oldest, other] of this.#sessions) {
      this.#sessions.delete(oldest);
      other.close();
      break;
    }
  }

  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
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
