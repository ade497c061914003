import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Connections } from './connections.ts';
import { networkOutcome } from './network-error.ts';
import type { Attempt, Outcome } from './outcome.ts';
import type { Server } from './server.ts';
import { openSocket, type TlsOptions } from './stream.ts';
import { noteOpening } from './tcp.ts';
import type { Trial, Tried } from './udp.ts';

/** Path of DoH where none is given (RFC 8484 §4.1.1 leaves it to the server's template; this is what servers use). */
export const DOH_PATH = '/dns-query';
const MEDIA_TYPE = 'application/dns-message';
/** A DNS message is no longer. */
const MOST_BYTES = 65_535;
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
  const attempt: Attempt = {
    transport: 'https',
    server,
    sentAt: Date.now(),
    ms: 0,
    bytesOut: query.length,
    bytesIn: 0,
    outcome: 'timeout',
  };
  const end = (outcome: Outcome, reason?: string, bytes: Uint8Array | null = null): Tried => {
    attempt.outcome = outcome;
    if (reason !== undefined) attempt.reason = reason;
    attempt.ms = performance.now() - began;
    return { attempt, bytes };
  };
  if (signal?.aborted === true) return end('aborted');
  let session = connections?.session(server);
  if (session === undefined) {
    const opened = await openSocket(trial, ['h2']);
    noteOpening(attempt, opened);
    const { socket } = opened;
    if (socket === null) return end(opened.outcome, opened.reason);
    if ((socket as TLSSocket).alpnProtocol !== 'h2') {
      socket.destroy();
      return end('http_failed', 'it offers no HTTP/2');
    }
    session = sessionOn(socket as TLSSocket, server);
    connections?.keepSession(server, session);
  }
  const left = Math.max(1, timeoutMs - (performance.now() - began));
  const reply = await request(session, trial, left);
  attempt.bytesIn = reply.bytes?.length ?? reply.bytesIn;
  if (connections === undefined) session.destroy();
  if (reply.bytes === null) return end(reply.outcome, reply.reason);
  const judged = trial.fit.judge(reply.bytes);
  if (judged === 'fits') return end('answered', undefined, reply.bytes);
  if (judged === 'wrongId' || judged === 'wrongQuestion') {
    trial.discarded[judged]++;
    return end(judged === 'wrongId' ? 'wrong_id' : 'wrong_question');
  }
  return end('garbage', judged === 'malformed' ? trial.fit.faultText : undefined, null);
}

function sessionOn(socket: TLSSocket, server: Server): ClientHttp2Session {
  const session = connect(`https://${authority(server)}`, { createConnection: () => socket });
  // Each request hears of it by its own stream.
  session.on('error', () => undefined);
  return session;
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
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      if (stream?.closed === false) stream.close(NGHTTP2_CANCEL);
      resolve({ outcome, bytes, bytesIn: held, ...(reason !== undefined && { reason }) });
    };
    const timer = setTimeout(() => done(held > 0 ? 'slow' : 'timeout'), timeoutMs);
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
    stream.on('response', (headers) => {
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
    stream.on('end', () => done('answered', undefined, Buffer.concat(chunks)));
    stream.end(isGet ? undefined : query);
  });
}

/** The query as the path's parameter (RFC 8484 §4.1). */
function getPath(path: string, query: Uint8Array): string {
  return `${path}${path.includes('?') ? '&' : '?'}dns=${Buffer.from(query).toString('base64url')}`;
}
