import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Connections } from './connections.ts';
import { Deadline } from './deadline.ts';
import { networkOutcome } from './network-error.ts';
import { newAttempt, type Outcome } from './outcome.ts';
import type { Server } from './server.ts';
import { type Opened, openSocket, type TlsOptions } from './stream.ts';
import { noteOpening } from './tcp.ts';
import type { Trial, Tried } from './udp.ts';

/** Path of DoH where none is given (RFC 8484 §4.1.1 leaves it to the server's template; this is what servers use). */
export const DOH_PATH = '/dns-query';
const MEDIA_TYPE = 'application/dns-message';
/** A DNS message is no longer. */
const MOST_BYTES = 65_535;
/** Requests at once on a session: BIND 9.18 drops one that has 64 opened in a burst, though it announces 100. */
const MOST_REQUESTS = 32;
const { NGHTTP2_CANCEL } = constants;

/** How a request is put. */
export type HttpsTrial = Trial & { tls: TlsOptions; isGet: boolean };

/**
 * Asks once over HTTPS (RFC 8484): HTTP/2 on a TLS connection that is open, or on one of its own. HTTP/3 is not spoken:
 * Node has no QUIC that is on without a flag.
 */
export async function askByHttps(trial: HttpsTrial, connections?: Connections): Promise<Tried> {
  const { server, query, timeoutMs, signal } = trial;
  const began = performance.now();
  const attempt = newAttempt('https', server, query);
  const end = (outcome: Outcome, reason?: string, bytes: Uint8Array | null = null): Tried => {
    attempt.outcome = outcome;
    if (reason !== undefined) attempt.reason = reason;
    attempt.ms = performance.now() - began;
    return { attempt, bytes };
  };
  if (signal?.aborted === true) return end('aborted');
  const open = () => openSession(trial);
  const { opened, isNew } = (await connections?.session(server, open)) ?? { opened: await open(), isNew: true };
  if (isNew) noteOpening(attempt, opened);
  const { session } = opened;
  if (session === null) return end(opened.outcome, opened.reason);
  const turn = opened.turns;
  await turn.take();
  const left = Math.max(1, timeoutMs - (performance.now() - began));
  const reply = await request(session, trial, left);
  turn.give();
  attempt.bytesIn = reply.bytes?.length ?? reply.bytesIn;
  if (connections === undefined) session.destroy();
  // Whoever did not answer on it may be gone: the next question opens another.
  else if (reply.outcome === 'timeout' || reply.outcome === 'slow') session.close();
  if (reply.bytes === null) return end(reply.outcome, reply.reason);
  const judged = trial.fit.judge(reply.bytes);
  if (judged === 'fits') return end('answered', undefined, reply.bytes);
  if (judged === 'wrongId' || judged === 'wrongQuestion') {
    trial.discarded[judged]++;
    return end(judged === 'wrongId' ? 'wrong_id' : 'wrong_question');
  }
  return end('garbage', judged === 'malformed' ? trial.fit.faultText : undefined, null);
}

/** An open session, or why there is none. */
export interface OpenedSession extends Opened {
  session: ClientHttp2Session | null;
  turns: Turns;
}

/** So many requests at once and no more; the others wait in order. Each takes a turn and gives it back. */
class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

async function openSession(trial: HttpsTrial): Promise<OpenedSession> {
  const opened = await openSocket(trial, ['h2']);
  const socket = opened.socket as TLSSocket | null;
  const turns = new Turns(MOST_REQUESTS);
  if (socket === null) return { ...opened, session: null, turns };
  if (socket.alpnProtocol !== 'h2') {
    socket.destroy();
    return { ...opened, session: null, turns, outcome: 'http_failed', reason: 'it offers no HTTP/2' };
  }
  const session = connect(`https://${authority(trial.server)}`, {
    createConnection: () => socket,
    // What is pushed nobody asked for.
    settings: { enablePush: false },
  });
  // Each request hears of it by its own stream.
  session.on('error', () => undefined);
  return { ...opened, session, turns };
}

function authority({ address, name, port }: Server): string {
  const host = name ?? (address.includes(':') ? `[${address}]` : address);
  return port === 443 ? host : `${host}:${port}`;
}

interface Reply {
  bytes: Uint8Array | null;
  bytesIn: number;
  outcome: Outcome;
  reason?: string;
}

function request(session: ClientHttp2Session, trial: HttpsTrial, timeoutMs: number): Promise<Reply> {
  const { signal, query, isGet, server } = trial;
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let held = 0;
    let stream: ClientHttp2Stream | undefined;
    const done = (outcome: Outcome, reason?: string, bytes: Uint8Array | null = null) => {
      timer.clear();
      signal?.removeEventListener('abort', aborted);
      if (stream?.closed === false) stream.close(NGHTTP2_CANCEL);
      resolve({ outcome, bytes, bytesIn: held, ...(reason !== undefined && { reason }) });
    };
    const timer = new Deadline(timeoutMs, () => done(held > 0 ? 'slow' : 'timeout'));
    const aborted = () => done('aborted');
    signal?.addEventListener('abort', aborted, { once: true });
    const path = (server.path ?? DOH_PATH).replace(/\{\?dns\}$/, '');
    const common = { ':scheme': 'https', ':authority': authority(server), accept: MEDIA_TYPE };
    try {
      stream = isGet
        ? session.request({ ...common, ':method': 'GET', ':path': getPath(path, query) })
        : session.request({
            ...common,
            ':method': 'POST',
            ':path': path,
            'content-type': MEDIA_TYPE,
            'content-length': query.length,
          });
    } catch (error) {
      return done('closed', (error as Error).message);
    }
    stream.on('error', (error) => {
      const { outcome, reason } = networkOutcome(error);
      done(outcome === 'not_sent' ? 'closed' : outcome, reason);
    });
    stream.on('close', () => done('closed'));
    let isAnswered = false;
    stream.on('response', (headers) => {
      isAnswered = true;
      const status = headers[':status'] ?? 0;
      const type = headers['content-type'] ?? 'nothing';
      if (status < 200 || status > 299) done('http_failed', `status ${status}`);
      else if (!type.startsWith(MEDIA_TYPE)) done('http_failed', `it sent ${type.slice(0, 100)}`);
    });
    stream.on('data', (chunk: Uint8Array) => {
      held += chunk.length;
      if (held > MOST_BYTES) return done('garbage', 'longer than a DNS message can be');
      chunks.push(chunk);
    });
    stream.on('end', () => {
      // A stream that the server reset ends, too.
      if (isAnswered) done('answered', undefined, Buffer.concat(chunks));
    });
    stream.end(isGet ? undefined : query);
  });
}

/** The query as the path's parameter (RFC 8484 §4.1). */
function getPath(path: string, query: Uint8Array): string {
  return `${path}${path.includes('?') ? '&' : '?'}dns=${Buffer.from(query).toString('base64url')}`;
}
