import type { Connections } from './connections.ts';
import { type Attempt, newAttempt } from './outcome.ts';
import { MessageStream, type Opened, type OpenOptions, openSocket, type TlsOptions } from './stream.ts';
import type { Trial, Tried } from './udp.ts';

/** Asks once over TCP, or TLS above it (RFC 7766, RFC 7858): on a stream that is open, or on one of its own. */
export async function askByTcp(
  trial: Trial & { tls: TlsOptions | undefined },
  connections?: Connections,
): Promise<Tried> {
  const { server, query, fit, discarded, timeoutMs, signal, tls } = trial;
  const transport = tls === undefined ? 'tcp' : 'tls';
  const began = performance.now();
  const attempt = newAttempt(transport, server, query);
  if (signal?.aborted === true) return { attempt: { ...attempt, outcome: 'aborted' }, bytes: null };
  const open = () => openStream(trial);
  const { opened, isNew } = (await connections?.stream(transport, server, open)) ?? {
    opened: await open(),
    isNew: true,
  };
  if (isNew) noteOpening(attempt, opened);
  const { stream } = opened;
  if (stream === null) {
    attempt.outcome = opened.outcome;
    if (opened.reason !== undefined) attempt.reason = opened.reason;
    attempt.ms = performance.now() - began;
    return { attempt, bytes: null };
  }
  const left = Math.max(1, timeoutMs - (performance.now() - began));
  const reply = await stream.ask(query, fit, discarded, left, signal);
  attempt.ms = performance.now() - began;
  attempt.bytesIn = reply.bytesIn;
  attempt.outcome = reply.outcome;
  if (reply.reason !== undefined) attempt.reason = reply.reason;
  if (reply.outcome === 'timeout' || reply.outcome === 'slow') stream.retire();
  if (connections === undefined) stream.close();
  else connections.done(transport, server, stream);
  return { attempt, bytes: reply.bytes };
}

/** An open stream for messages, or why there is none. */
export interface OpenedStream extends Opened {
  stream: MessageStream | null;
}

export async function openStream(options: OpenOptions): Promise<OpenedStream> {
  const opened = await openSocket(options, options.tls === undefined ? [] : ['dot']);
  return { ...opened, stream: opened.socket === null ? null : new MessageStream(opened.socket) };
}

/** What opening a connection took, of the attempt that opened it. */
export function noteOpening(attempt: Attempt, { connectMs, tlsMs, local }: Opened): void {
  attempt.connectMs = connectMs;
  if (tlsMs !== undefined) attempt.tlsMs = tlsMs;
  if (local !== undefined) attempt.local = local;
}
