import { connect, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { noteOwnSocket } from '../client/own-traffic.ts';
import { certificateFacts } from './certificate.ts';
import { socketFailure } from './failure.ts';
import { type Failure, type ProbeContext, timeoutText, type Trial } from './probe.ts';

/** A check under way, and what bounds it. */
export interface Under {
  trial: Trial;
  context: Pick<ProbeContext, 'timeoutMs' | 'signal'>;
}

/** A connection, and what to call when it is closed: its packets are nametap's own. */
export interface Connected {
  socket: Socket;
  closed(): void;
}

/** Connects; the time it takes is a part of the trial. */
export async function openTcp(
  to: { address: string; family: 4 | 6; port: number },
  { trial, context }: Under,
): Promise<Connected | Failure> {
  const began = performance.now();
  const socket = connect({ host: to.address, port: to.port, family: to.family, noDelay: true });
  const failure = await happens(socket, 'connect', { trial, context }, false);
  if (failure !== null) {
    closeQuietly(socket);
    return failure;
  }
  trial.spent('connect', performance.now() - began);
  const { localAddress, localPort } = socket;
  const known = localAddress !== undefined && localPort !== undefined;
  const forget = known ? noteOwnSocket('tcp', localAddress, localPort) : () => undefined;
  return { socket, closed: forget };
}

export interface TlsSettings {
  /** What the certificate has to be for: a name, or an address. */
  name: string;
  verify: boolean;
  /** Authorities (PEM) instead of the system's. */
  authority?: Buffer | undefined;
}

/** TLS on a connection; the time of the handshake is a part of the trial, version and expiry are its facts. */
export async function openTls(
  plain: Socket,
  { name, verify, authority }: TlsSettings,
  { trial, context }: Under,
): Promise<TLSSocket | Failure> {
  const { connect: secure } = await import('node:tls');
  const began = performance.now();
  const socket = secure({
    socket: plain,
    host: name,
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: verify,
    ALPNProtocols: ['http/1.1'],
    ...(authority !== undefined && { ca: authority }),
  });
  const failure = await happens(socket, 'secureConnect', { trial, context }, true);
  if (failure !== null) {
    closeQuietly(socket);
    return failure;
  }
  trial.spent('tls', performance.now() - began);
  Object.assign(trial.facts, certificateFacts(socket, verify));
  return socket;
}

function happens(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  under: Under,
  isTls: boolean,
): Promise<Failure | null> {
  return waitOn(socket, under, isTls, (end) => {
    const happened = () => end(null);
    socket.once(event, happened);
    return () => socket.off(event, happened);
  });
}

/**
 * Waits on a socket until `listen` says the end (a failure, or null), its time is over, or it breaks. `listen` gives what
 * stops its listening; that may still change the failure.
 */
export function waitOn(
  socket: Socket,
  { trial, context: { timeoutMs, signal } }: Under,
  isTls: boolean,
  listen: (end: (failure: Failure | null) => void) => (failure: Failure | null) => void,
): Promise<Failure | null> {
  return new Promise((resolve) => {
    const end = (failure: Failure | null): void => {
      clearTimeout(timer);
      socket.off('error', failed);
      socket.off('close', closed);
      signal.removeEventListener('abort', aborted);
      stop(failure);
      resolve(failure);
    };
    const failed = (error: unknown) => end(socketFailure(error, isTls));
    const closed = () => end({ outcome: 'closed', text: 'the connection was closed' });
    const aborted = () => end({ outcome: 'not_sent', text: 'given up' });
    const left = Math.max(0, timeoutMs - trial.elapsed);
    const timer = setTimeout(() => end({ outcome: 'timeout', text: timeoutText(timeoutMs) }), left);
    socket.once('error', failed).once('close', closed);
    signal.addEventListener('abort', aborted, { once: true });
    const stop = listen(end);
  });
}

/** Ends a socket; what it still has to say is of no interest. */
export function closeQuietly(socket: Socket): void {
  socket.on('error', () => undefined).destroy();
}
